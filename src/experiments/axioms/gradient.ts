/**
 * Axiom: the gradient at the target layer is the slope of the score.
 *
 * @module
 */

import { createRng } from "../../base/rng.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import type { Scores } from "../../classifier/evaluate.ts";
import { readFloats } from "../../classifier/values.ts";
import { createContext, gradientUnsupported, scoreFunction } from "../../methods/mod.ts";
import type { Axiom, AxiomContext, Finding } from "./axiom.ts";

/** Step of the central differences, in root mean squares of the activation. */
const STEP = 1e-3;
const BOUND = 1e-2;
/** Distance of float32 numbers, relative. */
const EPSILON = 2 ** -23;

/** The finding of each context: all methods share the gradient. */
const found = new WeakMap<AxiomContext, Promise<Finding>>();

/**
 * Median, over samples, of the relative difference between the directional derivative ⟨∂y/∂A, v⟩ and the central
 * difference of the score along v, through the head; v is a random direction. The median, because a step may cross a kink
 * of a ReLU or a pooling. Samples are left out whose score moves too little for its rounding (a probability that is all but 1).
 *
 * At the input a step crosses kinks in every layer: float32 cannot tell there. That gradient is what completeness checks, of FullGrad
 * and Integrated Gradients.
 */
export const gradient: Axiom = {
  name: "gradient",
  source: "finite differences of the score at the target layer; median relative difference",
  bound: { atMost: BOUND },
  applies: ({ usesGradient }) => usesGradient === true,
  check(context) {
    let own = found.get(context);
    if (!own) found.set(context, own = differences(context));
    return own;
  },
};

async function differences(context: AxiomContext): Promise<Finding> {
  const { classifier, inputs, classes, keys, target, seed } = context;
  const unsupported = gradientUnsupported(classifier, target);
  if (unsupported) return { skipped: unsupported.reason };
  const forward = await classifier.forward(inputs);
  const pass = createContext(classifier, forward, target, { seed, keys });
  try {
    const padding = new Array<number>(classifier.batch - classes.length).fill(0);
    const slope = await readFloats((await pass.gradient([...classes, ...padding])).gradient);
    const at = await readFloats(forward.activation);
    const errors: number[] = [];
    for (const [row, k] of classes.entries()) {
      const rng = createRng(seed).split("gradient axiom").split(row);
      const score = scoreFunction(pass, row, k);
      const scoresAt = (moved: Tensor) => classifier.evaluateHead(moved, forward, row);
      const error = await errorOf({ at, slope, score, scoresAt }, row, () => rng.normal());
      if (error !== undefined) errors.push(error);
    }
    if (errors.length === 0) return { skipped: "the score hardly moves at any sample" };
    // NaN last: it counts as the largest.
    errors.sort((a, b) => Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b);
    return { value: errors[Math.floor(errors.length / 2)] };
  } finally {
    pass.dispose();
    forward.dispose();
  }
}

/** A point of each sample, [batch, …], the gradient there, and the scores of changed points of one sample. */
interface Slopes {
  readonly at: Tensor;
  readonly slope: Tensor;
  score(scores: Scores, at: number): number;
  scoresAt(moved: Tensor): Promise<Scores>;
}

/** The relative difference of one sample; `undefined` where the score moves too little. */
async function errorOf(
  { at, slope, score, scoresAt }: Slopes,
  row: number,
  draw: () => number,
): Promise<number | undefined> {
  const [batch, ...shape] = at.shape;
  const size = at.data.length / batch!;
  const own = at.data.subarray(row * size, (row + 1) * size);
  const rms = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0) / size) || 1;
  const moved = new Float32Array(2 * size);
  let expected = 0, length = 0;
  for (let i = 0; i < size; i++) {
    const step = STEP * rms * draw();
    moved[i] = own[i] + step;
    moved[size + i] = own[i] - step;
    // The step that was taken, after rounding to single precision.
    const change = slope.data[row * size + i] * (moved[i] - moved[size + i]);
    expected += change;
    length += Math.abs(change);
  }
  const scores = await scoresAt(floats([2, ...shape], moved));
  const there = score(scores, 0), back = score(scores, 1);
  // The size of the terms' sum in quadrature, as the direction may happen to be level.
  const moves = Math.max(Math.abs(expected), length / Math.sqrt(size));
  const rounding = EPSILON * (Math.abs(there) + Math.abs(back));
  if (moves * BOUND <= rounding && Math.abs(there - back) * BOUND <= rounding) return undefined;
  return Math.abs(there - back - expected) / moves;
}
