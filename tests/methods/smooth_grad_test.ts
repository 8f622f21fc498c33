import assert from "node:assert/strict";
import { floats } from "../../src/base/tensor.ts";
import { smoothedGradient, smoothGrad } from "../../src/methods/smooth_grad.ts";
import { near } from "../rules/doubles.ts";
import { mapOf, withContext } from "./shipped.ts";
import { gradientOf, openSmallNet, passOf, smallInputs } from "./small_net.ts";

/** Some deterministic noise. */
const noise = (row: number, at: number, i: number) =>
  Math.fround(0.3 * Math.sin(row + 7 * at + 13 * i));

Deno.test("SmoothGrad is the mean of the signed gradients at inputs with noise", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 2, 1], samples = 4;
  const found = await withContext(
    net,
    inputs,
    "logit",
    (context) =>
      smoothedGradient(context, classes, samples, (row, at, into) => {
        for (let i = 0; i < into.length; i++) into[i] = noise(row, at, i);
      }),
  );
  const expected = each.flatMap((input, row) => {
    const mean = input.map(() => 0);
    for (let at = 0; at < samples; at++) {
      const moved = input.map((value, i) => Math.fround(value + noise(row, at, i)));
      gradientOf(passOf(moved), classes[row]).forEach((value, i) => mean[i] += value / samples);
    }
    return [...mean];
  });
  near(found.data, expected, 1e-6, "the mean");
  await net.dispose();
});

Deno.test("SmoothGrad's map depends on the sample's key, not on its row", async () => {
  const net = await openSmallNet();
  const { inputs } = smallInputs(2);
  const size = inputs.data.length / 2;
  const swapped = floats(inputs.shape, [
    ...inputs.data.subarray(size),
    ...inputs.data.subarray(0, size),
  ]);
  const map = (values: typeof inputs, keys: string[]) =>
    withContext(net, values, "logit", (c) => mapOf(smoothGrad, c, [1, 1, 0]), keys);
  const first = await map(inputs, ["a", "b"]);
  const second = await map(swapped, ["b", "a"]);
  const cells = first.data.length / 3;
  assert.deepEqual(first.data.slice(0, cells), second.data.slice(cells, 2 * cells));
  assert.deepEqual(first.data.slice(cells, 2 * cells), second.data.slice(0, cells));
  const other = await map(inputs, ["c", "b"]);
  assert.notDeepEqual(first.data.slice(0, cells), other.data.slice(0, cells));
  await net.dispose();
});
