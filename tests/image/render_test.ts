import assert from "node:assert/strict";
import sharp from "sharp";
import { rgbImage } from "../../src/image/image.ts";
import { dataUrl, encodeJpeg, encodePng, svgToPng } from "../../src/image/render.ts";
import { assertAtMost, assertEvery } from "../assert_that.ts";

const SVG =
  `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20"><rect width="40" height="20" fill="#ffffff"/><rect x="10" y="5" width="10" height="10" fill="#ff0000"/></svg>`;

async function decode(file: Uint8Array) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [
    ...data.subarray(
      (y * info.width + x) * info.channels,
      (y * info.width + x + 1) * info.channels,
    ),
  ];
  return { ...info, at };
}

Deno.test("svgToPng draws at the SVG's own size and at a given width", async () => {
  const own = await decode(await svgToPng(SVG));
  assert.deepEqual([own.width, own.height], [40, 20]);
  assert.deepEqual(own.at(15, 10).slice(0, 3), [255, 0, 0]);
  assert.deepEqual(own.at(5, 10).slice(0, 3), [255, 255, 255]);
  const large = await decode(await svgToPng(SVG, { width: 400 }));
  assert.deepEqual([large.width, large.height], [400, 200]);
  // Drawn at that size, not enlarged: the edge at x = 100 is sharp.
  assert.deepEqual(large.at(101, 100).slice(0, 3), [255, 0, 0]);
  assert.deepEqual(large.at(98, 100).slice(0, 3), [255, 255, 255]);
});

Deno.test("svgToPng gives the same bytes for the same SVG", async () => {
  assert.deepEqual(await svgToPng(SVG), await svgToPng(SVG));
});

Deno.test("svgToPng refuses live text, a missing size, a size out of reach and broken XML", async () => {
  const refuses = (svg: string, message: RegExp, width?: number) =>
    assert.rejects(svgToPng(svg, width === undefined ? {} : { width }), { message });
  await refuses(SVG.replace("</svg>", "<text>a</text></svg>"), /live text; make the figure with/);
  await refuses(SVG.replace(' width="40"', ""), /no width and height in pixels/);
  await refuses(SVG, /99999x50000 pixels; choose a width/, 99999);
  await refuses(SVG, /0x1 pixels/, 0.2);
  await refuses(SVG.replace("</svg>", "<rect></svg>"), /^Cannot draw an SVG as PNG: /);
});

Deno.test("svgToPng reads pictures inside the SVG as data, and no files", async () => {
  const png = await encodePng({ width: 1, height: 1, data: Uint8Array.of(0, 0, 255, 255) });
  const image = (href: string) =>
    SVG.replace("</svg>", `<image href="${href}" x="0" y="0" width="5" height="5"/></svg>`);
  const inside = await decode(await svgToPng(image(dataUrl(png, "image/png"))));
  assert.deepEqual(inside.at(2, 2).slice(0, 3), [0, 0, 255]);
  const path = await Deno.makeTempFile({ suffix: ".png" });
  try {
    await Deno.writeFile(path, png);
    const outside = await decode(await svgToPng(image(`file://${path}`)));
    assert.deepEqual(outside.at(2, 2).slice(0, 3), [255, 255, 255]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("encodeJpeg resizes, keeps the colours within JPEG's rounding, and writes no metadata", async () => {
  const image = rgbImage(60, 30);
  for (let i = 0; i < image.data.length; i += 3) image.data.set([200, 100, 50], i);
  const jpeg = await encodeJpeg(image, { width: 20, quality: 90 });
  const { width, height, at } = await decode(jpeg);
  assert.deepEqual([width, height], [20, 10]);
  at(10, 5).forEach((value, i) => assertAtMost(Math.abs(value - [200, 100, 50][i]), 3));
  const metadata = await sharp(jpeg).metadata();
  assert.deepEqual(
    [metadata.exif, metadata.icc, metadata.xmp, metadata.iptc],
    [undefined, undefined, undefined, undefined],
  );
  const coarse = await encodeJpeg(noise(64), { quality: 20 });
  const fine = await encodeJpeg(noise(64), { quality: 95 });
  assert.ok(coarse.length < fine.length / 2, `${coarse.length}, ${fine.length}`);
});

/** A square of repeatable noise. */
function noise(side: number) {
  const image = rgbImage(side, side);
  let state = 7;
  for (let i = 0; i < image.data.length; i++) {
    state = (state * 16807) % 2147483647;
    image.data[i] = state % 256;
  }
  return image;
}

Deno.test("encodePng keeps every pixel and its opacity", async () => {
  const data = Uint8Array.from({ length: 7 * 5 * 4 }, (_, i) => (i * 37) % 256);
  const { data: back, info } = await sharp(await encodePng({ width: 7, height: 5, data })).raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [7, 5, 4]);
  assert.deepEqual([...back], [...data]);
});

Deno.test("encoders refuse data that do not fit the size", async () => {
  await assert.rejects(encodePng({ width: 2, height: 2, data: new Uint8Array(15) }), {
    message: "Cannot encode 2x2 pixels of 4 channels: 15 bytes",
  });
  await assert.rejects(encodeJpeg({ width: 0, height: 2, data: new Uint8Array(0) }), RangeError);
});

Deno.test("encodePng() keeps every pixel of a picture with thousands of colours", async () => {
  const width = 80, height = 60;
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    data.set([i % 256, (i * 7) % 256, (i >> 4) % 256, 128 + i % 128], i * 4);
  }
  const png = await encodePng({ width, height, data });
  const decoded = await sharp(png).ensureAlpha().raw().toBuffer();
  assertEvery(data, (value, i) => decoded[i] === value);
});
