/** Comparison of a synthetic corpus with the reference's statistics of it. */

import assert from "node:assert/strict";
import { benjaminiHochberg } from "../../src/statistics/corrections/benjamini_hochberg.ts";
import { fisherExact } from "../../src/statistics/exact/fisher.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import { cochranMantelHaenszel, mantelHaenszel } from "../../src/statistics/stratified/mod.ts";
import { assertClose } from "../assert_close.ts";
import { EMOTIONS } from "./end_to_end.ts";
import {
  cellwise,
  countsOf,
  type Incidence,
  stratifiedByFace,
  withObject,
} from "./end_to_end_tables.ts";
import { claimedCells, crossMethod } from "./null_study.ts";

/** What the reference says of one method; matrices by object, perhaps of the first objects only. */
export interface MethodCase {
  readonly method: number;
  readonly n: number;
  readonly objects: readonly number[];
  readonly emotions: readonly number[];
  readonly n11: readonly (readonly number[])[];
  readonly dice: readonly (readonly number[])[];
  readonly phi: readonly (readonly number[])[];
  readonly n_bh: number;
  /** Object, emotion, + or -. */
  readonly bh_significant: readonly (readonly (number | string)[])[];
  readonly fisher_p?: readonly (readonly number[])[];
  readonly bh_adjusted?: readonly (readonly number[])[];
  readonly cmh_by_face?: Readonly<
    Record<"stat" | "p" | "mh_odds_ratio", readonly (readonly (number | string)[])[]>
  >;
  readonly reference_drop_empty: {
    readonly n: number;
    readonly dice_row_0: readonly number[];
    readonly dice_row_2: readonly number[];
  };
}

const MEASURE = { relative: 1e-9 }, P = { relative: 1e-7, absolute: 1e-12 };

/** Asserts that a method's counts and statistics are the reference's. */
export function assertMethod(incidence: Incidence, expected: MethodCase): void {
  const counts = countsOf(incidence, expected.method);
  assert.equal(counts.n, expected.n);
  assert.deepEqual([...counts.objects], expected.objects);
  assert.deepEqual([...counts.emotions], expected.emotions);
  assert.deepEqual([...counts.n11], expected.n11.flat());
  const measure = (name: "dice" | "phi") =>
    cellwise(counts, (table) => MEASURES[name].value({ ...table, boxes: 0, sum: 0 }));
  const p = cellwise(counts, (table) => fisherExact(table));
  const adjusted = benjaminiHochberg.adjust(p);
  assertRows(measure("dice"), expected.dice, MEASURE, "dice");
  assertRows(measure("phi"), expected.phi, MEASURE, "phi");
  assertRows(p, expected.fisher_p ?? [], P, "Fisher's p");
  assertRows(adjusted, expected.bh_adjusted ?? [], P, "adjusted p");
  const cells = claimedCells(incidence, expected.method).map(({ cell, positive }) => {
    return [cell.object, cell.class, positive ? "+" : "-"];
  });
  assert.deepEqual(cells, expected.bh_significant);
  assert.equal(cells.length, expected.n_bh);

  if (expected.cmh_by_face) {
    const { stat, p, mh_odds_ratio } = expected.cmh_by_face;
    const strata = stratifiedByFace(incidence, expected.method);
    const tests = strata.map((tables) => cochranMantelHaenszel(tables));
    assertRows(tests.map(({ statistic }) => statistic), stat, MEASURE, "χ² by face");
    assertRows(tests.map((test) => test.p), p, P, "p by face");
    const odds = strata.map((tables) => mantelHaenszel(tables).value);
    assertRows(odds, mh_odds_ratio, MEASURE, "odds ratio by face");
  }

  // The published analysis leaves images without any salient object out.
  const any = withObject(incidence, expected.method);
  const fewer = countsOf(incidence, expected.method, (unit) => any[unit] === 1);
  const dice = cellwise(
    fewer,
    (table) => MEASURES.dice.value({ ...table, boxes: 0, sum: 0 }),
  );
  const { n, dice_row_0, dice_row_2 } = expected.reference_drop_empty;
  assert.equal(fewer.n, n);
  assertRows(dice, [dice_row_0], MEASURE, "dice without empty images, row 0");
  assertRows(dice.subarray(2 * EMOTIONS), [dice_row_2], MEASURE, "… row 2");
}

/** Correlations by measure. */
type Correlations = Readonly<
  Record<"dice" | "phi" | "log_lift", { same_images: number; split_half: number }>
>;

/** Asserts that the two methods' matrices correlate as the reference says. */
export function assertCrossMethod(incidence: Incidence, expected: Correlations): void {
  const { same, halves } = crossMethod(incidence);
  (["dice", "phi", "log_lift"] as const).forEach((name, at) => {
    assertClose(same[at], expected[name].same_images, { absolute: 1e-9 }, `${name}, same`);
    assertClose(halves[at], expected[name].split_half, { absolute: 1e-9 }, `${name}, halves`);
  });
}

/** The first rows of a matrix. */
export function assertRows(
  values: ArrayLike<number>,
  rows: readonly (readonly (number | string)[])[],
  tolerance: { relative?: number; absolute?: number },
  what: string,
): void {
  rows.flat().forEach((value, cell) => {
    const wanted = Number(value), name = `${what}, cell ${cell}`;
    if (Number.isFinite(wanted)) assertClose(values[cell], wanted, tolerance, name);
    else assert.equal(values[cell], wanted, name);
  });
}
