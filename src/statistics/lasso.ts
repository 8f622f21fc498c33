/**
 * The lasso, solved to rounding error.
 *
 * @module
 */

import { CholeskyDecomposition, Matrix } from "ml-matrix";

/** Passes over all coefficients at most. */
const MOST_PASSES = 100_000;

/**
 * The minimum over β of ½ βᵀGβ − qᵀβ + α Σ|β_j|, in float64.
 *
 * With centred rows x_i and values y_i of weights w_i (Σw = n), G = Σ w x xᵀ / n and q = Σ w x y / n make it the lasso as
 * scikit-learn states it, 1/(2n) Σ w (y − xᵀβ)² + α Σ|β_j|. A coefficient with G_jj = 0 (a constant column) is 0.
 *
 * Coordinate descent (Friedman, Hastie & Tibshirani, "Regularization Paths for Generalized Linear Models via Coordinate
 * Descent", J. Stat. Softw. 2010, section 2) finds which coefficients are not 0 and their signs; on those the optimality
 * conditions are linear, and are solved exactly. The solution is taken when all conditions hold.
 *
 * @param gram G, [p, p], symmetric and positive semi-definite
 * @param q [p]
 * @param alpha α ≥ 0
 * @returns β, [p]
 */
export function lasso(gram: Float64Array, q: Float64Array, alpha: number): Float64Array {
  const p = q.length;
  const beta = new Float64Array(p);
  // q − Gβ
  const residual = q.slice();
  let tried = "";
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const moved = descend(gram, alpha, beta, residual);
    const signs = beta.map(Math.sign).join();
    if (signs !== tried || moved === 0) {
      const solved = solveActive(gram, q, alpha, beta);
      if (solved) return solved;
      tried = signs;
    }
    if (moved === 0) break;
  }
  return beta;
}

/** One pass over all coefficients; the largest change of a fitted value, or 0 where it is lost in rounding. */
function descend(
  gram: Float64Array,
  alpha: number,
  beta: Float64Array,
  residual: Float64Array,
): number {
  const p = beta.length;
  let moved = 0;
  let size = 0;
  for (let j = 0; j < p; j++) {
    const own = gram[j * p + j]!;
    if (!(own > 0)) continue;
    const before = beta[j]!;
    const pull = residual[j]! + own * before;
    const after = Math.abs(pull) <= alpha ? 0 : (pull - Math.sign(pull) * alpha) / own;
    size = Math.max(size, Math.abs(after));
    if (after === before) continue;
    const change = after - before;
    beta[j] = after;
    for (let i = 0, at = j * p; i < p; i++, at++) residual[i]! -= change * gram[at]!;
    moved = Math.max(moved, Math.abs(change));
  }
  return moved <= 1e-15 * size ? 0 : moved;
}

/** The solution with the signs that β has, if it fulfils all conditions. */
function solveActive(
  gram: Float64Array,
  q: Float64Array,
  alpha: number,
  beta: Float64Array,
): Float64Array | undefined {
  const p = q.length;
  const active: number[] = [];
  for (let j = 0; j < p; j++) if (beta[j] !== 0) active.push(j);
  const solved = new Float64Array(p);
  if (active.length > 0) {
    const matrix = new Matrix(active.map((i) => active.map((j) => gram[i * p + j]!)));
    const cholesky = new CholeskyDecomposition(matrix);
    if (!cholesky.isPositiveDefinite()) return undefined;
    const right = active.map((j) => q[j]! - alpha * Math.sign(beta[j]!));
    const values = cholesky.solve(Matrix.columnVector(right));
    for (let i = 0; i < active.length; i++) {
      const value = values.get(i, 0);
      if (Math.sign(value) !== Math.sign(beta[active[i]!]!)) return undefined;
      solved[active[i]!] = value;
    }
  }
  const scale = q.reduce((most, value) => Math.max(most, Math.abs(value)), alpha);
  for (let i = 0; i < p; i++) {
    let slope = q[i]!;
    for (const j of active) slope -= gram[i * p + j]! * solved[j]!;
    if (solved[i] === 0 && gram[i * p + i]! > 0 && Math.abs(slope) > alpha + 1e-12 * scale) {
      return undefined;
    }
  }
  return solved;
}
