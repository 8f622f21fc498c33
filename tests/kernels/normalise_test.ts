import assert from "node:assert/strict";
import { normalise } from "../../src/kernels/normalise.ts";
import { noise, onBoth, runKernel } from "./support.ts";
import { assertClose } from "../assert_close.ts";

onBoth("normalise gives 0 … 1 for a map's own extremes", async (compute) => {
  const p = { maps: 3, size: 131, epsilon: 1e-7 };
  const values = noise(3 * 131, 13);
  const extremes = Float32Array.from({ length: 6 }, (_, i) => {
    const one = values.subarray((i >> 1) * 131, (i >> 1) * 131 + 131);
    return i % 2 ? Math.max(...one) : Math.min(...one);
  });
  const expected = Array.from(values, (x, i) => {
    const low = extremes[2 * Math.floor(i / 131)], high = extremes[2 * Math.floor(i / 131) + 1];
    return (x - low) / (high - low + 1e-7);
  });
  const found = await runKernel(compute, normalise, p, [values, extremes]);
  assertClose(found, expected, compute.kind === "cpu" ? 6e-8 : 3e-7);
  assert.equal(Math.min(...found), 0);
  assertClose(Math.max(...found), 1, 3e-7);
});

onBoth("normalise makes constant maps 0 and broken ones NaN", async (compute) => {
  const p = { maps: 4, size: 2, epsilon: 1e-7 };
  const values = Float32Array.of(5, 5, 1, NaN, 1, 2, -3e38, 3e38);
  const extremes = Float32Array.of(5, 5, NaN, NaN, 1, 2, -3e38, 3e38);
  const found = await runKernel(compute, normalise, p, [values, extremes]);
  assert.deepEqual(Array.from(found.subarray(0, 5)), [0, 0, NaN, NaN, 0]);
  assertClose(found.subarray(5), [1 / (1 + 1e-7), NaN, NaN], { absolute: 2e-7, nan: true });
});
