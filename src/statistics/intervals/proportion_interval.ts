/**
 * Intervals of a proportion.
 *
 * @module
 */

/** One interval. */
export interface ProportionInterval {
  /** Its name, kebab-case. */
  readonly name: string;
  readonly source: string;
  /**
   * Low and high end, 0..1. NaN without trials.
   *
   * @param count 0..n
   * @param confidence strictly between 0 and 1
   */
  interval(count: number, n: number, confidence?: number): readonly [low: number, high: number];
}
