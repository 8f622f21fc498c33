import { pivotedCholesky, solveLower, solveUpper } from "../../../algebra/cholesky.ts";
import { thingsOf } from "./comparison.ts";

/**
 * x′V⁻¹y / √(x′V⁻¹x · y′V⁻¹y) with V = (C S C′)² by element, C all contrasts of two things and S = diag(s): the covariance of the distances
 * of an RDM, whose pairs share things (Diedrichsen et al. 2020, arXiv:2007.02789).
 *
 * V is (sᵢ + sⱼ)² on its diagonal, s² of the shared thing where two pairs share one, else 0; so V = D + B diag(s²) B′ with D = diag(2 sᵢ sⱼ)
 * and B the incidence of pair and thing. By Woodbury's identity only n equations are solved, not n(n−1)/2.
 */
export function whitenedCosine(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  sigma?: ArrayLike<number>,
): number {
  const n = thingsOf(x), s = sigma ?? new Float64Array(n).fill(1);
  const inner = new Float64Array(n * n), u = new Float64Array(n), v = new Float64Array(n);
  let xx = 0, xy = 0, yy = 0;
  for (let i = 0, at = 0; i < n; i++) {
    inner[i * n + i] += 1 / s[i] ** 2;
    for (let j = i + 1; j < n; j++, at++) {
      const weight = 1 / (2 * s[i] * s[j]);
      xx += weight * x[at] * x[at];
      xy += weight * x[at] * y[at];
      yy += weight * y[at] * y[at];
      u[i] += weight * x[at];
      u[j] += weight * x[at];
      v[i] += weight * y[at];
      v[j] += weight * y[at];
      inner[i * n + j] = inner[j * n + i] = weight;
      inner[i * n + i] += weight;
      inner[j * n + j] += weight;
    }
  }
  const factor = pivotedCholesky(inner, n);
  const solve = (b: Float64Array) => {
    const byPivot = solveUpper(
      factor,
      solveLower(factor, Float64Array.from(factor.order, (row) => b[row])),
    );
    const result = new Float64Array(n);
    byPivot.forEach((value, k) => result[factor.order[k]] = value);
    return result;
  };
  const dot = (a: Float64Array, b: Float64Array) =>
    a.reduce((sum, value, i) => sum + value * b[i], 0);
  const solvedU = solve(u), solvedV = solve(v);
  return (xy - dot(u, solvedV)) / Math.sqrt((xx - dot(u, solvedU)) * (yy - dot(v, solvedV)));
}
