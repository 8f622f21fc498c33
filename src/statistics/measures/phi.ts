import type { TableMeasure } from "./measure.ts";

/** Above this many samples a·d may pass 2^53: a·d ≤ (n/2)². */
const EXACT_BELOW = 2 ** 27;

/**
 * Phi of "object salient" and "class predicted" over samples: their Pearson correlation, −1 … 1, 0 where they are independent.
 * NaN when one of them always or never happens.
 *
 * The difference a·d − b·c is exact for any n up to 2^53 (it cancels where the two are nearly independent), so the result is within a few
 * units in the last place, and exactly ±1 where object and class determine each other.
 */
export const phi: TableMeasure = {
  name: "phi",
  source: "(ad − bc) / √((a+b)(c+d)(a+c)(b+d)), Pearson's r of two binary variables",
  units: "phi, −1..1",
  signed: true,
  value({ a, b, c, d, n }) {
    const difference = n < EXACT_BELOW
      ? a * d - b * c
      : Number(BigInt(a) * BigInt(d) - BigInt(b) * BigInt(c));
    const object = (a + b) * (c + d), predicted = (a + c) * (b + d);
    // One root of the product: the root of a square is exact, the product of two roots is not.
    return object === 0 || predicted === 0 ? NaN : difference / Math.sqrt(object * predicted);
  },
};
