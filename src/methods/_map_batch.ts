/**
 * From a method's answer to the input of the map kernels.
 *
 * @module
 */

import type { Classifier, Forward } from "../classifier/classifier.ts";
import type { Compute, ComputeBuffer } from "../gpu/compute.ts";
import type { Frame, MapBatch } from "../kernels/box_scores.ts";
import { isGpuTensor, type SessionValue } from "../runtime/session.ts";
import { type Attribution, gridOf, type Method } from "./method.ts";

/** A method's answer for a batch as input of the map kernels. */
export function toMapBatch(
  compute: Compute,
  classifier: Classifier,
  method: Method,
  forward: Forward,
  attribution: Attribution,
): MapBatch {
  if ("map" in attribution) {
    return mapBatchOf(method, classifier, toBuffer(compute, attribution.map), classifier.batch);
  }
  return {
    maps: classifier.batch,
    ...shapeOf(method, classifier),
    from: {
      activation: toBuffer(compute, forward.activation),
      channels: classifier.layer.channels,
      weights: toBuffer(compute, attribution.weights),
    },
  };
}

/** Raw maps of a method as input of the map kernels. */
export function mapBatchOf(
  method: Method,
  classifier: Classifier,
  ready: Float32Array | ComputeBuffer,
  maps: number,
): MapBatch {
  return { maps, ...shapeOf(method, classifier), from: { ready } };
}

/** The classifier's input, and where a method's cells lie on it. */
export function frameOfMaps(method: Method, classifier: Classifier): Frame {
  const [, height, width] = classifier.inputShape;
  return { width, height, placement: gridOf(method, classifier).placement };
}

function shapeOf(method: Method, classifier: Classifier) {
  const { height, width } = gridOf(method, classifier);
  const { rectify, normalised } = method;
  return { height, width, rectify, ...(normalised ? { normalised } : {}) };
}

/** A session's value as the kernels take it: its own buffer on the GPU, its array on the CPU. */
function toBuffer(compute: Compute, value: SessionValue): Float32Array | ComputeBuffer {
  if (isGpuTensor(value)) {
    return compute.adopt(value.buffer, value.shape.reduce((a, b) => a * b, 1));
  }
  if (value.type !== "float32") throw new TypeError(`Cannot make maps of ${value.type} values`);
  return value.data;
}
