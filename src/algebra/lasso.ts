/**
 * The lasso, solved to rounding error.
 *
 * @module
 */

import { ActiveFactor } from "./active_factor.ts";

/** Passes over all coefficients at most. */
const MOST_PASSES = 100_000;
/** Passes before a search: they find most of the coefficients that take part. */
const PASSES_PER_SEARCH = 32;

/**
 * The minimum over β of ½ βᵀGβ − qᵀβ + α Σ|β_j|, in float64.
 *
 * With centred rows x_i and values y_i of weights w_i (Σw = n), G = Σ w x xᵀ / n and q = Σ w x y / n make it the lasso as
 * scikit-learn states it, 1/(2n) Σ w (y − xᵀβ)² + α Σ|β_j|. A coefficient with G_jj = 0 (a constant column) is 0.
 *
 * Passes of coordinate descent (Friedman, Hastie & Tibshirani, "Regularization Paths for Generalized Linear Models via
 * Coordinate Descent", J. Stat. Softw. 2010, section 2) find which coefficients are not 0. From there feature-sign search (Lee, Battle,
 * Raina & Ng, "Efficient sparse coding algorithms", NIPS 2006) goes on: on the coefficients that are not 0, with the signs they have,
 * the optimality conditions are linear; the minimum on the way to their solution is taken; a coefficient that becomes 0 there leaves,
 * and at a solution those whose conditions fail most come in. The factor of the matrix follows each change. Descent alone takes
 * hundreds of passes when there are as many columns as rows.
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
    if (pass % PASSES_PER_SEARCH !== 0 && moved > 0) continue;
    if (search(gram, q, alpha, beta, residual) || moved === 0) break;
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
    const own = gram[j * p + j];
    if (!(own > 0)) continue;
    const before = beta[j];
    const pull = residual[j] + own * before;
    const after = Math.abs(pull) <= alpha ? 0 : (pull - Math.sign(pull) * alpha) / own;
    size = Math.max(size, Math.abs(after));
    if (after === before) continue;
    const change = after - before;
    beta[j] = after;
    for (let i = 0, at = j * p; i < p; i++, at++) residual[i] -= change * gram[at];
    moved = Math.max(moved, Math.abs(change));
  }
  return moved <= 1e-15 * size ? 0 : moved;
}

/**
 * Feature-sign search from β, which it moves; keeps `residual` q − Gβ.
 *
 * @returns whether all conditions hold now; false where columns in use depend on each other
 */
function search(
  gram: Float64Array,
  q: Float64Array,
  alpha: number,
  beta: Float64Array,
  residual: Float64Array,
): boolean {
  const p = q.length;
  const factor = new ActiveFactor(gram, p);
  const { members } = factor;
  for (let j = 0; j < p; j++) if (beta[j] !== 0 && !factor.append(j)) return false;
  const signs = beta.map(Math.sign);
  const scale = q.reduce((most, value) => Math.max(most, Math.abs(value)), alpha);
  const refresh = () => {
    residual.set(q);
    for (const j of members) {
      const value = beta[j];
      for (let i = 0, at = j * p; i < p; i++, at++) residual[i] -= value * gram[at];
    }
  };
  const step = () =>
    factor.solve(Float64Array.from(members, (j) => residual[j] - alpha * signs[j]));
  for (let turn = 0; turn < 4 * p; turn++) {
    const way = step();
    const { share, zero } = lineMinimum(members, way, beta, signs, residual, alpha);
    if (share === 0 && zero === undefined) return false;
    members.forEach((j, a) => beta[j] += share * way[a]);
    if (zero !== undefined) {
      beta[members[zero]] = 0;
      factor.remove(zero);
    }
    for (const j of members) signs[j] = Math.sign(beta[j]) || signs[j];
    refresh();
    if (share < 1) continue;
    const next = violators(gram, beta, residual, alpha, 1e-12 * scale);
    if (next.length === 0) {
      // Once more from where it is: what the factor has lost by rotations.
      const rest = step();
      members.forEach((j, a) => beta[j] += rest[a]);
      return true;
    }
    for (const j of next) {
      signs[j] = Math.sign(residual[j]);
      if (!factor.append(j)) return false;
    }
  }
  return false;
}

/**
 * The coefficients that are 0 and whose conditions fail at least half as much as the worst one's. Several at a time save turns; one that
 * would get the wrong sign leaves at the next.
 */
function violators(
  gram: Float64Array,
  beta: Float64Array,
  residual: Float64Array,
  alpha: number,
  rounding: number,
): number[] {
  const p = beta.length;
  const excess = Float64Array.from(
    residual,
    (slope, i) => beta[i] !== 0 || !(gram[i * p + i] > 0) ? 0 : Math.abs(slope) - alpha,
  );
  const bound = Math.max(rounding, excess.reduce((most, value) => Math.max(most, value)) / 2);
  const found: number[] = [];
  for (let i = 0; i < p; i++) if (excess[i] > bound) found.push(i);
  return found;
}

/**
 * The minimum of the objective on the line along `ways`, which lead to the least value for the signs given. With d the whole way and
 * D = dᵀGd, its slope at the share t is −(1 − t) D + 2α Σ |d_a| over the coefficients a whose sign has changed by then.
 *
 * @returns the share of the way; `zero`: the place in `active` of the coefficient that is 0 there, if one is
 */
function lineMinimum(
  active: readonly number[],
  ways: Float64Array,
  beta: Float64Array,
  signs: Float64Array,
  residual: Float64Array,
  alpha: number,
): { share: number; zero?: number } {
  let curvature = 0;
  const crossings: { at: number; place: number; speed: number }[] = [];
  active.forEach((j, place) => {
    const from = beta[j], way = ways[place];
    curvature += way * (residual[j] - alpha * signs[j]);
    if ((from + way) * signs[j] < 0) {
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
