/** The shipped classifier on the native backend with one thread, and a few inputs for it, for tests of methods. */

import { createRng } from "../../src/base/rng.ts";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { readFloats } from "../../src/classifier/values.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { createContext, type Method, type MethodContext } from "../../src/methods/mod.ts";
import type { Target } from "../../src/classifier/target.ts";

/** mini-Xception with a batch of 4. */
export async function miniXception(): Promise<Classifier> {
  return await openClassifier(await findClassifier("mini-xception"), {
    backend: "native",
    batch: 4,
  });
}

/** Seeded noise of the right shape, −1..1. */
export function noiseInputs({ inputShape }: Classifier, count: number, seed = 5): Tensor {
  const rng = createRng(seed);
  const size = inputShape[0] * inputShape[1] * inputShape[2];
  const data = Float32Array.from({ length: count * size }, () => 2 * rng.uniform() - 1);
  return floats([count, ...inputShape], data);
}

/** Runs `use` with a context over the inputs, and gives everything back. */
export async function withContext<T>(
  classifier: Classifier,
  inputs: Tensor,
  target: Target,
  use: (context: MethodContext) => Promise<T>,
  keys: readonly string[] = ["a", "b", "c", "d"],
): Promise<T> {
  const forward = await classifier.forward(inputs);
  const context = createContext(classifier, forward, target, { seed: 3, keys });
  try {
    return await use(context);
  } finally {
    context.dispose();
    forward.dispose();
  }
}

/** The map of a method that yields one, on the CPU. */
export async function mapOf(
  method: Method,
  context: MethodContext,
  classes: readonly number[],
): Promise<Tensor> {
  const attribution = await method.compute(context, classes);
  if (!("map" in attribution)) throw new TypeError(`${method.name} yields weights`);
  return await readFloats(attribution.map);
}
