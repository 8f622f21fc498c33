import type { Distance } from "./distances/mod.ts";

/**
 * Representational dissimilarity matrix (RDM) of the rows of an association matrix: the upper triangle by row, n(n−1)/2 values for n rows.
 * Rows are objects; for an RDM of classes give the columns.
 *
 * Source: Kriegeskorte, Mur & Bandettini 2008, Frontiers in Systems Neuroscience 2, 4.
 *
 * @throws {RangeError} when rows differ in length
 */
export function dissimilarities(
  rows: readonly ArrayLike<number>[],
  distance: Distance,
): Float64Array {
  const n = rows.length, odd = rows.find(({ length }) => length !== rows[0].length);
  if (odd) {
    throw new RangeError(
      `Cannot compare rows of unequal length: ${rows[0].length} and ${odd.length} values`,
    );
  }
  const result = new Float64Array(n * (n - 1) / 2);
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) result[at++] = distance.between(rows[i], rows[j]);
  }
  return result;
}
