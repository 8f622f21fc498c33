/**
 * A gradient against finite differences of the score, along several directions.
 *
 * @module
 */

import type { Rng } from "../../base/rng.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import type { Scores } from "../../classifier/evaluate.ts";
import { type Derivative, derivatives } from "./_derivative.ts";
import type { Differentiable } from "./_log_odds.ts";

/** Steps of the differences, in root mean squares of the activation. */
const STEPS = { longest: 0.25, count: 12 };
/** Directions for a sample: along the gradient, along random halves of it, and random ones. */
const HALVES = 2, RANDOM = 2;
/** Activations with other last bits, from which rounding is measured. */
const ROUNDINGS = 8;
/** Distance of float32 numbers, relative. */
const EPSILON = 2 ** -23;
/** Rounding in the layers of a deep net is more than what is measured: several times, seldom over four. */
const MARGIN = 4;
/** Scores that change more slowly have gradients below float32's smallest numbers. */
const SLOWEST = 1e-30;

/** One sample: an activation [C, h, w], the gradient of the score there, and the scores of other activations. */
export interface Point {
  readonly activation: Float32Array;
  readonly gradient: Float32Array;
  readonly shape: readonly number[];
  readonly score: Differentiable;
  /** Scores of activations [M, C, h, w]. */
  scoresAt(moved: Tensor): Promise<Scores>;
}

/** What the directions of one sample tell. */
export interface SlopeErrors {
  /** The relative difference in each direction whose slope is certain; NaN for a gradient that is not finite. */
  readonly errors: readonly number[];
  /** Directions that were tried. */
  readonly asked: number;
}

/**
 * Compares ⟨gradient, v⟩ with the slope of the score along v: the difference, relative to the larger of the two, or to what a random
 * direction of this length has, as v may happen to be level.
 *
 * @param certain how far off a slope may be to be compared, relative
 */
export async function slopeErrors(point: Point, certain: number, rng: Rng): Promise<SlopeErrors> {
  const { activation, gradient, shape, score, scoresAt } = point;
  const size = activation.length;
  const rms = Math.sqrt(normSquared(activation) / size) || 1;
  const steepness = Math.sqrt(normSquared(gradient));
  if (!Number.isFinite(steepness)) return { errors: [NaN], asked: 1 };
  const directions = directionsOf(gradient, rng).map((direction) => {
    const length = Math.sqrt(normSquared(direction));
    return direction.map((value) => (value / length) * rms * Math.sqrt(size));
  });
  const asked = directions.length;
  if (score.rate < SLOWEST) return { errors: [], asked };
  const centre = await centreOf(point, rng);
  const expected: number[] = [];
  const pairsAt = async (step: number) => {
    const moved = new Float32Array(2 * asked * size);
    directions.forEach((direction, d) => {
      const [there, back] = [2 * d * size, (2 * d + 1) * size];
      let sum = 0;
      for (let i = 0; i < size; i++) {
        moved[there + i] = activation[i] + step * direction[i];
        moved[back + i] = activation[i] - step * direction[i];
        // The step that was taken, after rounding to single precision.
        sum += gradient[i] * (moved[there + i] - moved[back + i]);
      }
      expected[d] = sum / (2 * step * score.rate);
    });
    const scores = await scoresAt(floats([2 * asked, ...shape], moved));
    const value = (at: number) => score.value(scores, at);
    return directions.map((_, d) => [value(2 * d), value(2 * d + 1)] as const);
  };
  const random = (steepness * rms) / score.rate;
  const sizeOf = (slope: number, d: number) =>
    Math.max(Math.abs(slope), Math.abs(expected[d]), random);
  // What the rate is off by is off in every direction.
  const common = Math.abs(score.bend) * centre.rounding;
  const isCertain = ({ value, uncertainty }: Derivative, d: number) =>
    sizeOf(value, d) > 0 && uncertainty <= (certain - common) * sizeOf(value, d);
  const slopes = await derivatives(pairsAt, { ...centre, slope: random }, STEPS, isCertain);
  const errors = slopes.flatMap((slope, d) =>
    isCertain(slope, d) ? [Math.abs(slope.value - expected[d]) / sizeOf(slope.value, d)] : []
  );
  return { errors, asked };
}

/**
 * The score at the activation, and how far off it may be by rounding: measured as its change when every number of the activation, and of
 * the scores, changes in its last bit (root mean square), times a margin.
 */
async function centreOf(
  { activation, shape, score, scoresAt }: Point,
  rng: Rng,
): Promise<{ value: number; rounding: number }> {
  const size = activation.length;
  const rounded = (value: number) => value * (rng.uniform() < 0.5 ? 1 + EPSILON : 1 - EPSILON);
  const rows = new Float32Array((1 + ROUNDINGS) * size);
  rows.set(activation);
  for (let i = size; i < rows.length; i++) rows[i] = rounded(activation[i % size]);
  const scores = await scoresAt(floats([1 + ROUNDINGS, ...shape], rows));
  const lastBits = ({ shape, data }: Tensor) => floats(shape, data.map(rounded));
  const others: Scores = {
    probabilities: lastBits(scores.probabilities),
    ...(scores.logits ? { logits: lastBits(scores.logits) } : {}),
  };
  const value = score.value(scores, 0);
  let sum = 0;
  for (let row = 1; row <= ROUNDINGS; row++) sum += (score.value(others, row) - value) ** 2;
  return { value, rounding: MARGIN * Math.sqrt(sum / ROUNDINGS) };
}

/** The gradient, random halves of it, and random directions; the latter only where there is no gradient. */
function directionsOf(gradient: Float32Array, rng: Rng): Float32Array[] {
  const random = Array.from({ length: RANDOM }, () => gradient.map(() => rng.normal()));
  if (normSquared(gradient) === 0) return random;
  const halves = Array.from(
    { length: HALVES },
    () => gradient.map((value) => rng.uniform() < 0.5 ? value : 0),
  ).filter((half) => normSquared(half) > 0);
  return [gradient, ...halves, ...random];
}

function normSquared(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
