import assert from "node:assert/strict";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import { crop, cropResize, padToSquare } from "../../src/image/crop.ts";
import { resizePillow } from "../../src/image/pillow.ts";
import { imageOf, resizeGoldens } from "./pillow_golden.ts";

/** Pixel (x, y) of the picture is (10y + x + 1, 0, 7). */
function numbered(width: number, height: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    data.set([10 * Math.floor(i / width) + (i % width) + 1, 0, 7], i * 3);
  }
  return rgbImage(width, height, data);
}
const reds = (image: RgbImage) => [...image.data.filter((_, i) => i % 3 === 0)];

Deno.test("a crop over the corner is black outside the image", () => {
  assert.deepEqual(reds(crop(numbered(3, 2), -1, -1, 2, 2)), [0, 0, 0, 0, 1, 2, 0, 11, 12]);
  assert.deepEqual(reds(crop(numbered(3, 2), 2, 1, 5, 3)), [13, 0, 0, 0, 0, 0]);
});

Deno.test("a crop beside the image is black, and one of everything a copy", () => {
  assert.deepEqual(reds(crop(numbered(3, 2), 7, 0, 9, 1)), [0, 0]);
  assert.deepEqual(crop(numbered(3, 2), 0, 0, 3, 2), numbered(3, 2));
});

Deno.test("crops with fractional corners or without area are refused", () => {
  assert.throws(() => crop(numbered(3, 2), 0.5, 0, 2, 2), RangeError);
  assert.throws(() => crop(numbered(3, 2), 2, 0, 2, 2), RangeError);
});

Deno.test("padding to a square at the end and around the centre", () => {
  assert.deepEqual(reds(padToSquare(numbered(3, 1), "end")), [1, 2, 3, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(reds(padToSquare(numbered(3, 1), "centre")), [0, 0, 0, 1, 2, 3, 0, 0, 0]);
  // Of a difference of 1 the smaller half, nothing, is in front.
  assert.deepEqual(reds(padToSquare(numbered(1, 2), "centre")), [1, 0, 11, 0]);
  assert.deepEqual(padToSquare(numbered(2, 2), "centre"), numbered(2, 2));
});

Deno.test("a rectangle over the edge equals Pillow's resize on a picture widened with black", () => {
  for (const golden of resizeGoldens.over) {
    const source = imageOf(resizeGoldens.sources[golden.source]);
    const [x0, y0, x1, y1] = golden.rect;
    const out = cropResize(source, { x0, y0, x1, y1 }, golden.width, golden.height, golden.filter);
    assert.deepEqual(out, imageOf(golden), `${golden.rect}`);
  }
  assert.equal(resizeGoldens.over.length, 3);
});

Deno.test("a rectangle inside the image is Pillow's resize with a box", () => {
  const source = imageOf(resizeGoldens.sources.photo);
  const box = { x0: 3.25, y0: 1.5, x1: 20.75, y1: 19 };
  assert.deepEqual(
    cropResize(source, box, 9, 9, "lanczos"),
    resizePillow(source, 9, 9, "lanczos", box),
  );
});

Deno.test("a rectangle far outside is black and costs nothing; an empty one is refused", () => {
  const source = numbered(3, 2);
  const far = { x0: 1e7, y0: -1e7, x1: 1e7 + 50, y1: -1e7 + 50 };
  assert.deepEqual(cropResize(source, far, 4, 4, "bicubic"), rgbImage(4, 4));
  assert.throws(() => cropResize(source, { ...far, x1: far.x0 }, 4, 4, "bicubic"), RangeError);
  assert.throws(() => cropResize(source, { ...far, x1: Infinity }, 4, 4, "bicubic"), RangeError);
});
