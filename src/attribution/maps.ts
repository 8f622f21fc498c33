/**
 * Maps of a batch, and how they are compared.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { Compute } from "../gpu/compute.ts";
import { finalMaps, type MapBatch, rawMaps } from "../kernels/box_scores.ts";
import { createContext, frameOfMaps, type Method, toMapBatch } from "../methods/mod.ts";
import type { Target } from "../classifier/target.ts";
import type { MethodContext } from "../methods/method.ts";

/** Maps of the samples of a batch, one after the other. */
export interface Maps {
  /** Raw maps [n, h, w] on the method's grid. */
  readonly raw: Float32Array;
  /** Final maps [n, H, W] at the classifier's input. */
  readonly final: Float32Array;
  readonly samples: number;
}

/** Asks a method for one class a sample; the rows of padding explain class 0. */
export async function mapBatchOfClasses(
  { classifier, compute }: { classifier: Classifier; compute: Compute },
  context: MethodContext,
  method: Method,
  classes: readonly number[],
): Promise<MapBatch> {
  const padding = new Array<number>(classifier.batch - classes.length).fill(0);
  const attribution = await method.compute(context, [...classes, ...padding]);
  return toMapBatch(compute, classifier, method, context.forward, attribution);
}

/** Computes a method's maps of a batch of inputs. */
export async function mapsOf(
  { classifier, compute }: { classifier: Classifier; compute: Compute },
  method: Method,
  { inputs, keys, classes, target, seed }: {
    readonly inputs: Tensor;
    readonly keys: readonly string[];
    readonly classes: readonly number[];
    readonly target: Target;
    readonly seed: number;
  },
): Promise<Maps> {
  const forward = await classifier.forward(inputs);
  const context = createContext(classifier, forward, target, { seed, keys });
  try {
    const batch = await mapBatchOfClasses({ classifier, compute }, context, method, classes);
    const [, height, width] = classifier.inputShape;
    const raw = await rawMaps(compute, { ...batch, rectify: false });
    const final = await finalMaps(compute, batch, frameOfMaps(method, classifier));
    const samples = classes.length;
    return {
      raw: raw.subarray(0, samples * batch.height * batch.width),
      final: final.subarray(0, samples * height * width),
      samples,
    };
  } finally {
    context.dispose();
    forward.dispose();
  }
}

/** One sample's part of maps that lie one after the other. */
export function sampleOf(values: Float32Array, samples: number, index: number): Float32Array {
  const size = values.length / samples;
  return values.subarray(index * size, (index + 1) * size);
}

/** Largest difference of two maps as a part of the first one's range; 0 for equal ones, also constant. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0, least = Infinity, greatest = -Infinity;
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    least = Math.min(least, a[i]);
    greatest = Math.max(greatest, a[i]);
  }
  return largest === 0 ? 0 : largest / (greatest - least);
}
