/**
 * Maps of a batch for checks, and how they are compared.
 *
 * @module
 */

import type { Tensor } from "../../base/tensor.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { placementBy, type PlacementRule } from "../../classifier/layout.ts";
import type { Compute } from "../../gpu/compute.ts";
import { finalMaps, rawMaps } from "../../kernels/score.ts";
import {
  createContext,
  frameOfMaps,
  mapBatchOf,
  type Method,
  type Target,
  toMapBatch,
} from "../../methods/mod.ts";
import type { AxiomContext, Finding } from "./axiom.ts";

/** Maps of the samples of a batch, one after the other. */
export interface Maps {
  /** Raw maps [n, h, w] on the method's grid. */
  readonly raw: Float32Array;
  /** Final maps [n, H, W] at the classifier's input. */
  readonly final: Float32Array;
  readonly samples: number;
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
    const padding = new Array<number>(classifier.batch - classes.length).fill(0);
    const attribution = await method.compute(context, [...classes, ...padding]);
    const batch = toMapBatch(compute, classifier, method, forward, attribution);
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

/** Maps of each context's own inputs, by method: several axioms ask for them, and some methods take long. */
const plain = new WeakMap<AxiomContext, Map<Method, Promise<Maps>>>();

/** The maps of a context's inputs as they are, computed once. */
export function plainMaps(context: AxiomContext, method: Method): Promise<Maps> {
  let known = plain.get(context);
  if (!known) plain.set(context, known = new Map());
  let maps = known.get(method);
  if (!maps) known.set(method, maps = mapsOf(context, method, context));
  return maps;
}

/**
 * A figure of final maps under the classifier's placement of cells, and under the other rule's where that places them elsewhere:
 * whether a map fails by itself or by where it was drawn.
 *
 * @param figure from all maps, and how to place them
 */
export async function byPlacement(
  { classifier, compute }: AxiomContext,
  method: Method,
  figure: (finalOf: (maps: Maps) => Promise<Float32Array>) => Promise<number | undefined>,
): Promise<Finding> {
  const value = await figure(({ final }) => Promise.resolve(final));
  const finding = findingOf(value);
  const rule: PlacementRule = classifier.placementRule === "half-pixel"
    ? "receptive-field"
    : "half-pixel";
  const placement = placementBy(classifier, rule);
  const same = JSON.stringify(placement) === JSON.stringify(classifier.placement);
  if (!Number.isFinite(value) || !placement || same || method.grid === "input") return finding;
  const frame = { ...frameOfMaps(method, classifier), placement };
  const elsewhere = await figure(({ raw, samples }) =>
    finalMaps(compute, mapBatchOf(method, classifier, raw, samples), frame)
  );
  if (elsewhere === undefined) return finding;
  return { ...finding, note: `placed by ${rule}: ${elsewhere.toPrecision(3)}` };
}

/** One sample's part of maps that lie one after the other. */
export function sampleOf(values: Float32Array, samples: number, index: number): Float32Array {
  const size = values.length / samples;
  return values.subarray(index * size, (index + 1) * size);
}

/** Pearson correlation of two maps, −1..1; NaN where one of them is constant. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let meanA = 0, meanB = 0;
  for (let i = 0; i < a.length; i++) {
    meanA += a[i]! / a.length;
    meanB += b[i]! / a.length;
  }
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - meanA, y = b[i]! - meanB;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Largest difference of two maps as a part of the first one's range; 0 for equal ones, also constant. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0, least = Infinity, greatest = -Infinity;
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
    least = Math.min(least, a[i]!);
    greatest = Math.max(greatest, a[i]!);
  }
  return largest === 0 ? 0 : largest / (greatest - least);
}

/**
 * The mean of a figure of two maps over samples. Samples where it is not defined, because a map is constant, are left out; `undefined` if
 * there are no others, NaN where a map holds anything but numbers.
 */
export function meanOverSamples(
  pairs: readonly (readonly [Float32Array, Float32Array])[],
  figure: (a: Float32Array, b: Float32Array) => number,
): number | undefined {
  if (!pairs.every((maps) => maps.every((map) => map.every(Number.isFinite)))) return NaN;
  const values = pairs.map(([a, b]) => figure(a, b)).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A figure of maps as a finding. */
export function findingOf(value: number | undefined): Finding {
  return value === undefined ? { skipped: "all maps are constant" } : { value };
}
