/**
 * Tables of counts with any number of rows and columns.
 *
 * @module
 */

import { chiSquareSurvival } from "./distributions.ts";

/** A statistic, its degrees of freedom and its p by χ². */
interface ChiSquare {
  readonly statistic: number;
  readonly freedom: number;
  readonly p: number;
}

/** What independence of rows and columns makes of a table; matrices are row by row, as the counts are. */
export interface Contingency {
  /** E = row × column / n. */
  readonly expected: Float64Array;
  /** (O − E) / √E. */
  readonly pearson: Float64Array;
  /** (O − E) / √(E (1 − row/n) (1 − column/n)), each near a standard normal; Haberman 1973. */
  readonly adjusted: Float64Array;
  /** Pearson's χ² = Σ (O − E)² / E. */
  readonly chiSquare: ChiSquare;
  /** The likelihood ratio G = 2 Σ O ln (O / E). */
  readonly g: ChiSquare;
  /** Cramér's V = √(χ² / n / (min(rows, columns) − 1)), 0..1. */
  readonly cramersV: number;
}

/**
 * A table against independence of its rows and columns. The p are those of χ², which is right only where expected counts are large (5 is the common
 * rule).
 *
 * Residuals of an empty row or column are NaN, and adjusted ones of a row or column that holds everything; a table with an empty row or column has no
 * χ², G or V (NaN): leave it out first.
 *
 * @param counts row by row, rows × columns
 * @param corrected Yates's correction of χ² of a 2×2 table: every |O − E| less ½, but not below 0. It is not used for other tables
 * @throws {RangeError} where there are not rows × columns counts
 */
export function contingency(
  counts: ArrayLike<number>,
  rows: number,
  columns: number,
  corrected = false,
): Contingency {
  if (counts.length !== rows * columns) {
    throw new RangeError(
      `Cannot read a table of ${rows} × ${columns}: ${counts.length} counts; give ${
        rows * columns
      }`,
    );
  }
  const row = new Float64Array(rows), column = new Float64Array(columns);
  let n = 0;
  for (let at = 0; at < counts.length; at++) {
    row[Math.floor(at / columns)] += counts[at];
    column[at % columns] += counts[at];
    n += counts[at];
  }
  const less = corrected && rows === 2 && columns === 2 ? .5 : 0;
  const [expected, pearson, adjusted] = [0, 0, 0].map(() => new Float64Array(counts.length));
  let chiSquare = 0, g = 0;
  for (let at = 0; at < counts.length; at++) {
    const r = row[Math.floor(at / columns)], c = column[at % columns], count = counts[at];
    const mean = expected[at] = r * c / n;
    pearson[at] = (count - mean) / Math.sqrt(mean);
    // A row or column that holds everything leaves nothing to differ; rounding could make it ±Infinity.
    const free = r < n && c < n;
    adjusted[at] = free ? pearson[at] / Math.sqrt((1 - r / n) * (1 - c / n)) : NaN;
    chiSquare += Math.max(0, Math.abs(count - mean) - less) ** 2 / mean;
    if (count > 0) g += 2 * count * Math.log(count / mean);
  }
  const freedom = (rows - 1) * (columns - 1);
  const test = (statistic: number): ChiSquare => {
    // An empty row makes χ² 0/0 by itself, but not G.
    const value = freedom === 0 || Number.isNaN(chiSquare) ? NaN : statistic;
    return { statistic: value, freedom, p: chiSquareSurvival(value, freedom) };
  };
  return {
    expected,
    pearson,
    adjusted,
    chiSquare: test(chiSquare),
    g: test(Math.max(0, g)),
    cramersV: Math.sqrt(test(chiSquare).statistic / n / (Math.min(rows, columns) - 1)),
  };
}
