/**
 * How much weight two columns of zeros and ones have in common.
 *
 * @module
 */

/** Rows whose sums of weights are looked up together: 2⁸ sums each. */
const ROWS = 8;

/**
 * G_ab = Σ_i w_i m_ia m_ib, in float64.
 *
 * Eight rows at a time: all sums of subsets of their weights are formed once, and each pair of columns looks up the one of the rows that
 * it has in common (the "method of the four Russians": Arlazarov, Dinic, Kronrod & Faradžev 1970), an eighth of the additions.
 *
 * @param masks [M, C] of 0 and 1
 * @param weights w, [M]
 * @returns G, [C, C], symmetric; zeros without rows. NaN among the weights can reach any element.
 */
export function coOccurrence(
  masks: Uint8Array,
  columns: number,
  weights: Float64Array,
): Float64Array {
  const groups = Math.ceil(weights.length / ROWS);
  const patterns = new Uint8Array(columns * groups);
  for (let i = 0, at = 0; i < weights.length; i++) {
    const group = Math.floor(i / ROWS), bit = 1 << (i % ROWS);
    for (let c = 0; c < columns; c++, at++) if (masks[at]) patterns[c * groups + group] |= bit;
  }
  const sums = subsetSums(weights, groups);
  const result = new Float64Array(columns * columns);
  for (let a = 0; a < columns; a++) {
    for (let b = 0; b <= a; b++) {
      // Two sums at a time, since an addition waits for the one before.
      let even = 0, odd = 0;
      let p = a * groups, q = b * groups, from = 0;
      for (let g = 1; g < groups; g += 2, p += 2, q += 2, from += 512) {
        even += sums[from + (patterns[p] & patterns[q])];
        odd += sums[from + 256 + (patterns[p + 1] & patterns[q + 1])];
      }
      if (groups % 2 === 1) even += sums[from + (patterns[p] & patterns[q])];
      result[a * columns + b] = result[b * columns + a] = even + odd;
    }
  }
  return result;
}

/** For each eight weights the sums of all their subsets, by the subset as bits, [groups, 256]. */
function subsetSums(weights: Float64Array, groups: number): Float64Array {
  const sums = new Float64Array(groups * 256);
  for (let g = 0; g < groups; g++) {
    for (let subset = 1; subset < 256; subset++) {
      const others = subset & (subset - 1);
      const row = ROWS * g + 31 - Math.clz32(subset ^ others);
      sums[256 * g + subset] = sums[256 * g + others] + (weights[row] ?? 0);
    }
  }
  return sums;
}
