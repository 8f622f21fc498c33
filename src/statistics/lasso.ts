/**
 * The lasso, solved to rounding error.
 *
 * @module
 */

import { pivotedCholesky, solveLower, solveUpper } from "./cholesky.ts";

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
  let before = "", tried = "";
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    const moved = descend(gram, alpha, beta, residual);
    const signs = beta.map(Math.sign).join();
    // Only signs that have settled are worth a factorisation.
    if (signs === before && signs !== tried || moved === 0) {
      const solved = solveActive(gram, q, alpha, beta);
      if (solved) return solved;
      tried = signs;
    }
    before = signs;
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
  const size = active.length;
  const matrix = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    const row = active[a]! * p;
    for (let b = 0; b < size; b++) matrix[a * size + b] = gram[row + active[b]!]!;
  }
  const factor = pivotedCholesky(matrix, size);
  if (factor.rank < size) return undefined;
  const right = Float64Array.from(factor.order, (a) => {
    const j = active[a]!;
    return q[j]! - alpha * Math.sign(beta[j]!);
  });
  const values = solveUpper(factor, solveLower(factor, right));
  for (let k = 0; k < size; k++) {
    const j = active[factor.order[k]!]!;
    if (Math.sign(values[k]!) !== Math.sign(beta[j]!)) return undefined;
    solved[j] = values[k]!;
  }
  const scale = q.reduce((most, value) => Math.max(most, Math.abs(value)), alpha);
  for (let i = 0; i < p; i++) {
    if (beta[i] !== 0 || !(gram[i * p + i]! > 0)) continue;
    let slope = q[i]!;
    for (let a = 0; a < size; a++) slope -= gram[i * p + active[a]!]! * solved[active[a]!]!;
    if (Math.abs(slope) > alpha + 1e-12 * scale) return undefined;
  }
  return solved;
}
