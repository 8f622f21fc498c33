import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { floats, toNumbers } from "../../../src/base/tensor.ts";
import { emptyGraph, GraphBuilder } from "../../../src/onnx/graph.ts";
import { writeModel } from "../../../src/onnx/model_file.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { openSession } from "../../../src/runtime/open.ts";
import {
  type ManifestGroup,
  readTfjsWeights,
  restore,
  type TfjsWeight,
  transposed,
  valuesOf,
} from "../../../models/build/tfjs/weights.ts";
import { assertClose } from "../../assert_close.ts";

const quantised = (scale: number, min: number) => ({ dtype: "uint8", scale, min });

Deno.test("readTfjsWeights reads integers, floats and half floats laid end to end at any alignment", () => {
  const manifest: ManifestGroup[] = [{
    paths: ["a.bin", "b.bin"],
    weights: [
      { name: "q", shape: [3], dtype: "float32", quantization: quantised(0.5, -1) },
      { name: "f", shape: [2], dtype: "float32" },
      { name: "i", shape: [1], dtype: "int32" },
      { name: "h", shape: [1, 2], dtype: "float32", quantization: { dtype: "float16" } },
    ],
  }];
  const bytes = new Uint8Array(3 + 8 + 4 + 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 2, 255]);
  view.setFloat32(3, 1.25, true);
  view.setFloat32(7, -7, true);
  view.setInt32(11, -2, true);
  view.setUint16(15, 0x3c00, true);
  view.setUint16(17, 0xc000, true);
  // Cut inside a float: the files are one stream of bytes.
  const files = new Map([["a.bin", bytes.subarray(0, 5)], ["b.bin", bytes.subarray(5)]]);
  const weights = readTfjsWeights(manifest, files);
  assert.deepEqual([...weights.keys()], ["q", "f", "i", "h"]);
  assert.equal(weights.get("q")!.stored.type, "uint8");
  assert.deepEqual(valuesOf(weights.get("q")!), [-1, 0, 126.5]);
  assert.deepEqual(valuesOf(weights.get("f")!), [1.25, -7]);
  assert.deepEqual(valuesOf(weights.get("i")!), [-2]);
  assert.equal(weights.get("h")!.stored.type, "float16");
  assert.deepEqual(toNumbers(weights.get("h")!.stored), [0x3c00, 0xc000]);
});

Deno.test("readTfjsWeights refuses bytes that end too early or too late, missing files and unknown types", () => {
  const one = (dtype: string, quantization?: { dtype: string; scale?: number }) => [{
    paths: ["w.bin"],
    weights: [{ name: "w", shape: [2], dtype, ...quantization ? { quantization } : {} }],
  }];
  const files = (length: number) => new Map([["w.bin", new Uint8Array(length)]]);
  const refused = (manifest: ManifestGroup[], bytes: number, message: RegExp) =>
    assert.throws(() => readTfjsWeights(manifest, files(bytes)), (error) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.match(error.message, message);
      return true;
    });
  refused(one("float32"), 7, /"w": it ends at byte 8 of 7 in w\.bin/);
  refused(one("float32"), 9, /9 bytes, but the manifest describes 8/);
  refused(one("complex64"), 16, /element type complex64/);
  refused(one("float32", { dtype: "uint8" }), 2, /stored as \{"dtype":"uint8"\}/);
  refused(one("int32", { dtype: "uint8", scale: 1 }), 2, /element type int32, stored as/);
  refused([{ ...one("float32")[0], paths: ["x.bin"] }], 8, /x\.bin is not there/);
  refused([...one("bool"), ...one("bool")], 2, /"w" is listed twice/);
});

Deno.test("transposed moves elements as four nested loops do, and keeps integers", () => {
  const shape = [2, 3, 4, 5] as const;
  const data = Uint8Array.from({ length: 120 }, (_, i) => i);
  const weight: TfjsWeight = {
    name: "w",
    stored: { type: "uint8", shape, data },
    affine: { scale: 2, min: 0 },
  };
  const { stored, affine } = transposed(weight, [3, 2, 0, 1]);
  assert.equal(stored.type, "uint8");
  assert.deepEqual(affine, weight.affine);
  assert.deepEqual(stored.shape, [5, 4, 2, 3]);
  let to = 0;
  for (let o = 0; o < 5; o++) {
    for (let i = 0; i < 4; i++) {
      for (let h = 0; h < 2; h++) {
        for (let w = 0; w < 3; w++) {
          assert.equal(stored.data[to++], ((h * 3 + w) * 4 + i) * 5 + o);
        }
      }
    }
  }
  assert.throws(() => transposed(weight, [0, 1, 2]), ModelError);
  assert.throws(() => transposed(weight, [0, 1, 2, 2]), ModelError);
});

Deno.test("restored weights are within two parts in 2^24 of TensorFlow.js's, and stored as they came", async () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  // A real tensor's scale with zero point 123, one whose range leaves 0 out, and one that starts at 0.
  const scales = [
    { scale: 0.0057930146946626555, min: -0.7125408074435067 },
    { scale: 0.0025084222648658005, min: 0.07683877646923065 },
    { scale: 0.01, min: 0 },
  ];
  const graph = emptyGraph("restore");
  const b = new GraphBuilder(graph, new Map(), () => {});
  graph.inputs.push({ name: "input", type: "float32", shape: [1] });
  scales.forEach((affine, k) => {
    const weight: TfjsWeight = {
      name: `w${k}`,
      stored: { type: "uint8", shape: [256], data: all },
      affine,
    };
    const name = b.op("Add", [restore(b, weight), "input"]);
    graph.outputs.push({ name, type: "float32", shape: [256] });
    assert.equal(graph.initializers.get(`w${k}`)!.type, "uint8");
  });
  const session = await openSession(writeModel(graph), "native");
  try {
    const outputs = await session.run({ input: floats([1], [0]) });
    for (const [k, { scale, min }] of scales.entries()) {
      const { data } = await toFloats(outputs[graph.outputs[k].name]);
      for (let q = 0; q < 256; q++) {
        const expected = q * scale + min;
        // At the zero point the double result is rounding noise (1e-16), not 0.
        const tolerance = Math.abs(expected) * 2 ** -23 + 1e-15;
        assertClose(data[q], expected, tolerance, `${k}: ${q}`);
      }
    }
  } finally {
    await session.dispose();
  }
});

Deno.test("a weight used twice is stored once, and under another layout by another name", () => {
  const graph = emptyGraph("twice");
  const b = new GraphBuilder(graph, new Map(), () => {});
  const weight: TfjsWeight = { name: "w", stored: floats([1, 2], [1, 2]) };
  assert.equal(restore(b, weight), "w");
  assert.equal(restore(b, weight), "w");
  assert.equal(restore(b, transposed(weight, [1, 0])), "w'");
  assert.deepEqual([...graph.initializers.keys()], ["w", "w'"]);
});
