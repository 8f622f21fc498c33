/**
 * What contributions add up to.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import { type ContributionSum, type MethodContext, scoreFunction } from "./method.ts";

/** Contributions [batch, …] of the target layer against the score's change from an empty layer, y(A) − y(0), for each sample. */
export async function overEmptyLayer(
  context: MethodContext,
  classes: readonly number[],
  contributions: Tensor,
): Promise<ContributionSum[]> {
  const { classifier, forward } = context;
  const { channels, height, width } = classifier.layer;
  const nothing = zeros([channels, height, width]);
  const sums: ContributionSum[] = [];
  for (let row = 0; row < forward.count; row++) {
    const base = await classifier.evaluateHead(nothing, forward, row);
    const score = scoreFunction(context, row, classes[row]);
    const sum = sumOfRow(contributions, row);
    sums.push({ sum, to: score(forward, row), from: score(base, 0) });
  }
  return sums;
}

/** One sample of zeros, [1, …shape]. */
export function zeros(shape: readonly number[]): Tensor {
  return floats([1, ...shape], new Float32Array(sizeOf(shape)));
}

/** The sum of one row of a tensor [batch, …]. */
export function sumOfRow({ data, shape }: Tensor, row: number): number {
  const size = sizeOf(shape.slice(1));
  let sum = 0;
  for (let i = row * size; i < (row + 1) * size; i++) sum += data[i];
  return sum;
}
