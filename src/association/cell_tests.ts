/**
 * Every cell of one method, tested: counts, p over units, and p adjusted for the number of cells.
 *
 * @module
 */

import { createRng } from "../base/rng.ts";
import { CORRECTIONS } from "../statistics/corrections/mod.ts";
import type { CountedCell } from "../statistics/measures/measure.ts";
import { UnitAssociationTest } from "../statistics/unit_association.ts";
import { type Incidence, salientIn } from "./incidence.ts";
import { CORRECTION_BY_NAME, type StatsSettings } from "./stats_settings.ts";
import type { Units } from "./units.ts";

/** Counts of cells: with both, with the object alone, with the class alone, with neither. */
export interface CellCounts {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly c: Float64Array;
  readonly d: Float64Array;
}

/** The cells of one method: objects × columns, row-major. */
export interface CellTests {
  /** Place of the method in the run. */
  readonly method: number;
  readonly incidence: Incidence;
  readonly units: Units;
  /** Samples. */
  readonly counts: CellCounts;
  /** Units: each sample has a weight of one over the samples of its unit, so that each unit counts once. */
  readonly weighted: CellCounts;
  /** Two-sided p over units, see `UnitAssociationTest`; NaN where it cannot be tested. */
  readonly p: Float64Array;
  /** The same, adjusted over all cells of the method that can be tested. */
  readonly q: Float64Array;
  /** +1 where object and class occur together more often than expected, −1 less often, 0 as often. */
  readonly sign: Int8Array;
  /** Cells that can be tested. */
  readonly testable: number;
  /** Cells that pass the test with its correction, in either direction. */
  readonly significant: number;
  /** Units whose number of samples no other unit has: they cannot be exchanged with any. */
  readonly alone: number;
}

/** Least number of permutations where p has to be drawn; more where many cells need a smaller p. */
const DRAWS = 9999;

/** The counts of all cells, each sample with its weight. */
function countCells(
  incidence: Incidence,
  weight: (sample: number) => number = () => 1,
): CellCounts {
  const { objects, columns, label, classes } = incidence;
  const size = objects.length * columns.length;
  const counts = {
    a: new Float64Array(size),
    b: new Float64Array(size),
    c: new Float64Array(size),
    d: new Float64Array(size),
  };
  const perClass = new Float64Array(classes.length), both = new Float64Array(classes.length);
  let total = 0;
  for (let s = 0; s < label.length; s++) {
    perClass[label[s]] += weight(s);
    total += weight(s);
  }
  for (let object = 0; object < objects.length; object++) {
    for (const [column, target] of columns.entries()) {
      // Where one map serves for all classes, so do its counts.
      if (column === 0 || incidence.salient.length > 1) {
        both.fill(0);
        for (const s of salientIn(incidence, object, target)) both[label[s]] += weight(s);
      }
      const at = object * columns.length + column;
      const row = both.reduce((sum, own) => sum + own, 0);
      counts.a[at] = both[target];
      counts.b[at] = row - both[target];
      counts.c[at] = perClass[target] - both[target];
      counts.d[at] = total - perClass[target] - row + both[target];
    }
  }
  return counts;
}

/** The 2×2 table of a cell over units. */
export function weightedTable(
  { weighted: { a, b, c, d }, units }: CellTests,
  cell: number,
): CountedCell {
  return { a: a[cell], b: b[cell], c: c[cell], d: d[cell], n: units.count };
}

/** Tests all cells of a method. */
export function testCells(
  method: number,
  incidence: Incidence,
  units: Units,
  { alpha, correction, seed }: Pick<StatsSettings, "alpha" | "correction" | "seed">,
): CellTests {
  const { objects, columns, classes, label } = incidence;
  const size = objects.length * columns.length;
  const p = new Float64Array(size).fill(NaN), sign = new Int8Array(size);
  const tests = new UnitAssociationTest(label, units.of, units.count);
  // The smallest of `size` p values has to reach alpha / size.
  const draws = Math.max(DRAWS, Math.ceil(2 * size / alpha));
  const stream = createRng(seed).split("cells");
  for (let object = 0; object < objects.length; object++) {
    let test = tests.object(salientIn(incidence, object, columns[0]));
    for (const [column, target] of columns.entries()) {
      if (column > 0 && incidence.salient.length > 1) {
        test = tests.object(salientIn(incidence, object, target));
      }
      const at = object * columns.length + column;
      const result = test(target, {
        draws,
        rng: () => stream.split(`${objects[object]}\n${classes[target]}`),
      });
      p[at] = result.p;
      sign[at] = Math.sign(result.excess);
    }
  }
  const q = CORRECTIONS[CORRECTION_BY_NAME[correction]].adjust(p);
  const count = (holds: (at: number) => boolean) =>
    p.reduce((sum, _, at) => sum + (holds(at) ? 1 : 0), 0);
  return {
    method,
    incidence,
    units,
    counts: countCells(incidence),
    weighted: countCells(incidence, (sample) => units.weight[sample]),
    p,
    q,
    sign,
    testable: count((at) => !Number.isNaN(p[at])),
    significant: count((at) => q[at] <= alpha),
    alone: tests.alone,
  };
}
