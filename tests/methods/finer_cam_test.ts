import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import { differenceCotangent } from "../../src/methods/finer_cam.ts";
import { sum } from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

/** d = Σ_t p_t (y_c − y_t) / (Σ_t p_t + 1e-9) over given classes t, with p = softmax(y). */
function difference(y: readonly number[], c: number, compared: readonly number[]): number {
  const total = sum(y.map(Math.exp));
  const p = y.map((value) => Math.exp(value) / total);
  return sum(compared.map((t) => p[t] * (y[c] - y[t]))) /
    (sum(compared.map((t) => p[t])) + 1e-9);
}

Deno.test("Finer-CAM's cotangent is the gradient of the difference to the three nearest classes", () => {
  const rng = createRng(8);
  const y = Array.from({ length: 7 }, () => Math.fround(2 * rng.normal()));
  for (const c of [0, 3, 6]) {
    const others = [0, 1, 2, 3, 4, 5, 6].filter((t) => t !== c);
    const compared = others.toSorted((a, b) => Math.abs(y[a] - y[c]) - Math.abs(y[b] - y[c]))
      .slice(0, 3);
    const { data } = differenceCotangent(floats([1, 7], y), [c]);
    y.forEach((_, j) => {
      const step = 1e-5;
      const moved = (by: number) => difference(y.map((v, i) => i === j ? v + by : v), c, compared);
      const expected = (moved(step) - moved(-step)) / (2 * step);
      assertClose(data[j], expected, 1e-6, `class ${c}, ∂/∂y_${j}`);
    });
  }
});

Deno.test("Finer-CAM's cotangent sums to 0: adding the same to all scores changes no difference", () => {
  const scores = floats([2, 5], [3, -1, 0.5, 2, 2, 0, 0, 0, 0, 0]);
  const { data } = differenceCotangent(scores, [1, 4]);
  assertClose(sum([...data.subarray(0, 5)]), 0, 1e-6);
  assertClose(sum([...data.subarray(5)]), 0, 1e-6);
});

Deno.test("Finer-CAM of two classes is the gradient of their plain difference", () => {
  const { data } = differenceCotangent(floats([1, 2], [0.3, -2]), [1]);
  assert.deepEqual([...data].map((v) => Math.round(v * 1e6) / 1e6), [-1, 1]);
});
