/**
 * Association matrices: one number for each object and class, made from a corpus's counts by a measure.
 *
 * @module
 */

import type { Measure } from "../statistics/measures/measure.ts";
import type { Accumulator } from "./accumulator.ts";
import { csvText } from "../base/csv.ts";

/** Objects × classes. */
export interface AssociationMatrix {
  /** Name of the measure: which quantity is in the cells. */
  readonly measure: string;
  /** What the values count or range over. */
  readonly units: string;
  /** Whether its values lie on both sides of a neutral 0. */
  readonly signed: boolean;
  /** Name of the CAM method. */
  readonly method: string;
  /** A box over this was salient. */
  readonly threshold: number;
  /** By code point. */
  readonly objects: readonly string[];
  readonly classes: readonly string[];
  /** Row-major [objects, classes]; NaN where the measure is not defined. */
  readonly values: Float64Array;
}

/** The matrix of one measure over a corpus's counts, for the classes the accumulator keeps. */
export function associationMatrix(
  counts: Accumulator,
  measure: Measure,
  method: string,
): AssociationMatrix {
  const { objects, columns, threshold } = counts;
  const values = new Float64Array(objects.length * columns.length);
  for (const [row, label] of objects.entries()) {
    for (const [column, target] of columns.entries()) {
      values[row * columns.length + column] = measure.value(counts.cell(label, target)!);
    }
  }
  return {
    measure: measure.name,
    units: measure.units,
    signed: measure.signed,
    method,
    threshold,
    objects,
    classes: columns.map((target) => counts.classes[target]),
    values,
  };
}

/**
 * A matrix as CSV (RFC 4180, line feeds): header `object,<classes>`, one line an object. Numbers are the shortest decimals that read
 * back as the same double; `NaN` for an undefined cell.
 */
export function matrixCsv({ objects, classes, values }: AssociationMatrix): string {
  const lines = objects.map((
    object,
    row,
  ) => [object, ...values.subarray(row * classes.length, (row + 1) * classes.length)]);
  return csvText([["object", ...classes], ...lines]);
}
