/**
 * The manifest of a run, `run.json`: what was asked, what it was computed with, and all that is needed to read the run's ledger without its
 * models.
 *
 * @module
 */

import { join, resolve } from "node:path";
import { z } from "zod";
import { messageOf, UsageError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { BOX_MEANS } from "../attribution/request.ts";
import { TARGET_CHOICES } from "../classifier/target.ts";
import { classifierSchema } from "../runtime/card.ts";

/** Name of the manifest in a run's folder. */
export const MANIFEST_FILE = "run.json";

const json: z.ZodType<Json> = z.json();
const positive = z.number().int().positive();
const affine = z.object({ scale: z.number(), offset: z.number() });
const grid = z.object({
  height: positive,
  width: positive,
  placement: z.object({ x: affine, y: affine }),
});

const methodSchema = z.object({
  name: z.string(),
  title: z.string(),
  source: z.string(),
  /** Whether it is a control: a map that explains nothing. */
  control: z.boolean(),
  /** The score that it explains. */
  target: z.enum(TARGET_CHOICES),
  rectify: z.boolean(),
  normalised: z.boolean().exactOptional(),
  settings: z.record(z.string(), json).exactOptional(),
  /** The cells of its maps on the classifier's input. */
  grid,
});

const modelSchema = z.object({
  /** What it was used for: `classifier`, `faces`, `landmarks`, `detector`. */
  role: z.string(),
  name: z.string(),
  title: z.string().exactOptional(),
  sha256: z.string(),
  bytes: z.number().exactOptional(),
  licence: z.string(),
  source: z.string(),
  citation: z.string().exactOptional(),
  note: z.string().exactOptional(),
});

const verdictSchema = z.object({
  axiom: z.string(),
  source: z.string(),
  method: z.string(),
  bound: z.union([z.object({ atMost: z.number() }), z.object({ atLeast: z.number() })]),
  verdict: z.enum(["holds", "fails", "skipped"]),
  value: z.number().exactOptional(),
  reason: z.string().exactOptional(),
  note: z.string().exactOptional(),
});

/** What is known when a run starts. */
export const startSchema = z.object({
  emocam: z.string(),
  /** The commit of the sources, where they are a checkout. */
  commit: z.string().exactOptional(),
  /** The command line that gives the run again, quoted for a POSIX shell. */
  command: z.string(),
  /** The command line's arguments, options as resolved. */
  arguments: z.record(z.string(), json),
  /** The folder from which relative paths in the arguments start, seen from the one that holds `run.json`. */
  from: z.string(),
  /** What the results are called in reports: the name of the corpus. */
  title: z.string(),
  /** What decides the results beside the models and images: the arguments after defaults, and each method's own settings. */
  settings: z.record(z.string(), json),
  versions: z.record(z.string(), z.string()),
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Variables of the environment that were set, of those that matter. */
  environment: z.record(z.string(), z.string()),
  backend: z.object({ name: z.string(), reason: z.string(), adapter: z.string().exactOptional() }),
  classifier: z.object({
    card: classifierSchema,
    key: z.record(z.string(), json),
    /** Shape of one input, [C, H, W]. */
    input: z.tuple([positive, positive, positive]),
    /** Samples in a batch. */
    batch: positive,
    layer: z.object({ name: z.string(), shape: z.tuple([positive, positive, positive]) }),
    /** Names of all target layers; maps of several are fused. */
    layers: z.array(z.string()).min(1),
    receptiveField: json,
    placement: z.enum(["receptive-field", "half-pixel"]),
  }),
  detector: z.object({
    name: z.string(),
    key: json,
    /** All labels that it can give, where they are known. */
    labels: z.array(z.string()).exactOptional(),
    /** Size of the letterbox that it sees pictures in. */
    frame: z.object({ width: z.number(), height: z.number() }).exactOptional(),
  }),
  methods: z.array(methodSchema).min(1),
  /** How samples were made and explained. */
  analysis: z.object({
    samples: z.enum(["image", "faces"]),
    /** The class that is explained: the predicted one, all, or one by index. */
    classes: z.union([z.literal("predicted"), z.literal("all"), z.number().int().min(0)]),
    target: z.enum(TARGET_CHOICES),
    threshold: z.number(),
    boxMean: z.enum(BOX_MEANS),
    orientation: z.enum(["exif", "stored"]),
    seed: z.number(),
  }),
  /** The models as their cards state them. */
  models: z.array(modelSchema),
  /** Credits of the photographs, where they are those that ship. */
  credits: z.array(z.string()),
  /** Fingerprints of the stages: equal ones have equal results. */
  stages: z.record(z.string(), z.string()),
  /** Remarks that a reader should see once. */
  notices: z.array(z.string()),
});

/** What is known when it has ended. */
const endSchema = startSchema.extend({
  /** The file with its results, seen from the folder that holds `run.json`, and the run's number in it. */
  ledger: z.object({ file: z.string(), run: z.number().int() }),
  summary: z.object({
    images: z.number(),
    failed: z.number(),
    samples: z.number(),
    /** Images whose results were there before. */
    reused: z.number(),
    boxes: z.number(),
    undefinedImportances: z.number(),
    milliseconds: z.record(z.string(), z.number()),
  }),
  axioms: z.array(verdictSchema),
  /** SHA-256 of the tables. */
  outputs: z.record(z.string(), z.string()),
  images: z.array(z.object({
    path: z.string(),
    /** Where the picture was, seen from the folder that holds `run.json`; absent for the photographs that ship. */
    file: z.string().exactOptional(),
    sha256: z.string().nullable(),
    status: z.enum(["ok", "failed"]),
  })),
});

/** What is known of a run when it starts. */
export type Manifest = Readonly<z.infer<typeof startSchema>>;
/** What `run.json` holds. */
export type FinishedManifest = Readonly<z.infer<typeof endSchema>>;
/** A method as a manifest describes it. */
export type MethodRecord = Readonly<z.infer<typeof methodSchema>>;
/** A model as its card states it. */
export type ModelRecord = Readonly<z.infer<typeof modelSchema>>;
/** A verdict on a method. */
export type VerdictRecord = Readonly<z.infer<typeof verdictSchema>>;

/**
 * Checks a manifest that was read.
 *
 * @param origin where it was read, for the message
 * @throws {UsageError} naming the first field that is not as `analyze` writes it.
 */
export function parseManifest(value: unknown, origin: string): FinishedManifest {
  const parsed = endSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `Cannot read the run of ${origin}: ${
      issue.path.join(".") || "the file"
    }: ${issue.message}; if an older version of emocam made it, give the same analyze command again (results are kept)`,
  );
}

/**
 * Reads the manifest of a run's folder.
 *
 * @throws {UsageError} when there is none, or it is damaged.
 */
export async function readManifest(folder: string): Promise<FinishedManifest> {
  const path = join(folder, MANIFEST_FILE);
  let value: unknown;
  try {
    value = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      throw new UsageError(
        `Cannot find a run: there is no ${path}; give the folder of a finished analysis`,
      );
    }
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
  return parseManifest(value, path);
}

/** Where a file of a manifest is, from the folder that holds it. */
export function fileOf(folder: string, file: string): string {
  return resolve(folder, file);
}

/** A manifest, read from a file that may be of another version. */
export type ManifestJson = { readonly [key: string]: Json };

/** Whether JSON is an object with keys. */
export function isObject(value: Json | undefined): value is ManifestJson {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
