import assert from "node:assert/strict";
import type { Tensor } from "../../src/base/tensor.ts";
import { type GraphBuilder, int } from "../../src/onnx/graph.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { withScores } from "../../src/onnx/scores.ts";
import { netOn, noise, output, put, runNative } from "./native.ts";
import { assertClose } from "../assert_close.ts";

/** Softmax over rows by its definition, in float64. */
function softmax({ shape, data }: Tensor): number[] {
  const k = shape[1];
  return Array.from(data, (_, i) => {
    const row = Array.from(data.subarray(i - i % k, i - i % k + k), Math.exp);
    return row[i % k] / row.reduce((a, b) => a + b, 0);
  });
}

function near(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 1e-6) {
  assertClose(a, b, tolerance);
}

/** Scores [N, 4] out of an image. */
function pooled(b: GraphBuilder): string {
  return put(b, "Flatten", [b.op("GlobalAveragePool", ["x"])], {}, "pooled");
}

Deno.test("a model that ends in logits gets a Softmax", async () => {
  const b = netOn(["N", 4, 5, 5]);
  const scored = withScores(output(b, pooled(b)));
  assert.deepEqual(
    [scored.logits, scored.classes, scored.activation],
    ["pooled", 4, "softmax"],
  );
  assert.deepEqual(scored.graph.outputs.map(({ name, shape }) => [name, shape]), [
    ["pooled", ["N", 4]],
    [scored.probabilities, ["N", 4]],
  ]);
  const result = await runNative(scored.graph, { x: noise([3, 4, 5, 5]) });
  near(result[scored.probabilities].data as Float32Array, softmax(result["pooled"] as Tensor));
});

Deno.test("a model that ends in one logit gets a Sigmoid: its softmax would be 1 whatever it is", async () => {
  const b = netOn(["N", 1, 5, 5]);
  const scored = withScores(output(b, pooled(b)));
  assert.deepEqual([scored.logits, scored.classes, scored.activation], ["pooled", 1, "sigmoid"]);
  const result = await runNative(scored.graph, { x: noise([3, 1, 5, 5]) });
  near(
    result[scored.probabilities].data as Float32Array,
    Array.from(result["pooled"].data as Float32Array, (value) => 1 / (1 + Math.exp(-value))),
  );
});

const endings: [string, (b: GraphBuilder) => void, "softmax" | "sigmoid", string, string][] = [
  [
    "a Softmax",
    (b) => put(b, "Softmax", [pooled(b)], { axis: int(1) }, "end"),
    "softmax",
    "pooled",
    "end",
  ],
  ["a Sigmoid", (b) => put(b, "Sigmoid", [pooled(b)], {}, "end"), "sigmoid", "pooled", "end"],
  [
    "a Softmax with other names",
    (b) => {
      const made = b.op("Softmax", [pooled(b)], { axis: int(-1) });
      const same = b.op("Identity", [b.op("Dropout", [made])]);
      put(b, "Reshape", [same, b.ints([-1, 4])], {}, "end");
    },
    "softmax",
    "pooled",
    "end",
  ],
];

for (const [what, build, activation, logits, probabilities] of endings) {
  Deno.test(`the logits are found in front of ${what}`, async () => {
    const b = netOn(["N", 4, 5, 5]);
    build(b);
    const scored = withScores(output(b, "end"));
    assert.deepEqual(
      [scored.logits, scored.probabilities, scored.activation, scored.classes],
      [logits, probabilities, activation, 4],
    );
    const x = noise([2, 4, 5, 5]);
    const [old, now] = [await runNative(b.graph, { x }), await runNative(scored.graph, { x })];
    assert.deepEqual(now["end"], old["end"]);
    const raw = now["pooled"] as Tensor;
    near(
      now["end"].data as Float32Array,
      activation === "softmax" ? softmax(raw) : Array.from(raw.data, (v) => 1 / (1 + Math.exp(-v))),
    );
  });
}

Deno.test("scores of the form [N, K, 1, 1] are flattened, in front of the Softmax too", async () => {
  const b = netOn(["N", 4, 5, 5]);
  const maps = b.op("GlobalAveragePool", ["x"]);
  put(b, "Softmax", [maps], { axis: int(1) }, "end");
  const scored = withScores(output(b, "end"));
  assert.deepEqual(scored.graph.outputs.map(({ shape }) => shape), [["N", 4], ["N", 4]]);
  const result = await runNative(scored.graph, { x: noise([2, 4, 5, 5]) });
  near(
    result[scored.probabilities].data as Float32Array,
    softmax(result[scored.logits!] as Tensor),
  );
});

Deno.test("logits in front of a LogSoftmax are taken, and probabilities made of them", async () => {
  const b = netOn(["N", 4, 5, 5]);
  put(b, "LogSoftmax", [pooled(b)], { axis: int(1) }, "end");
  const scored = withScores(output(b, "end"));
  assert.equal(scored.logits, "pooled");
  const x = noise([2, 4, 5, 5]);
  const old = (await runNative(b.graph, { x }))["end"].data as Float32Array;
  const now = (await runNative(scored.graph, { x }))[scored.probabilities];
  near(now.data as Float32Array, Array.from(old, Math.exp));
});

Deno.test("of two outputs where one is the Softmax of the other, both are found", () => {
  const b = netOn(["N", 4, 5, 5]);
  put(b, "Softmax", [pooled(b)], { axis: int(1) }, "end");
  const scored = withScores(output(b, "end", "pooled"));
  assert.deepEqual([scored.logits, scored.probabilities], ["pooled", "end"]);
});

Deno.test("a card takes precedence over what the graph looks like", async () => {
  const b = netOn(["N", 4, 5, 5]);
  put(b, "Sigmoid", [pooled(b)], {}, "end");
  const graph = output(b, "end");
  const asLogits = withScores(graph, { kind: "logits" });
  assert.deepEqual([asLogits.logits, asLogits.activation], ["end", "softmax"]);
  const result = await runNative(asLogits.graph, { x: noise([2, 4, 5, 5]) });
  near(result[asLogits.probabilities].data as Float32Array, softmax(result["end"] as Tensor));
  const inner = withScores(graph, { output: "pooled" });
  assert.deepEqual([inner.logits, inner.graph.nodes.some(({ op }) => op === "Sigmoid")], [
    "pooled",
    false,
  ]);
});

Deno.test("probabilities that come from no activation have no logits", () => {
  const b = netOn(["N", 4, 5, 5]);
  put(b, "Clip", [pooled(b), b.scalar(0), b.scalar(1)], {}, "end");
  const scored = withScores(output(b, "end"), { kind: "probabilities" });
  assert.deepEqual([scored.logits, scored.probabilities, scored.classes], [undefined, "end", 4]);
  assert.deepEqual(scored.graph.outputs.map(({ name }) => name), ["end"]);
});

Deno.test("outputs that are not scores, or too many, are errors that list them", () => {
  const b = netOn(["N", 4, 5, 5]);
  put(b, "Relu", ["x"], {}, "map");
  pooled(b);
  put(b, "Abs", ["pooled"], {}, "other");
  assert.throws(() => withScores({ ...output(b, "map") }), /0 of map \[N, 4, 5, 5\] have/);
  assert.throws(
    () => withScores(output(b, "pooled", "other")),
    /2 of map \[N, 4, 5, 5\], pooled \[N, 4\], other \[N, 4\] could have/,
  );
  assert.throws(() => withScores(b.graph, { output: "map" }), /"map": its shape is \[N, 4, 5, 5\]/);
  assert.throws(() => withScores(b.graph, { output: "nothing" }), /no such tensor/);
});

Deno.test("the original graph stays as it is", () => {
  const b = netOn(["N", 4, 5, 5]);
  const graph = output(b, pooled(b));
  const before = structuredClone(graph);
  withScores(graph);
  assert.deepEqual(graph, before);
});

Deno.test("exported models: the scores are those of the model itself", async () => {
  for (const file of ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"]) {
    const url = new URL(`../golden/onnx/${file}`, import.meta.url);
    const graph = readModel(Deno.readFileSync(url));
    const scored = withScores(graph);
    assert.deepEqual([scored.logits, scored.classes], ["logits", 20]);
    const input = noise([2, 3, 56, 72]);
    const [old, now] = [
      await runNative(graph, { input }),
      await runNative(scored.graph, { input }),
    ];
    assertClose(now["logits"] as Tensor, old["logits"] as Tensor, { ofLargest: 1e-6 });
  }
});
