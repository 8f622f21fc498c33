/**
 * Bits of 32-bit words.
 *
 * @module
 */

/** The number of ones in a word, counted in parallel. Source: Warren, "Hacker's Delight", section 5-1. */
export function ones(word: number): number {
  word -= (word >>> 1) & 0x55555555;
  word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
  return Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
