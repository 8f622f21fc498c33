import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { liftCam, liftContributions } from "../../src/methods/lift_cam.ts";
import { type MethodContext, runnerUp } from "../../src/methods/mod.ts";
import type { Target } from "../../src/classifier/target.ts";
import { near } from "../rules/doubles.ts";
import { noiseInputs, withContext } from "./shipped.ts";
import {
  CELLS,
  CHANNELS,
  headOf,
  HIDDEN,
  openSmallNet,
  passOf,
  pulled,
  smallInputs,
  WEIGHTS,
} from "./small_net.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("LIFT-CAM's contributions are the rescale rule's, written out, and its weights their sums", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 2, 1];
  const zero = headOf(new Float64Array(CHANNELS * CELLS));
  const expected = each.map((input, row) => {
    const k = classes[row];
    const pass = passOf(input);
    const atHidden = pass.hidden.map((value, i) =>
      WEIGHTS.second[k * HIDDEN + i] * (pass.passed[i] - zero.passed[i]) /
      (value - zero.hidden[i])
    );
    return pulled(WEIGHTS.first, atHidden, CHANNELS * CELLS)
      .map((multiplier, i) => multiplier * pass.activation[i]);
  });
  await withContext(net, inputs, "logit", async (context) => {
    const found = await liftContributions(context, classes);
    near(found.data, expected.flatMap((one) => [...one]), 1e-6, "the contributions");
    const attribution = await liftCam.compute(context, classes);
    assert.ok("weights" in attribution, Object.keys(attribution).join());
    const weights = expected.flatMap((one) =>
      Array.from(
        { length: CHANNELS },
        (_, channel) => one.slice(channel * CELLS, (channel + 1) * CELLS).reduce((a, b) => a + b),
      )
    );
    near((attribution.weights as Tensor).data, weights, 1e-6, "the weights");
  });
  await net.dispose();
});

/** The change of each row's score from an activation of zeros; of a margin, to the runner-up at the activation itself. */
async function changes(
  { classifier, forward, target }: MethodContext,
  classes: readonly number[],
): Promise<number[]> {
  const { channels, height, width } = classifier.layer;
  const zeros = floats([1, channels, height, width], new Float32Array(channels * height * width));
  const count = classifier.classes.length;
  const list: number[] = [];
  for (const [row, k] of classes.entries()) {
    const reference = await classifier.evaluateHead(zeros, forward, row);
    const change = (i: number) =>
      target === "probability"
        ? forward.probabilities.data[row * count + i] - reference.probabilities.data[i]
        : forward.logits!.data[row * count + i] - reference.logits!.data[i];
    const logits = forward.logits!.data.subarray(row * count, (row + 1) * count);
    list.push(target === "margin" ? change(k) - change(runnerUp(logits, k)) : change(k));
  }
  return list;
}

async function checkCompleteness(classifier: Classifier, inputs: Tensor, target: Target) {
  const classes = Array.from(
    { length: classifier.batch },
    (_, row) => row % classifier.classes.length,
  );
  await withContext(classifier, inputs, target, async (context) => {
    const { data } = await liftContributions(context, classes);
    const size = data.length / classes.length;
    (await changes(context, classes)).forEach((change, row) => {
      const total = data.subarray(row * size, (row + 1) * size).reduce((a, b) => a + b, 0);
      assertClose(total, change, { relative: 1e-4 }, `${target}, row ${row}`);
    });
  });
}

for (const layer of [undefined, "mini-xception/MaxPool_9", "mini-xception/Relu_3"]) {
  Deno.test(`LIFT-CAM's contributions add up to the score's change on mini-Xception at ${layer ?? "its last layer"}`, async () => {
    const classifier = await openClassifier(await findClassifier("mini-xception"), {
      backend: "native",
      batch: 4,
      layer,
    });
    for (const target of ["logit", "probability", "margin"] as const) {
      await checkCompleteness(classifier, noiseInputs(classifier, 4), target);
    }
    await classifier.dispose();
  });
}
