import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { readFloats } from "../../src/classifier/values.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { byComposites, layerRelevance, lrpCam } from "../../src/methods/lrp_cam.ts";
import type { Method } from "../../src/methods/mod.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { type CompositeName, COMPOSITES } from "../../src/rules/lrp/composites.ts";
import { relevanceGraph } from "../../src/rules/lrp/relevance.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { near } from "../rules/doubles.ts";
import { handBack, handBackFlat, SHARES } from "../rules/lrp/products.ts";
import { noiseInputs, withContext } from "./shipped.ts";
import {
  CELLS,
  CHANNELS,
  CLASSES,
  COLOURS,
  CONV_BIAS,
  CONV_MATRIX,
  openSmallNet,
  passOf,
  smallInputs,
  WEIGHTS,
} from "./small_net.ts";
import { assertSome } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const NAMES = Object.keys(COMPOSITES) as CompositeName[];

/** Relevance of the target layer by the papers' formulas. */
function twin(input: Float64Array, k: number, name: CompositeName): Float64Array {
  const { dense } = SHARES[name];
  const { logits, passed, activation } = passOf(input);
  const start = logits.map((value, i) => i === k ? value : 0);
  const hidden = handBack(dense, WEIGHTS.second, WEIGHTS.secondBias, passed, start);
  return handBack(dense, WEIGHTS.first, WEIGHTS.firstBias, activation, hidden);
}

Deno.test("LRP-CAM's relevance is the rules' of every composite, written out, and its weights their sums", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 2, 1];
  await withContext(net, inputs, "logit", async (context) => {
    for (const name of NAMES) {
      const expected = each.flatMap((input, row) => [...twin(input, classes[row], name)]);
      const { relevance, absorbed } = await layerRelevance(context, classes, name);
      near(relevance.data, expected, 1e-5, name);
      const lost = each.map((input, row) =>
        passOf(input).logits[classes[row]] -
        twin(input, classes[row], name).reduce((a, b) => a + b)
      );
      near(absorbed.data, lost, 1e-5, `what is absorbed under ${name}`);
    }
    const attribution = await lrpCam.compute(context, classes);
    assert.ok("weights" in attribution, Object.keys(attribution).join());
    const weights = each.flatMap((input, row) => {
      const relevance = twin(input, classes[row], "epsilon");
      return Array.from(
        { length: CHANNELS },
        (_, channel) =>
          relevance.slice(channel * CELLS, (channel + 1) * CELLS).reduce((a, b) => a + b),
      );
    });
    near((attribution.weights as Tensor).data, weights, 1e-5, "the weights");
  });
  await net.dispose();
});

Deno.test("relevance that continues to the input meets the first layer's rule", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const connected = CONV_MATRIX.map((value) => value === 0 ? 0 : 1);
  for (const name of NAMES) {
    const graph = relevanceGraph(net.graphs.whole, {
      score: net.graphs.logits!,
      target: net.graphs.input,
      composite: COMPOSITES[name],
      toInput: true,
    });
    const session = await openSession(writeModel(graph), "native", { threads: 1 });
    const cotangent = floats(
      [3, CLASSES],
      Float32Array.from({ length: 9 }, (_, i) => i % 4 ? 0 : 1),
    );
    const found = await toFloats((await session.run({ x: inputs, cotangent })).relevance!);
    const expected = each.flatMap((input, k) => {
      const activation = twin(input, k, name);
      return [
        ...name === "epsilon-plus-flat"
          ? handBackFlat(connected, COLOURS * CELLS, activation)
          : handBack(SHARES[name].convolution, CONV_MATRIX, CONV_BIAS, input, activation),
      ];
    });
    near(found.data, expected, 1e-5, name);
    await session.dispose();
  }
  await net.dispose();
});

for (const layer of [undefined, "mini-xception/MaxPool_9", "mini-xception/Relu_3"]) {
  Deno.test(`LRP conserves relevance on mini-Xception at ${layer ?? "its last layer"}, under every composite`, async () => {
    const classifier = await openClassifier(await findClassifier("mini-xception"), {
      backend: "native",
      batch: 4,
      layer,
    });
    const classes = [0, 2, 3, 6];
    for (const target of ["logit", "margin"] as const) {
      await withContext(classifier, noiseInputs(classifier, 4), target, async (context) => {
        const logits = context.forward.logits!.data;
        for (const name of target === "logit" ? NAMES : ["epsilon"] as const) {
          const { relevance, absorbed } = await layerRelevance(context, classes, name);
          const size = relevance.data.length / 4;
          classes.forEach((k, row) => {
            const own = logits.subarray(7 * row, 7 * row + 7);
            const others = [...own].filter((_, i) => i !== k);
            const score = own[k] - (target === "margin" ? Math.max(...others) : 0);
            const arrived = relevance.data.subarray(row * size, (row + 1) * size).reduce(
              (a, b) => a + b,
              0,
            );
            const total = arrived + absorbed.data[row];
            assertClose(total, score, { relative: 1e-4 }, `${name}, ${target}, row ${row}`);
          });
        }
      });
    }
    await classifier.dispose();
  });
}

Deno.test("LRP-CAM refuses probabilities, and says why", async () => {
  const net = await openSmallNet();
  const refused = lrpCam.unsupported(net, "probability")!;
  assert.match(refused.reason, /softmax or sigmoid$/);
  assert.equal(refused.advice, "take target logit or margin");
  assert.equal(lrpCam.unsupported(net, "logit"), undefined);
  await net.dispose();
});

Deno.test("composites are separate methods: their names, their keys, and maps that differ where rules do", async () => {
  const [plain, gamma] = byComposites(lrpCam, ["epsilon", "gamma"]) as [Method, Method];
  assert.deepEqual([plain.name, gamma.name], ["lrp-cam", "lrp-cam+gamma"]);
  assert.deepEqual([plain.settings, gamma.settings], [{ composite: "epsilon" }, {
    composite: "gamma",
  }]);
  assert.deepEqual(byComposites(gradCam, ["gamma"]), [gradCam]);
  const classifier = await openClassifier(await findClassifier("face-expression"), {
    backend: "native",
    batch: 1,
    // Several convolutions come after it.
    layer: "face-expression/Relu_152",
  });
  try {
    const weights = (method: Method) =>
      withContext(classifier, noiseInputs(classifier, 1), "logit", async (context) => {
        const found = await method.compute(context, [0]);
        assert.ok("weights" in found, Object.keys(found).join());
        return [...(await readFloats(found.weights)).data];
      });
    const [own, other] = [await weights(plain), await weights(gamma)];
    assertSome(own, (value, k) => Math.abs(value - other[k]) > 0.01 * Math.abs(value));
  } finally {
    await classifier.dispose();
  }
});
