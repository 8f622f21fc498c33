import { centred } from "../../correlation.ts";

/** How alike two RDMs are. */
export interface Comparison {
  readonly name: string;
  /** Formula, and the tool that has it. */
  readonly source: string;
  /**
   * 1 for RDMs of one structure; NaN where it is not defined. Upper triangles by row, of one size.
   *
   * @param sigma variance of each thing that is compared, for the whitened measures; all 1 if not given
   */
  value(x: ArrayLike<number>, y: ArrayLike<number>, sigma?: ArrayLike<number>): number;
  /** What an RDM is scaled to before RDMs are averaged, so that their mean is the RDM most like all of them. */
  scaled(rdm: ArrayLike<number>): Float64Array;
}

/** How many things have so many pairs: n for n(n−1)/2. */
export function thingsOf(rdm: ArrayLike<number>): number {
  return Math.round((1 + Math.sqrt(1 + 8 * rdm.length)) / 2);
}

/** Σxy / √(Σx² Σy²); NaN where a vector is 0. */
export function cosineOf(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let xy = 0, xx = 0, yy = 0;
  for (let i = 0; i < x.length; i++) {
    xy += x[i] * y[i];
    xx += x[i] * x[i];
    yy += y[i] * y[i];
  }
  return xy / Math.sqrt(xx * yy);
}

/** Divided by the root of the mean square. */
export function byRms(values: ArrayLike<number>): Float64Array {
  const result = Float64Array.from(values);
  const rms = Math.sqrt(result.reduce((sum, value) => sum + value * value, 0) / result.length);
  return result.map((value) => value / rms);
}

/** Of mean 0 and variance 1. */
export function standardised(values: ArrayLike<number>): Float64Array {
  return byRms(centred(values));
}
