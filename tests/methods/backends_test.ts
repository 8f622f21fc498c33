/** Every method on every backend: raw maps of a small network with each kind of head, within 1e-4 of a map's range. */

import assert from "node:assert/strict";
import { sha256 } from "../../src/base/json.ts";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { difference, mapsOf, sampleOf } from "../../src/attribution/maps.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { METHODS } from "../../src/methods/mod.ts";
import { int, ints } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import type { Backend } from "../../src/runtime/session.ts";
import { netOn, output, put } from "../onnx/native.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { sourceOf } from "../../src/classifier/source.ts";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";

const SIDE = 20, COLOURS = 3, CHANNELS = 6, CLASSES = 4, SAMPLES = 2;
/** Of the range of a map. */
const TOLERANCE = 1e-4;

/** Convolution, ReLU, pooling, convolution, ReLU (the target layer), then pooling + linear or two fully connected layers. */
function net(head: "pooled" | "connected"): Uint8Array {
  const rng = createRng(5).split(head);
  const b = netOn(["N", COLOURS, SIDE, SIDE]);
  const weight = (
    shape: number[],
    size = Math.sqrt(2 / shape.slice(1).reduce((p, q) => p * q, 1)),
  ) =>
    b.initializer(
      floats(
        shape,
        Float32Array.from({ length: shape.reduce((p, q) => p * q) }, () => size * rng.normal()),
      ),
    );
  const conv = (x: string, outputs: number, inputs: number) =>
    b.op("Conv", [x, weight([outputs, inputs, 3, 3]), weight([outputs], 0.1)], {
      kernel_shape: ints([3, 3]),
      pads: ints([1, 1, 1, 1]),
    });
  const pool = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  const first = b.op("MaxPool", [b.op("Relu", [conv("x", 5, COLOURS)])], pool);
  put(b, "Relu", [conv(first, CHANNELS, 5)], {}, "maps");
  const linear = (x: string, outputs: number, inputs: number) =>
    b.op("Gemm", [x, weight([outputs, inputs]), weight([outputs], 0.1)], { transB: int(1) });
  const flatten = (x: string) => b.op("Flatten", [x], { axis: int(1) });
  const logits = head === "pooled"
    ? linear(flatten(b.op("GlobalAveragePool", ["maps"])), CLASSES, CHANNELS)
    : linear(
      b.op("Relu", [linear(flatten(b.op("MaxPool", ["maps"], pool)), 9, CHANNELS * 25)]),
      CLASSES,
      9,
    );
  put(b, "Softmax", [logits], { axis: int(1) }, "probabilities");
  return writeModel(output(b, "probabilities"));
}

async function mapsOn(backend: Backend, bytes: Uint8Array): Promise<Map<string, Float32Array>> {
  const card = {
    name: "small",
    task: "classifier" as const,
    file: "small.onnx",
    sha256: sha256(bytes),
    source: "made for tests",
    licence: "as the project",
    input: {
      name: "x",
      width: SIDE,
      height: SIDE,
      channels: "rgb" as const,
      fit: "stretch" as const,
      resize: "pillow-bicubic" as const,
      scale: 1,
      mean: [0],
      std: [1],
    },
    output: {},
    classes: ["a", "b", "c", "d"],
    placement: "half-pixel" as const,
  };
  // A large batch: methods that perturb run few batches then.
  const classifier = await openClassifier(sourceOf(networkOf(card, bytes)), {
    backend,
    batch: 64,
    layer: "maps",
  });
  try {
    const compute = await createCompute(backend === "webgpu" ? "gpu" : "cpu");
    const rng = createRng(9);
    const length = SAMPLES * COLOURS * SIDE * SIDE;
    const inputs = floats(
      [SAMPLES, COLOURS, SIDE, SIDE],
      Float32Array.from({ length }, () => rng.uniform()),
    );
    const maps = new Map<string, Float32Array>();
    for (const method of METHODS) {
      if (method.unsupported(classifier, "logit") !== undefined) continue;
      const { raw } = await mapsOf({ classifier, compute }, method, {
        inputs,
        keys: ["first", "second"],
        classes: [1, 2],
        target: "logit",
        seed: 3,
      });
      maps.set(method.name, raw);
    }
    return maps;
  } finally {
    await classifier.dispose();
  }
}

const gpu = await openGpu() !== undefined;

for (const head of ["pooled", "connected"] as const) {
  for (const backend of ["wasm", "webgpu"] as const) {
    const ignore = backend === "webgpu" && !gpu;
    Deno.test({
      name: `all methods give the same maps on ${backend} as on native, ${head} head${
        ignore ? " (skipped: no WebGPU adapter)" : ""
      }`,
      ignore,
      // The device stays open for the tests that follow.
      sanitizeResources: false,
      sanitizeOps: false,
      async fn() {
        const bytes = net(head);
        const expected = await mapsOn("native", bytes);
        const found = await mapsOn(backend, bytes);
        assert.deepEqual([...found.keys()], [...expected.keys()]);
        // All but CAM, which needs a pooling + linear head.
        assertAtLeast(expected.size, METHODS.length - (head === "pooled" ? 0 : 1));
        for (const [name, raw] of expected) {
          assert.ok(raw.every(Number.isFinite), `${name}: not finite`);
          for (let i = 0; i < SAMPLES; i++) {
            const value = difference(
              sampleOf(raw, SAMPLES, i),
              sampleOf(found.get(name)!, SAMPLES, i),
            );
            assertAtMost(value, TOLERANCE, `${name}, sample ${i}`);
          }
        }
      },
    });
  }
}
