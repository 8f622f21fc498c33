import assert from "node:assert/strict";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { inputGradient } from "../../src/methods/_input_gradient.ts";
import { guidedBackprop } from "../../src/methods/guided_backprop.ts";
import { guidedGradCam } from "../../src/methods/guided_grad_cam.ts";
import { inputXGradient } from "../../src/methods/input_x_gradient.ts";
import { integratedGradients } from "../../src/methods/integrated_gradients.ts";
import { saliency } from "../../src/methods/saliency.ts";
import { smoothGrad } from "../../src/methods/smooth_grad.ts";
import { mapOf, withContext } from "./shipped.ts";
import { CELLS, COLOURS, openSmallNet, smallInputs } from "./small_net.ts";
import { assertEvery } from "../assert_that.ts";

const METHODS = [
  saliency,
  guidedBackprop,
  guidedGradCam,
  smoothGrad,
  inputXGradient,
  integratedGradients,
];
const CLASSES = [0, 1, 2];

/** The inputs with one value of the second sample changed. */
function spoiled(inputs: Tensor, value: number): Tensor {
  const data = Float32Array.from(inputs.data);
  data[COLOURS * CELLS + 5] = value;
  return floats(inputs.shape, data);
}

const rowOf = ({ data }: Tensor, row: number) => data.slice(row * CELLS, (row + 1) * CELLS);

Deno.test("maps by gradients at the input are NaN for a sample whose scores are, and for no other", async () => {
  const net = await openSmallNet();
  const { inputs } = smallInputs();
  for (const target of ["logit", "probability", "margin"] as const) {
    await withContext(net, inputs, target, async (plain) => {
      for (const value of [NaN, -Infinity]) {
        await withContext(net, spoiled(inputs, value), target, async (context) => {
          assertEvery(context.forward.logits!.data.subarray(3, 6), Number.isNaN);
          for (const method of METHODS) {
            if (method.unsupported(net, target)) continue;
            const what = `${method.name} ${target} ${value}`;
            const expected = await mapOf(method, plain, CLASSES);
            const found = await mapOf(method, context, CLASSES);
            assertEvery(expected.data, Number.isFinite, what);
            assert.ok(rowOf(found, 1).every(Number.isNaN), `${what}: ${rowOf(found, 1)}`);
            for (const row of [0, 2]) assert.deepEqual(rowOf(found, row), rowOf(expected, row));
          }
        });
      }
    });
  }
  await net.dispose();
});

Deno.test("a gradient is NaN at a point that is not finite, and stays where only the sample is not", async () => {
  const net = await openSmallNet();
  const { inputs } = smallInputs();
  // In this net ReLUs stop what the infinity makes, so that the scores are finite.
  await withContext(net, spoiled(inputs, Infinity), "logit", async (context) => {
    assertEvery(context.forward.logits!.data, Number.isFinite);
    const noisy = await mapOf(smoothGrad, context, CLASSES);
    assert.ok(rowOf(noisy, 1).every(Number.isNaN), String(rowOf(noisy, 1)));
    assertEvery(rowOf(noisy, 0), Number.isFinite);
    assertEvery((await mapOf(saliency, context, CLASSES)).data, Number.isFinite);
  });
  await net.dispose();
});

Deno.test("the gradient at the inputs is shared by those who ask for the same classes, and kept for the last only", async () => {
  const net = await openSmallNet();
  const { inputs } = smallInputs();
  await withContext(net, inputs, "logit", async (context) => {
    const first = inputGradient(context, CLASSES);
    assert.equal(inputGradient(context, CLASSES), first);
    await inputGradient(context, [1, 1, 1]);
    const again = inputGradient(context, CLASSES);
    assert.notEqual(again, first);
    assert.deepEqual(await again, await first);
  });
  await net.dispose();
});
