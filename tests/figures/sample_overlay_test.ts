import assert from "node:assert/strict";
import sharp from "sharp";
import { mapColour } from "../../src/figures/drawing/colour.ts";
import { overlay } from "../../src/figures/overlay.ts";
import { mapPicture, sampleOverlay } from "../../src/figures/sample_overlay.ts";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import { svgToPng } from "../../src/image/render.ts";
import { assertEvery, assertLess } from "../assert_that.ts";

/** An image of one colour. */
function plain(width: number, height: number, colour: readonly [number, number, number]): RgbImage {
  const image = rgbImage(width, height);
  for (let i = 0; i < image.data.length; i++) image.data[i] = colour[i % 3];
  return image;
}

/** Decodes a PNG and gives its pixels by position. */
async function pixels(png: Uint8Array): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return (x, y) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
}

function assertNear(found: readonly number[], expected: readonly number[], tolerance: number) {
  assert.ok(
    found.every((value, i) => Math.abs(value - expected[i]) <= tolerance),
    `${found} is not within ${tolerance} of ${expected}`,
  );
}

Deno.test("a rendered overlay shows the map's colour where the map is high and the photo where it is 0", async () => {
  const photo: [number, number, number] = [40, 120, 200];
  // Left half 0, right half 1.
  const map = {
    width: 8,
    height: 8,
    data: Float32Array.from({ length: 64 }, (_, i) => i % 8 < 4 ? 0 : 1),
  };
  const data = await sampleOverlay({
    title: "t",
    image: plain(200, 100, photo),
    map,
    boxes: [{ label: "b", x0: 120, y0: 30, x1: 180, y1: 80, importance: 1, salient: true }],
  });
  assert.deepEqual([data.width, data.height], [200, 100]);
  const svg = overlay(data, { text: "outlines", legend: false });
  const [width, height] = ["width", "height"].map((name) =>
    Number(new RegExp(`${name}="(\\d+)"`).exec(svg)![1])
  );
  // Drawn four times as large, so that lines have an inside.
  const large = await pixels(await svgToPng(svg, { width: 4 * width }));
  const at = (x: number, y: number) => large(Math.round(4 * x), Math.round(4 * y));
  // The picture starts at the left margin of 10, below the title.
  const near = (found: number[]) => found.every((value, i) => Math.abs(value - photo[i]) < 12);
  const top = Array.from({ length: height }, (_, y) => y).find((y) => near(at(20, y)))!;
  assertNear(at(10 + 20, top + 50), photo, 4); // JPEG's rounding
  const { r, g, b, opacity } = mapColour(1);
  const mixed = [r, g, b].map((channel, i) => channel * opacity + photo[i] * (1 - opacity));
  assertNear(at(10 + 150, top + 60), mixed, 4); // inside the box
  assertNear(at(10 + 190, top + 20), mixed, 4); // outside of it, the map is the same
  assertNear(at(10 + 120, top + 60), [255, 255, 255], 1); // the box's line
});

Deno.test("a view is cut out and enlarged, with map and boxes in its place", async () => {
  const image = plain(400, 400, [0, 0, 0]);
  const data = await sampleOverlay({
    title: "t",
    image,
    view: { x0: 100, y0: 200, x1: 200, y1: 300 },
    map: {
      width: 4,
      height: 4,
      data: new Float32Array(16),
      region: { x0: 100, y0: 200, x1: 150, y1: 250 },
    },
    boxes: [{ label: "b", x0: 125, y0: 225, x1: 150, y1: 300, importance: 0.2, salient: false }],
    threshold: 0.3,
  });
  assert.deepEqual([data.width, data.height], [288, 288]);
  assert.deepEqual(data.map!.region, { x0: 0, y0: 0, x1: 144, y1: 144 });
  const [{ x0, y0, x1, y1, importance, salient }] = data.boxes;
  assert.deepEqual({ x0, y0, x1, y1 }, { x0: 72, y0: 72, x1: 144, y1: 288 });
  assert.deepEqual([importance, salient, data.threshold], [0.2, false, 0.3]);
});

Deno.test("a view over the edge is black there", async () => {
  const data = await sampleOverlay({
    title: "t",
    image: plain(100, 100, [250, 250, 250]),
    view: { x0: -50, y0: 0, x1: 50, y1: 100 },
    boxes: [],
    width: 100,
  });
  const jpeg = Uint8Array.fromBase64(data.imageHref!.split(",")[1]);
  const at = await pixels(await sharp(jpeg).png().toBuffer());
  assertNear(at(20, 50), [0, 0, 0], 6);
  assertNear(at(80, 50), [250, 250, 250], 6);
});

Deno.test("the map's picture holds the scale's colours and opacities, and is undefined with any NaN", () => {
  const picture = mapPicture({ width: 3, height: 1, data: Float32Array.of(0, 0.6, 1) })!;
  assert.deepEqual([picture.width, picture.height], [3, 1]);
  const expected = [0, 0.6, 1].flatMap((value) => {
    const { r, g, b, opacity } = mapColour(value);
    return [r, g, b, 255 * opacity].map(Math.round);
  });
  assert.deepEqual([...picture.data], expected);
  assert.equal(mapPicture({ width: 2, height: 1, data: Float32Array.of(0, NaN) }), undefined);
});

Deno.test("a large map is reduced to 160 pixels on its longer side", () => {
  const picture = mapPicture({
    width: 640,
    height: 320,
    data: new Float32Array(640 * 320).fill(1),
  })!;
  assert.deepEqual([picture.width, picture.height], [160, 80]);
  assertEvery(picture.data, (value, i) => value === picture.data[i % 4]);
});

Deno.test("a sample of 288 pixels costs less than 60 kB, so 24 stay below 2 MB", async () => {
  // The worst case for JPEG: noise. Photographs take about a quarter.
  const image = rgbImage(288, 288);
  let state = 1;
  for (let i = 0; i < image.data.length; i++) {
    state = (state * 16807) % 2147483647;
    image.data[i] = 96 + (state % 64);
  }
  const map = {
    width: 227,
    height: 227,
    data: Float32Array.from(
      { length: 227 * 227 },
      (_, i) => 0.5 + 0.5 * Math.sin(i / 9000) * Math.cos((i % 227) / 40),
    ),
  };
  const data = await sampleOverlay({
    title: "t",
    image,
    view: { x0: 0, y0: 0, x1: 288, y1: 288 },
    map,
    boxes: [],
  });
  const size = overlay(data).length;
  assertLess(size, 60_000);
});

Deno.test("sampleOverlay refuses an empty view and a map that does not fit its size", async () => {
  const source = { title: "t", image: plain(10, 10, [0, 0, 0]), boxes: [] };
  await assert.rejects(
    sampleOverlay({ ...source, view: { x0: 5, y0: 5, x1: 5, y1: 9 } }),
    RangeError,
  );
  await assert.rejects(
    sampleOverlay({ ...source, map: { width: 2, height: 2, data: new Float32Array(3) } }),
    RangeError,
  );
});
