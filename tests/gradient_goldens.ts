/**
 * What the tests of whole networks' gradients share: the gradient of one class's score for every image, through the same
 * calls as the product makes.
 */

import assert from "node:assert/strict";
import { readNpy } from "../src/base/npy.ts";
import { floats, rows, sizeOf, type Tensor, toNumbers } from "../src/base/tensor.ts";
import { gradientGraph } from "../src/onnx/backward.ts";
import type { Graph, Value } from "../src/onnx/graph.ts";
import { writeModel } from "../src/onnx/model_file.ts";
import { GRADIENT_RULES } from "../src/rules/gradient/mod.ts";
import { type Backend, toFloats } from "../src/runtime/session.ts";
import { openSession } from "../src/runtime/open.ts";
import { assertMore } from "./assert_that.ts";

/** A float32 `.npy` file. */
export async function readFloats(url: URL): Promise<Tensor> {
  const value = readNpy(await Deno.readFile(url));
  assert.equal(value.type, "float32", url.pathname);
  return value as Tensor;
}

/** Whole numbers of a `.npy` file. */
export async function readNumbers(url: URL): Promise<number[]> {
  return toNumbers(readNpy(await Deno.readFile(url)));
}

/** Where a gradient is taken. */
export interface Question {
  score: Value;
  target: Value;
  /** The value of the target, [N, …]. */
  at: Tensor;
  /** The classes whose scores are differentiated, [N, slots] row-major. */
  classes: readonly number[];
  slots: number;
  /** K. */
  scores: number;
}

/** The gradients, [N, slots, …]. */
export async function gradientsOf(graph: Graph, backend: Backend, q: Question): Promise<Tensor> {
  const { score, target } = q;
  const gradient = gradientGraph(graph, { score, target, table: GRADIENT_RULES });
  const session = await openSession(writeModel(gradient), backend, { threads: 1 });
  try {
    const [images, ...shape] = q.at.shape as [number, ...number[]];
    const size = sizeOf(shape);
    const all = new Float32Array(images * q.slots * size);
    for (let slot = 0; slot < q.slots; slot++) {
      const cotangent = floats([images, q.scores], new Float32Array(images * q.scores));
      for (let image = 0; image < images; image++) {
        cotangent.data[image * q.scores + q.classes[image * q.slots + slot]] = 1;
      }
      const found = await toFloats((await session.run({ [target]: q.at, cotangent })).gradient!);
      assert.deepEqual(found.shape, q.at.shape);
      for (let image = 0; image < images; image++) {
        all.set(rows(found, image, image + 1).data, (image * q.slots + slot) * size);
      }
    }
    return floats([images, q.slots, ...shape], all);
  } finally {
    await session.dispose();
  }
}

/** The largest difference, relative to the largest expected value. */
export function relativeDifference(actual: Tensor, expected: Tensor): number {
  assert.deepEqual(actual.shape, expected.shape);
  let difference = 0, largest = 0;
  for (let i = 0; i < expected.data.length; i++) {
    difference = Math.max(difference, Math.abs(actual.data[i] - expected.data[i]));
    largest = Math.max(largest, Math.abs(expected.data[i]));
  }
  assertMore(largest, 0);
  return difference / largest;
}
