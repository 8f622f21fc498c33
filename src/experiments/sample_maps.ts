/**
 * Maps of the samples that axioms are checked on, and figures of them.
 *
 * @module
 */

import type { AxiomContext, Finding } from "./axioms/axiom.ts";
import { type Maps, mapsOf } from "../attribution/maps.ts";
import { frameOfMaps, mapBatchOf, type Method } from "../methods/mod.ts";
import { placementBy, type PlacementRule } from "../classifier/geometry.ts";
import { finalMaps } from "../kernels/box_scores.ts";

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
 * whether a map fails by itself or by where it was drawn. Skipped where the layer's rows and columns may not be the picture's.
 *
 * @param figure from all maps, and how to place them
 */
export async function byPlacement(
  { classifier, compute }: AxiomContext,
  method: Method,
  figure: (finalOf: (maps: Maps) => Promise<Float32Array>) => Promise<number | undefined>,
): Promise<Finding> {
  const { name, field, rows } = classifier.layer;
  if (isOfLayer(method) && !field && rows !== "of the picture") {
    return {
      skipped:
        `it is not known whether the rows and columns of layer ${name} are those of the picture`,
    };
  }
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

/** Whether a method's maps are made from the target layer, whatever cells they have in the end. */
function isOfLayer({ base, grid, usesGradient }: Method): boolean {
  return base ? isOfLayer(base) : grid !== "input" || usesGradient === true;
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
