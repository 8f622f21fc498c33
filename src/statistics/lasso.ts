/**
 * The lasso, solved to rounding error.
 *
 * @module
 */

import { pivotedCholesky, solveLower, solveUpper } from "./cholesky.ts";

/** Passes over all coefficients at most. */
const MOST_PASSES = 100_000;
/** Passes between two steps: they find which coefficients take part, at a fraction of a factorisation's cost. */
const PASSES_PER_STEP = 16;

/**
 * The minimum over β of ½ βᵀGβ − qᵀβ + α Σ|β_j|, in float64.
 *
 * With centred rows x_i and values y_i of weights w_i (Σw = n), G = Σ w x xᵀ / n and q = Σ w x y / n make it the lasso as
 * scikit-learn states it, 1/(2n) Σ w (y − xᵀβ)² + α Σ|β_j|. A coefficient with G_jj = 0 (a constant column) is 0.
 *
 * Passes of coordinate descent (Friedman, Hastie & Tibshirani, "Regularization Paths for Generalized Linear Models via
 * Coordinate Descent", J. Stat. Softw. 2010, section 2) find which coefficients are not 0. Between them, steps as in feature-sign
 * search (Lee, Battle, Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006): on the coefficients that are not 0, with
 * the signs they have, the optimality conditions are linear; the minimum on the way to their solution is taken. The solution is
 * returned when all conditions hold. Descent alone takes hundreds of passes where there are as many columns as rows.
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
  for (let pass = 1; pass <= MOST_PASSES; pass++) {
    const moved = descend(gram, alpha, beta, residual);
    if (pass % PASSES_PER_STEP !== 0 && moved > 0) continue;
    const { optimal, advanced } = step(gram, q, alpha, beta, residual);
    if (optimal || moved === 0 && !advanced) break;
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

/**
 * Moves β to the minimum on the line towards the solution of the optimality conditions for the signs that β has, and keeps
 * `residual` q − Gβ. Nothing moves where the columns in use depend on each other.
 */
function step(
  gram: Float64Array,
  q: Float64Array,
  alpha: number,
  beta: Float64Array,
  residual: Float64Array,
): { optimal: boolean; advanced: boolean } {
  const p = q.length;
  const active: number[] = [];
  for (let j = 0; j < p; j++) if (beta[j] !== 0) active.push(j);
  const size = active.length;
  const matrix = new Float64Array(size * size);
  for (let a = 0; a < size; a++) {
    const row = active[a]! * p;
    for (let b = 0; b < size; b++) matrix[a * size + b] = gram[row + active[b]!]!;
  }
  const factor = pivotedCholesky(matrix, size);
  if (factor.rank < size) return { optimal: false, advanced: false };
  const right = Float64Array.from(factor.order, (a) => {
    const j = active[a]!;
    return q[j]! - alpha * Math.sign(beta[j]!);
  });
  const values = solveUpper(factor, solveLower(factor, right));
  const goals = new Float64Array(size);
  factor.order.forEach((a, k) => goals[a] = values[k]!);

  const { share, zero } = lineMinimum(active, goals, beta, residual, alpha);
  if (share === 0) return { optimal: false, advanced: false };
  active.forEach((j, a) => {
    if (share === 1) beta[j] = goals[a]!;
    else beta[j] = a === zero ? 0 : beta[j]! + share * (goals[a]! - beta[j]!);
  });
  residual.set(q);
  for (const j of active) {
    const value = beta[j]!;
    for (let i = 0, at = j * p; i < p; i++, at++) residual[i]! -= value * gram[at]!;
  }
  const scale = q.reduce((most, value) => Math.max(most, Math.abs(value)), alpha);
  const optimal = share === 1 &&
    residual.every((slope, i) =>
      beta[i] !== 0 || !(gram[i * p + i]! > 0) || Math.abs(slope) <= alpha + 1e-12 * scale
    );
  return { optimal, advanced: true };
}

/**
 * The minimum of the objective on the line from β to goals, which minimise it for the signs of β. With d the whole way and
 * D = dᵀGd, its slope at the share t is −(1 − t) D + 2α Σ |d_a| over the coefficients a whose sign has changed by then.
 *
 * @returns the share of the way; `zero`: the place in `active` of the coefficient that is 0 there, if one is
 */
function lineMinimum(
  active: readonly number[],
  goals: Float64Array,
  beta: Float64Array,
  residual: Float64Array,
  alpha: number,
): { share: number; zero?: number } {
  let curvature = 0;
  const crossings: { at: number; place: number; speed: number }[] = [];
  active.forEach((j, place) => {
    const from = beta[j]!;
    const way = goals[place]! - from;
    curvature += way * (residual[j]! - alpha * Math.sign(from));
    if (Math.sign(goals[place]!) !== Math.sign(from)) {
      crossings.push({ at: -from / way, place, speed: Math.abs(way) });
    }
  });
  crossings.sort((a, b) => a.at - b.at);
  let pull = 0;
  for (const { at, place, speed } of crossings) {
    // Between the last crossing and this one the slope may have reached 0 already.
    if ((1 - at) * curvature <= pull) break;
    pull += 2 * alpha * speed;
    if ((1 - at) * curvature <= pull) return { share: at, zero: place };
  }
  if (crossings.length === 0) return { share: 1 };
  return { share: curvature > 0 ? Math.max(0, 1 - pull / curvature) : 0 };
}
