/**
 * Options of the paper's analyses.
 *
 * @module
 */

import { z } from "zod";

const schema = z.object({
  /** The predicted class counts over this probability. */
  emotionConfidence: z.number(),
  /** Boxes count over this confidence of the detector. */
  objectConfidence: z.number(),
  /** Annotations count below this ambiguity. */
  ambiguity: z.number(),
  /** Similarity measures by name, or `all`. */
  similarity: z.array(z.string()).readonly(),
  /** Objects that are related, or `all`; by default the paper's 24, if the detector knows one. */
  objects: z.array(z.string()).readonly().exactOptional(),
  /** Objects that make up at most this share of the rows are left out. */
  leastShare: z.number().exactOptional(),
  /** Without the published code's defects in counting. */
  corrected: z.boolean().exactOptional(),
  /** The published code's column names, and its two tables. */
  referenceColumns: z.boolean().exactOptional(),
});

/** The options, parsed. */
export type PaperOptions = Readonly<z.infer<typeof schema>>;

/** The options among the arguments of a run. */
export function paperOptionsOf(args: Readonly<Record<string, unknown>>): PaperOptions {
  return schema.parse(args);
}
