/**
 * The units of a statistic: what could have come out otherwise as a whole. An image with all its samples, or all images of a block.
 *
 * @module
 */

import type { FinishedRun } from "../ledger/finished_run.ts";
import { flag } from "../base/flag.ts";
import { UsageError } from "../base/errors.ts";
import type { Incidence } from "./incidence.ts";
import type { LongTable } from "./long_table.ts";

/** Units, numbered in order of their first samples. */
export interface Units {
  readonly count: number;
  /** Unit of each sample. */
  readonly of: Int32Array;
  /** Samples of each unit. */
  readonly size: Int32Array;
  /** Weight of each sample: one over the samples of its unit, so that each unit counts once. */
  readonly weight: Float64Array;
}

/** The units that samples belong to, by a key for each image of the table: images of equal keys are one unit. */
export function unitsOf(incidence: Incidence, keyOf: (image: number) => number | string): Units {
  const known = new Map<number | string, number>();
  const of = Int32Array.from(incidence.image, (image) => {
    const key = keyOf(image);
    let unit = known.get(key);
    if (unit === undefined) known.set(key, unit = known.size);
    return unit;
  });
  const size = new Int32Array(known.size);
  for (const unit of of) size[unit]++;
  return { count: known.size, of, size, weight: Float64Array.from(of, (unit) => 1 / size[unit]) };
}

/** Refuses a column of units that the corpus does not have. @throws {UsageError} */
export function checkUnits(run: FinishedRun, block: string | undefined): void {
  const names = run.annotationNames();
  if (block === undefined || names.includes(block)) return;
  throw new UsageError(
    `Cannot use ${flag("block")} ${JSON.stringify(block)}: the corpus has ${
      names.length === 0 ? "no columns" : `the columns ${names.join(", ")}`
    }; name one of its columns, or leave the option out`,
  );
}

/**
 * What tells units apart: each image by itself, or the values of a column of the corpus, see {@linkcode checkUnits}. An image without a value
 * is a unit by itself.
 */
export function unitKeys(
  run: FinishedRun,
  table: LongTable,
  block: string | undefined,
): (image: number) => number | string {
  if (block === undefined) return (image) => image;
  const values = new Map<number, string>();
  for (const { ordinal, annotation } of run.images()) {
    const value = annotation?.[block]?.trim();
    if (value) values.set(ordinal, value);
  }
  return (image) => values.get(table.ordinal[image]) ?? image;
}
