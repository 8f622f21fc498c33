/**
 * Counting pairs of binary vectors.
 *
 * @module
 */

import { ones } from "../../base/bits.ts";

/** How two binary vectors u and v meet over n elements (images). */
export interface ContingencyTable {
  /** Both 1. */
  readonly a: number;
  /** u alone. */
  readonly b: number;
  /** v alone. */
  readonly c: number;
  /** Neither. */
  readonly d: number;
  /** a + b + c + d. */
  readonly n: number;
}

/** Binary vectors as bits, 32 elements a word. */
interface PackedVectors {
  /** Elements of each vector. */
  readonly n: number;
  readonly words: readonly Uint32Array[];
  /** Ones of each vector. */
  readonly ones: readonly number[];
}

/**
 * Packs binary vectors of one length.
 *
 * @throws {RangeError} when their lengths differ
 */
export function pack(vectors: readonly Uint8Array[]): PackedVectors {
  const n = vectors[0]?.length ?? 0;
  const words = vectors.map((vector) => {
    if (vector.length !== n) {
      throw new RangeError(`Cannot compare vectors of unequal length: ${n} and ${vector.length}`);
    }
    const packed = new Uint32Array(Math.ceil(n / 32));
    vector.forEach((value, i) => {
      if (value) packed[i >> 5] |= 1 << (i & 31);
    });
    return packed;
  });
  return { n, words, ones: words.map((packed) => both(packed, packed)) };
}

/** The counts of vectors i (u) and j (v). */
export function contingencyTable(
  { n, words, ones }: PackedVectors,
  i: number,
  j: number,
): ContingencyTable {
  const a = both(words[i], words[j]);
  const b = ones[i] - a, c = ones[j] - a;
  return { a, b, c, d: n - a - b - c, n };
}

/** Ones that two vectors share. */
function both(u: Uint32Array, v: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < u.length; i++) count += ones(u[i] & v[i]);
  return count;
}
