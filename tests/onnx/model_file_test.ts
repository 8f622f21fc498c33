import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import proto, { type onnx as types } from "onnx-proto";
import { ModelError } from "../../src/base/errors.ts";
import { type AnyTensor, ELEMENT_ARRAYS, type ElementType, floats } from "../../src/base/tensor.ts";
import { emptyGraph, float, type Graph, int, ints, string } from "../../src/onnx/graph.ts";
import { readModel, writeModel, writeModelParts } from "../../src/onnx/model_file.ts";
import { noise, runNative } from "./native.ts";
import { assertSome } from "../assert_that.ts";

const { onnx } = proto;

function golden(file: string): Uint8Array {
  return Deno.readFileSync(new URL(`../golden/onnx/${file}`, import.meta.url));
}

function graphWithEverything(): Graph {
  const inner = emptyGraph("inner", 18);
  inner.domains = { "org.example": 3 };
  inner.outputs.push({ name: "x", type: "float32" });
  const graph = emptyGraph("everything", 18);
  graph.domains = { "org.example": 3 };
  graph.inputs.push(
    { name: "x", type: "float32", shape: ["batch", 3, "?x2", 5] },
    { name: "y", type: "bool" },
    { name: "z", type: "int64", shape: [] },
  );
  graph.outputs.push({ name: "out", type: "float16", shape: [1] });
  graph.stated.set("out", { name: "out", type: "float16", shape: ["batch"] });
  graph.nodes.push({
    name: "node",
    op: "Odd",
    domain: "org.example",
    inputs: ["x", "", "y"],
    outputs: ["out", ""],
    attributes: {
      one: int(1),
      minus: int(-9007199254740991),
      real: float(0.5),
      text: string("größe"),
      whole: ints([1, -2]),
      reals: { kind: "floats", value: [0.25, -1] },
      words: { kind: "strings", value: ["a", ""] },
      weights: { kind: "tensor", value: floats([2], [1, 2]) },
      body: { kind: "graph", value: inner },
      none: ints([]),
    },
  });
  for (const type of Object.keys(ELEMENT_ARRAYS) as ElementType[]) {
    const data = new ELEMENT_ARRAYS[type](2);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.set([1n, 2n ** 62n]);
    else data.set([1, 2]);
    graph.initializers.set(`w_${type}`, { type, shape: [2, 1], data } as AnyTensor);
  }
  graph.initializers.set("scalar", floats([], [3]));
  graph.initializers.set("empty", floats([0, 2], []));
  return graph;
}

Deno.test("a graph that is written and read again is the same graph", () => {
  const graph = graphWithEverything();
  assert.deepEqual(readModel(writeModel(graph)), graph);
});

/** Not `deepEqual`: its report of a difference between two files takes minutes. */
function assertSameBytes(a: Uint8Array, b: Uint8Array): void {
  assert.equal(a.length, b.length);
  const at = a.findIndex((byte, i) => byte !== b[i]);
  assert.equal(at, -1, `byte ${at} is ${a[at]}, not ${b[at]}`);
}

Deno.test("the same graph gives the same bytes", () => {
  assertSameBytes(writeModel(graphWithEverything()), writeModel(graphWithEverything()));
  const once = writeModel(readModel(golden("mobile.onnx")));
  assertSameBytes(writeModel(readModel(once)), once);
});

Deno.test("a model is written as protobufjs writes it whole, and its weights are not copied", () => {
  const large = emptyGraph("large");
  const weights = floats([300, 300], new Float32Array(90_000).fill(2));
  large.initializers.set("w", weights);
  for (const graph of [graphWithEverything(), readModel(golden("mobile.onnx")), large]) {
    const bytes = writeModel(graph);
    const whole = onnx.ModelProto.encode(onnx.ModelProto.decode(bytes)).finish();
    assertSameBytes(bytes, whole);
    assertSameBytes(bytes, Buffer.concat(writeModelParts(graph)));
  }
  assertSome(writeModelParts(large), ({ buffer }) => buffer === weights.data.buffer);
});

Deno.test("a Node Buffer is read like any other bytes, wherever its weights lie in it", () => {
  const bytes = writeModel(graphWithEverything());
  for (let shift = 0; shift < 8; shift++) {
    const shifted = Buffer.alloc(bytes.length + shift);
    shifted.set(bytes, shift);
    assert.deepEqual(readModel(shifted.subarray(shift)), graphWithEverything());
  }
});

Deno.test("a PyTorch export that is read and written computes the same bits", async () => {
  const { openSession } = await import("../../src/runtime/open.ts");
  for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
    const bytes = golden(file);
    const input = noise([2, 3, 56, 72]);
    const session = await openSession(bytes, "native", { threads: 1 });
    const direct = await session.run({ input });
    await session.dispose();
    assert.deepEqual(await runNative(readModel(bytes), { input }), direct);
  }
});

function modelOf(graph: types.IGraphProto, version = 17): Uint8Array {
  return onnx.ModelProto.encode({ opsetImport: [{ domain: "", version }], graph }).finish();
}

Deno.test("weights in the typed fields of older exporters are read", () => {
  const graph = readModel(modelOf({
    output: [{ name: "a" }],
    initializer: [
      { name: "a", dataType: 1, dims: [2], floatData: [0.5, -1] },
      { name: "b", dataType: 7, dims: [1], int64Data: [-5] },
      { name: "c", dataType: 6, dims: [2], int32Data: [7, -7] },
      { name: "d", dataType: 3, dims: [2], int32Data: [1, -1] },
      { name: "e", dataType: 11, dims: [1], doubleData: [0.1] },
      { name: "f", dataType: 9, dims: [1], int32Data: [1] },
    ],
  }));
  assert.deepEqual(
    [...graph.initializers].map(([name, { type, data }]) => [name, type, ...data]),
    [
      ["a", "float32", 0.5, -1],
      ["b", "int64", -5n],
      ["c", "int32", 7, -7],
      ["d", "int8", 1, -1],
      ["e", "float64", 0.1],
      ["f", "bool", 1],
    ],
  );
});

Deno.test("weights that older exporters list as inputs too are not inputs", () => {
  const graph = readModel(modelOf({
    input: [{ name: "x" }, { name: "w" }],
    output: [{ name: "x" }],
    initializer: [{ name: "w", dataType: 1, dims: [1], floatData: [1] }],
  }));
  assert.deepEqual(graph.inputs, [{ name: "x", type: "float32" }]);
});

Deno.test("an open batch is called N, however the exporter wrote it", () => {
  const extents: types.TensorShapeProto.IDimension[] = [{}, { dimValue: 0 }, { dimValue: -1 }];
  for (const open of extents) {
    const shape = { dim: [open, { dimValue: 3 }, { dimParam: "H" }, open] };
    const graph = readModel(modelOf({
      input: [{ name: "x", type: { tensorType: { elemType: 1, shape } } }],
      output: [{ name: "x", type: { tensorType: { elemType: 1, shape } } }],
    }));
    assert.deepEqual(graph.inputs[0].shape, ["N", 3, "H", "?x3"]);
    assert.deepEqual(graph.outputs[0].shape, ["?x0", 3, "H", "?x3"]);
  }
});

Deno.test("nodes without names, and with equal ones, get their own names", () => {
  const relu = (output: string, name?: string): types.INodeProto => ({
    opType: "Relu",
    input: ["x"],
    output: [output],
    ...name ? { name } : {},
  });
  const graph = readModel(modelOf({
    input: [{ name: "x" }],
    output: [{ name: "a" }],
    node: [relu("a"), relu("b", "same"), relu("c", "same")],
  }));
  assert.deepEqual(graph.nodes.map(({ name }) => name), ["Relu_a", "same", "same'"]);
});

/** A 64-bit integer as protobufjs takes it. */
function long(value: bigint): number {
  const [low, high] = [Number(value & 0xffffffffn) | 0, Number(value >> 32n) | 0];
  return { low, high, unsigned: false } as unknown as number;
}

Deno.test("what cannot be read is an error that says why", () => {
  const output = [{ name: "w" }];
  const weights = (tensor: types.ITensorProto) =>
    modelOf({ output, initializer: [{ name: "w", dims: [2], dataType: 1, ...tensor }] });
  const wrong: [Uint8Array, RegExp][] = [
    [Uint8Array.of(255, 255, 255), /not a protobuf message/],
    [new Uint8Array(), /no graph in 0 bytes/],
    [modelOf({ output, initializer: [] }, 6), /operator set 6, older than 7/],
    [weights({ dataType: 16 }), /"w": element type number 16/],
    [weights({ floatData: [1] }), /"w" of shape \[2\]: 1 elements/],
    [weights({ rawData: new Uint8Array(7) }), /"w" of shape \[2\]: 7 bytes/],
    // 2^53 + 1 and 2^63 - 1 are named to the last digit.
    [
      weights({ dims: [long(9007199254740993n), 1] }),
      /of shape \[9007199254740993,1\]: 0 elements/,
    ],
    [
      modelOf({
        output,
        input: [{
          name: "x",
          type: {
            tensorType: {
              elemType: 1,
              shape: { dim: [{ dimValue: 1 }, { dimValue: long(2n ** 63n - 1n) }] },
            },
          },
        }],
      }),
      /the shape of "x": an extent of 9223372036854775807; export the model again/,
    ],
    [
      weights({ dataLocation: 1, externalData: [{ key: "location", value: "w.bin" }] }),
      /"w": its data lie in another file/,
    ],
  ];
  for (const [bytes, message] of wrong) {
    assert.throws(() => readModel(bytes), (error) => {
      assert(error instanceof ModelError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});
