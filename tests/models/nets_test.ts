import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import { checkGraph } from "../../src/onnx/check.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { parseCard } from "../../src/runtime/card.ts";
import type { Backend } from "../../src/runtime/session.ts";
import { buildNet } from "../../models/build/build_models.ts";
import { cardText, NETS } from "../../models/build/nets.ts";
import {
  largestDifference,
  openNet,
  readReference,
  runNet,
  toChannelsFirst,
} from "../nets_helpers.ts";
import { assertAtMost, assertLess, assertMore } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const models = new URL("../../models/", import.meta.url);
const reference = (name: string) =>
  readReference(new URL(`../golden/nets/sample1_face0_${name}.npy`, import.meta.url));

Deno.test("each shipped card is its recipe's, and names its file's hash and size", async () => {
  for (const recipe of NETS) {
    const bytes = await Deno.readFile(new URL(`${recipe.name}.onnx`, models));
    const text = await Deno.readTextFile(new URL(`${recipe.name}.json`, models));
    assert.equal(text, cardText(recipe, { sha256: sha256(bytes), bytes: bytes.length }));
    assert.equal(parseCard(text, recipe.name).name, recipe.name);
  }
});

Deno.test("the shipped nets keep their weights as they came, so all four take under 1.8 MB", async () => {
  let total = 0;
  for (const { name } of NETS) {
    const bytes = await Deno.readFile(new URL(`${name}.onnx`, models));
    total += bytes.length;
    const graph = readModel(bytes);
    checkGraph(graph);
    assert.equal(graph.opset, 17);
    const large = [...graph.initializers.values()].filter(({ data }) => data.length >= 512);
    const type = name === "mini-xception" ? "float32" : "uint8";
    assertMore(large.length, 5);
    assert.deepEqual([...new Set(large.map((weight) => weight.type))], [type]);
  }
  assertLess(total, 1.8e6);
});

Deno.test("shapes follow from the graphs: free batch, stated outputs, the target tensors", async () => {
  const expected: Record<string, Record<string, (number | string)[]>> = {
    "tiny-face": { input: ["N", 3, "H", "W"] },
    "face-landmarks": { input: ["N", 3, 112, 112], landmarks: ["N", 136] },
    "mini-xception": {
      input: ["N", 1, 64, 64],
      maps: ["N", 7, 8, 8],
      logits: ["N", 7],
      probabilities: ["N", 7],
    },
    "face-expression": {
      input: ["N", 3, 112, 112],
      features: ["N", 256, 7, 7],
      logits: ["N", 7],
      probabilities: ["N", 7],
    },
  };
  for (const [name, shapes] of Object.entries(expected)) {
    const graph = readModel(await Deno.readFile(new URL(`${name}.onnx`, models)));
    // Inferred from the operators alone: what the file itself states is taken away.
    const known = inferShapes({ ...graph, stated: new Map() });
    for (const [value, shape] of Object.entries(shapes)) {
      assert.deepEqual(known.get(value)?.shape, shape, `${name} ${value}`);
    }
  }
});

Deno.test("buildNet refuses a source file with other content than the one known", () => {
  assert.throws(
    () => buildNet(NETS[0], [new Uint8Array([1]), new Uint8Array([2])]),
    (error) =>
      error instanceof ModelError &&
      /Cannot build tiny-face: sha256 of model\/tiny_face_detector_model-weights/.test(
        error.message,
      ),
  );
});

async function normalise(name: string): Promise<(value: number, channel: number) => number> {
  const { input } = parseCard(await Deno.readTextFile(new URL(`${name}.json`, models)), name);
  return (value, c) => (value * input!.scale - input!.mean[c]) / input!.std[c];
}

for (const backend of ["native", "wasm"] satisfies Backend[]) {
  Deno.test(`${backend}: the nets give TensorFlow.js's numbers for one face`, async () => {
    const crop = await reference("input_rgb255_nhwc");
    const cases = [
      {
        net: "mini-xception",
        input: toChannelsFirst(await reference("em64_input_nhwc")),
        outputs: { probabilities: "em64_probs", logits: "em64_onnx_logits" },
      },
      {
        net: "face-expression",
        input: toChannelsFirst(crop, await normalise("face-expression")),
        outputs: { probabilities: "expr_probs", logits: "expr_logits" },
      },
      {
        net: "face-landmarks",
        input: toChannelsFirst(crop, await normalise("face-landmarks")),
        outputs: { landmarks: "lm68_raw" },
      },
    ];
    for (const { net, input, outputs } of cases) {
      const session = await openNet(net, backend);
      try {
        const results = await runNet(session, input);
        for (const [output, file] of Object.entries(outputs)) {
          const difference = largestDifference(results[output].data, (await reference(file)).data);
          // fp32 convolutions in another order.
          assertAtMost(difference, 1e-4, `${net} ${output}`);
        }
      } finally {
        await session.dispose();
      }
    }
  });
}

Deno.test("mini-Xception's logits are the means of its maps", async () => {
  const maps = await reference("em64_onnx_class_maps");
  const session = await openNet("mini-xception", "native");
  try {
    const { logits } = await runNet(
      session,
      toChannelsFirst(await reference("em64_input_nhwc")),
    );
    const means = Array.from(
      { length: 7 },
      (_, c) => maps.data.subarray(64 * c, 64 * c + 64).reduce((a, b) => a + b) / 64,
    );
    assertClose(logits!.data, means, 1e-4);
  } finally {
    await session.dispose();
  }
});
