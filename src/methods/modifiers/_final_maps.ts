/**
 * A method's final maps of a batch, on the CPU, for modifiers that average them.
 *
 * @module
 */

import { readFloats } from "../../classifier/values.ts";
import type { Compute } from "../../gpu/compute.ts";
import { createCompute } from "../../gpu/create_compute.ts";
import { finalMaps, type MapBatch } from "../../kernels/box_scores.ts";
import { frameOfMaps, toMapBatch } from "../_map_batch.ts";
import type { Method, MethodContext } from "../method.ts";

/** The final maps [batch, H, W] of a method, 0..1 at the size of the input; rows of padding hold anything. */
export async function finalMapsOf(
  method: Method,
  context: MethodContext,
  classes: readonly number[],
): Promise<Float32Array> {
  const compute = await createCompute("cpu");
  const batch = await mapsOnCpu(compute, method, context, classes);
  return await finalMaps(compute, batch, frameOfMaps(method, context.classifier));
}

/**
 * The maps after their first normalisation only: scaled to 0..1 on their own cells, then sampled at the pixels of the input, where
 * they need not reach 0 and 1.
 */
export async function sampledMapsOf(
  method: Method,
  context: MethodContext,
  classes: readonly number[],
): Promise<Float32Array> {
  const compute = await createCompute("cpu");
  const { from, ...batch } = await mapsOnCpu(compute, method, context, classes);
  const own = { width: batch.width, height: batch.height, placement: CELLS };
  const ready = await finalMaps(compute, { ...batch, from }, own);
  const frame = frameOfMaps(method, context.classifier);
  return await finalMaps(compute, { ...batch, normalised: true, from: { ready } }, frame);
}

/** Cells that are their own pixels. */
const CELLS = { x: { scale: 1, offset: -0.5 }, y: { scale: 1, offset: -0.5 } };

async function mapsOnCpu(
  compute: Compute,
  method: Method,
  context: MethodContext,
  classes: readonly number[],
): Promise<MapBatch> {
  const { classifier, forward } = context;
  const attribution = await method.compute(context, classes);
  if ("map" in attribution) {
    const map = await readFloats(attribution.map);
    return toMapBatch(compute, classifier, method, forward, { map });
  }
  const activation = await readFloats(forward.activation);
  const weights = await readFloats(attribution.weights);
  return toMapBatch(compute, classifier, method, { ...forward, activation }, { weights });
}
