/** Integrated Gradients by gradients at points of the path, as other tools compute them: what the pieces are compared with. */

import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { inputGradientsAt } from "../../src/methods/_input_gradient.ts";
import type { MethodContext } from "../../src/methods/method.ts";

/** Points in 0..1 and their weights, which add up to 1. */
export interface Quadrature {
  readonly points: readonly number[];
  readonly weights: readonly number[];
}

/**
 * The attributions of all input values by gradients at points of the path, as other tools compute them, [batch, C, H, W]; 0 for
 * padding.
 */
export async function integrateGradients(
  context: MethodContext,
  classes: readonly number[],
  { points, weights }: Quadrature,
): Promise<Tensor> {
  const { input } = context;
  const size = sizeOf(input.shape.slice(1));
  const sums = new Float64Array(input.data.length);
  await inputGradientsAt(context, classes, points.length, (row, at, into) => {
    const alpha = points[at];
    for (let i = 0; i < size; i++) into[i] = alpha * input.data[row * size + i];
  }, (row, at, gradient) => {
    const weight = weights[at];
    for (let i = 0; i < size; i++) sums[row * size + i] += weight * gradient[i];
  });
  return floats(input.shape, input.data.map((value, i) => value * sums[i]));
}

/**
 * Gauss–Legendre quadrature with n points on 0..1: exact for polynomials up to degree 2n − 1. Points are the roots of the
 * Legendre polynomial P_n, found by Newton's method; weights are 1 / ((1 − t²) P_n′(t)²).
 */
export function gaussLegendre(n: number): Quadrature {
  const points: number[] = [], weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let t = -Math.cos(Math.PI * (i + 0.75) / (n + 0.5));
    let slope = 0;
    for (let step = 0; step < 100; step++) {
      let before = 1, value = t;
      for (let k = 2; k <= n; k++) {
        [before, value] = [value, ((2 * k - 1) * t * value - (k - 1) * before) / k];
      }
      slope = n * (t * value - before) / (t * t - 1);
      const change = value / slope;
      t -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    points.push((t + 1) / 2);
    weights.push(1 / ((1 - t * t) * slope * slope));
  }
  return { points, weights };
}

/** The trapezoid rule with n points on 0..1, ends included. */
export function trapezoid(n: number): Quadrature {
  const points = Array.from({ length: n }, (_, i) => i / (n - 1));
  return { points, weights: points.map((_, i) => (i === 0 || i === n - 1 ? 0.5 : 1) / (n - 1)) };
}
