/**
 * Do two methods find the same associations? Rank correlation of their matrices, from halves of the images that have none in common, and
 * its null by permuting labels.
 *
 * On the same images two matrices correlate even where no object has to do with any class: they share the images, so the chance of a
 * frequent object to meet a frequent class, and the noise of the labels. Permuting rows or cells does not undo that; permuting the labels
 * of images, the same way for both methods, does. Halves have no noise in common; with a measure that is 0 at independence, such as phi,
 * nothing is left under the null, while Dice still grows with the frequencies of both.
 *
 * @module
 */

import { type Rng, shuffle } from "../base/rng.ts";
import { spearman } from "./correlation.ts";
import type { TableMeasure } from "./measures/measure.ts";

/** Which objects each image holds by one method: those of image i are `object[first[i]] … object[first[i + 1] − 1]`, each once. */
export interface SalientObjects {
  /** [n + 1]. */
  readonly first: ArrayLike<number>;
  readonly object: ArrayLike<number>;
}

/** Two methods on the same images. */
export interface TwoMethods {
  readonly methods: readonly [SalientObjects, SalientObjects];
  /** Class of each image, [n]. */
  readonly label: ArrayLike<number>;
  readonly objects: number;
  readonly classes: number;
}

/** A measure of a cell; those of `measures/` and `cell_measures/` are. */
export type CellMeasure = Pick<TableMeasure, "value">;

/** ln of how many times as often object and class meet as by chance, with ½ added to counts so that it is finite. */
export const smoothedLogLift: CellMeasure = {
  value: ({ a, b, c, n }) => Math.log((a + .5) * n / ((a + b + .5) * (a + c + .5))),
};

/** What a permutation test of agreement finds. */
export interface AgreementTest {
  /** Spearman's correlation over cells, −1..1; NaN where it is not defined. */
  readonly rho: number;
  /** Mean over permuted labels: the level it has if no object has to do with any class. */
  readonly nullMean: number;
  /** (hits + 1) / (permutations + 1): greater is P of a ρ as high; two-sided of one as far from the mean of all, the observed included. */
  readonly p: Readonly<Record<"greater" | "two-sided", number>>;
  readonly permutations: number;
}

/** Permuted coefficients this close to the one observed are ties. */
const TIE = 1e-12;

/** Halves by number: 0 for even ones, of which the first method's matrix is made; 1 for odd ones. */
export function halvesByNumber(number: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(number, (value) => value % 2);
}

/**
 * Spearman's correlation over cells of the two methods' association matrices; cells that are not finite in either are dropped.
 *
 * @param halves 0 for images of which the first matrix is made, 1 for those of the second; all images for both if not given
 */
export function agreement(
  data: TwoMethods,
  measure: CellMeasure,
  halves?: ArrayLike<number>,
): number {
  return agreementOf(data, data.label, measure, halves);
}

/** Agreement over random halves: each ρ and their mean. The halves of an index do not depend on those before. */
export function agreementOfHalves(
  data: TwoMethods,
  measure: CellMeasure,
  count: number,
  rng: Rng,
): { readonly mean: number; readonly rhos: Float64Array } {
  const alternating = Uint32Array.from({ length: data.label.length }, (_, i) => i % 2);
  const rhos = Float64Array.from(
    { length: count },
    (_, k) => agreement(data, measure, shuffled(alternating, rng.split(k))),
  );
  return { mean: rhos.reduce((sum, rho) => sum + rho, 0) / count, rhos };
}

/**
 * Tests agreement by permuting the labels of all images, the same way for both methods, and making both matrices anew.
 *
 * With Dice and without halves `rho` is the comparison usual in print, and `nullMean` what it would have been without any association.
 * All but `permutations` is NaN where ρ is not defined.
 */
export function agreementTest(
  data: TwoMethods,
  { measure, halves, permutations, rng }: {
    readonly measure: CellMeasure;
    readonly halves?: ArrayLike<number>;
    readonly permutations: number;
    readonly rng: Rng;
  },
): AgreementTest {
  const rho = agreement(data, measure, halves);
  const label = Uint32Array.from(data.label);
  const others = Float64Array.from(
    { length: Number.isNaN(rho) ? 0 : permutations },
    (_, k) => agreementOf(data, shuffled(label, rng.split(k)), measure, halves),
  );
  const sum = others.reduce((total, other) => total + other, 0);
  const centre = (sum + rho) / (others.length + 1);
  const p = (isHit: (other: number) => boolean) =>
    Number.isNaN(rho) ? NaN : (others.filter(isHit).length + 1) / (others.length + 1);
  return {
    rho,
    nullMean: sum / others.length,
    p: {
      // A permutation without a coefficient counts against the claim.
      greater: p((other) => !(other < rho - TIE)),
      "two-sided": p((other) => !(Math.abs(other - centre) < Math.abs(rho - centre) - TIE)),
    },
    permutations,
  };
}

function agreementOf(
  { methods, objects, classes }: TwoMethods,
  label: ArrayLike<number>,
  measure: CellMeasure,
  halves: ArrayLike<number> | undefined,
): number {
  const [x, y] = methods.map((salient, method) =>
    matrix(salient, label, objects, classes, measure, halves && { halves, half: method })
  );
  let kept = 0;
  for (let cell = 0; cell < x.length; cell++) {
    if (!Number.isFinite(x[cell]) || !Number.isFinite(y[cell])) continue;
    x[kept] = x[cell];
    y[kept++] = y[cell];
  }
  return spearman(x.subarray(0, kept), y.subarray(0, kept)).r;
}

/** The association matrix, [objects, classes], of all images or of one half. */
function matrix(
  { first, object }: SalientObjects,
  label: ArrayLike<number>,
  objects: number,
  classes: number,
  measure: CellMeasure,
  of: { readonly halves: ArrayLike<number>; readonly half: number } | undefined,
): Float64Array {
  const both = new Float64Array(objects * classes);
  const withObject = new Uint32Array(objects), ofClass = new Uint32Array(classes);
  let n = 0;
  for (let i = 0; i < label.length; i++) {
    if (of && of.halves[i] !== of.half) continue;
    n++;
    ofClass[label[i]]++;
    for (let at = first[i]; at < first[i + 1]; at++) {
      withObject[object[at]]++;
      both[object[at] * classes + label[i]]++;
    }
  }
  for (let j = 0, cell = 0; j < objects; j++) {
    for (let e = 0; e < classes; e++, cell++) {
      const a = both[cell], b = withObject[j] - a, c = ofClass[e] - a;
      both[cell] = measure.value({ a, b, c, d: n - a - b - c, n });
    }
  }
  return both;
}

/** A copy in random order. */
function shuffled(values: Uint32Array, rng: Rng): Uint32Array {
  const result = values.slice();
  shuffle(result, rng);
  return result;
}
