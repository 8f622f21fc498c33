import assert from "node:assert/strict";
import { floatMap, rgbImage } from "../../src/image/image.ts";

Deno.test("an image without bytes is black", () => {
  assert.deepEqual(rgbImage(2, 1), { width: 2, height: 1, data: new Uint8Array(6) });
});

Deno.test("an image keeps the bytes it is made from", () => {
  const data = Uint8Array.of(1, 2, 3);
  assert.equal(rgbImage(1, 1, data).data, data);
});

Deno.test("sizes that do not fit are refused", () => {
  assert.throws(() => rgbImage(0, 4), RangeError);
  assert.throws(() => rgbImage(2.5, 4, new Uint8Array(30)), RangeError);
  assert.throws(() => rgbImage(2, 2, new Uint8Array(11)), /12 are needed/);
  assert.throws(() => floatMap(2, 2, new Float32Array(3)), /4 are needed/);
  assert.throws(() => floatMap(NaN, 2, new Float32Array(0)), RangeError);
});
