import assert from "node:assert/strict";
import { sobel, sobelMagnitude } from "../../src/methods/sobel.ts";
import { mapOf, miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("sobelMagnitude() is 8 on a ramp of slope 1 inside, and sees a step on both of its sides", () => {
  const width = 5, height = 4;
  const ramp = Float32Array.from({ length: width * height }, (_, i) => i % width);
  const magnitude = sobelMagnitude(ramp, height, width);
  for (let y = 0; y < height; y++) {
    // Gx = (1 + 2 + 1) · 2 inside; at the edge one neighbour is the pixel itself.
    assert.deepEqual([...magnitude.slice(y * width, (y + 1) * width)], [4, 8, 8, 8, 4]);
  }
  const step = Float32Array.from({ length: 16 }, (_, i) => Math.floor(i / 4) >= 2 ? 1 : 0);
  assert.deepEqual([...sobelMagnitude(step, 4, 4)], [
    0,
    0,
    0,
    0,
    4,
    4,
    4,
    4,
    4,
    4,
    4,
    4,
    0,
    0,
    0,
    0,
  ]);
});

Deno.test("sobel equals the two convolutions, continued by the edge, on every pixel", async () => {
  const classifier = await miniXception();
  const inputs = noiseInputs(classifier, 2);
  const map = await withContext(classifier, inputs, "logit", (c) => mapOf(sobel, c, [0, 0, 0, 0]));
  assert.deepEqual(map.shape, [4, 64, 64]);
  const kernel = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]];
  const at = (row: number, y: number, x: number) =>
    inputs.data[row * 4096 + Math.min(63, Math.max(0, y)) * 64 + Math.min(63, Math.max(0, x))];
  for (let row = 0; row < 2; row++) {
    for (let y = 0; y < 64; y++) {
      for (let x = 0; x < 64; x++) {
        let gx = 0, gy = 0;
        for (let j = 0; j < 3; j++) {
          for (let i = 0; i < 3; i++) {
            gx += kernel[j][i] * at(row, y + j - 1, x + i - 1);
            gy += kernel[i][j] * at(row, y + j - 1, x + i - 1);
          }
        }
        const expected = Math.sqrt(gx * gx + gy * gy);
        assertClose(map.data[(row * 64 + y) * 64 + x], expected, 1e-5);
      }
    }
  }
  await classifier.dispose();
});
