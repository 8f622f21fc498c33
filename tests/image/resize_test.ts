import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floatMap, type RgbImage, rgbImage } from "../../src/image/image.ts";
import { resizeBilinear } from "../../src/image/bilinear.ts";
import { resizeMapBilinear } from "./map_oracles.ts";
import { resizePillow, resizePillowFloat } from "../../src/image/pillow.ts";
import { floatsOf, imageOf, resizeGoldens } from "./pillow_golden.ts";
import { assertAtLeast, assertEvery } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const image = (name: string) => imageOf(resizeGoldens.sources[name]);

Deno.test("Pillow's five filters, boxes and pass orders are met bit for bit", () => {
  for (const golden of resizeGoldens.resize) {
    const { width, height, filter, box, source } = golden;
    const rect = box ? { x0: box[0], y0: box[1], x1: box[2], y1: box[3] } : undefined;
    const out = resizePillow(image(source), width, height, filter, rect);
    const label = `${source} to ${width} x ${height}, ${filter}, ${box}`;
    assert.deepEqual(out, imageOf(golden), label);
  }
  assertAtLeast(resizeGoldens.resize.length, 20);
});

Deno.test("Pillow's mode F is met bit for bit", () => {
  for (const { from, to, filter, data, out } of resizeGoldens.floats) {
    const resized = resizePillowFloat(floatsOf(data), ...from, ...to, filter);
    assert.deepEqual(resized, floatsOf(out), `${from} to ${to}, ${filter}`);
  }
});

/** Bicubic resampling by its definition: one weighted sum over the whole image for each pixel, in double precision. */
function bicubicByDefinition(source: RgbImage, width: number, height: number, channel: number) {
  const cubic = (x: number) => {
    x = Math.abs(x);
    if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
    return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
  };
  const weights = (size: number, outSize: number, i: number) => {
    const scale = size / outSize, wide = Math.max(1, scale), centre = (i + 0.5) * scale;
    const all = Array.from({ length: size }, (_, p) => cubic((p + 0.5 - centre) / wide));
    const sum = all.reduce((a, b) => a + b);
    return all.map((weight) => weight / sum);
  };
  return Array.from({ length: width * height }, (_, o) => {
    const wx = weights(source.width, width, o % width);
    const wy = weights(source.height, height, Math.floor(o / width));
    let sum = 0;
    for (let y = 0; y < source.height; y++) {
      for (let x = 0; x < source.width; x++) {
        sum += wy[y] * wx[x] * source.data[(y * source.width + x) * 3 + channel];
      }
    }
    return sum;
  });
}

Deno.test("bicubic agrees with its definition in double precision", () => {
  for (const [name, width, height] of [["photo", 12, 9], ["tall", 20, 11]] as const) {
    const source = image(name);
    for (let c = 0; c < 3; c++) {
      const slow = bicubicByDefinition(source, width, height, c);
      const plane = Float32Array.from(source.data.filter((_, i) => i % 3 === c));
      const fast = resizePillowFloat(plane, source.width, source.height, width, height, "bicubic");
      // Two roundings of values up to 255 to single precision.
      assertClose(slow, fast, 5e-5);
    }
  }
});

Deno.test("a plain colour stays itself through every filter and size", () => {
  const source = rgbImage(13, 7, new Uint8Array(13 * 7 * 3).map((_, i) => [200, 0, 255][i % 3]));
  for (const filter of ["box", "bilinear", "hamming", "bicubic", "lanczos"] as const) {
    for (const [width, height] of [[1, 1], [5, 20], [40, 3]]) {
      const { data } = resizePillow(source, width, height, filter);
      assertEvery(data, (value, i) => value === [200, 0, 255][i % 3], filter);
    }
  }
});

Deno.test("resizing to the same size gives a copy", () => {
  const source = image("photo");
  const copy = resizePillow(source, source.width, source.height, "lanczos");
  assert.deepEqual(copy, source);
  assert.notEqual(copy.data, source.data);
});

Deno.test("boxes outside the image, empty boxes and sizes of 0 are refused", () => {
  const source = image("photo");
  const resize = (x0: number, y0: number, x1: number, y1: number) =>
    resizePillow(source, 4, 4, "bicubic", { x0, y0, x1, y1 });
  assert.throws(() => resize(-0.1, 0, 5, 5), /reaches outside/);
  assert.throws(() => resize(0, 0, 31.1, 5), /reaches outside/);
  assert.throws(() => resize(3, 3, 3, 5), /empty/);
  assert.throws(() => resize(NaN, 3, 3, 5), RangeError);
  assert.throws(() => resizePillow(source, 0, 4, "bicubic"), RangeError);
  assert.throws(() => resizePillowFloat(new Float32Array(5), 2, 3, 4, 4, "box"), RangeError);
});

Deno.test("two pixels widened to four, by hand", () => {
  const map = floatMap(2, 1, Float32Array.of(0, 8));
  const wide = (how: "asymmetric" | "half-pixel") => [...resizeMapBilinear(map, 4, 1, how).data];
  assert.deepEqual(wide("half-pixel"), [0, 2, 6, 8]);
  assert.deepEqual(wide("asymmetric"), [0, 4, 8, 8]);
});

Deno.test("four pixels narrowed to two skip pixels: no antialiasing", () => {
  const map = floatMap(1, 4, Float32Array.of(0, 10, 100, 1000));
  assert.deepEqual([...resizeMapBilinear(map, 1, 2, "half-pixel").data], [5, 550]);
  assert.deepEqual([...resizeMapBilinear(map, 1, 2, "asymmetric").data], [0, 100]);
});

Deno.test("bilinear interpolation gives a plane back exactly inside the image", () => {
  const rng = createRng(3);
  const width = 9, height = 6;
  const [a, b, c] = [rng.normal(), rng.normal(), rng.normal()];
  const map = floatMap(
    width,
    height,
    Float32Array.from(
      { length: width * height },
      (_, i) => a + b * (i % width) + c * Math.floor(i / width),
    ),
  );
  const out = resizeMapBilinear(map, 31, 17, "half-pixel");
  for (let y = 0; y < 17; y++) {
    for (let x = 0; x < 31; x++) {
      const u = Math.min(Math.max((x + 0.5) * width / 31 - 0.5, 0), width - 1);
      const v = Math.min(Math.max((y + 0.5) * height / 17 - 0.5, 0), height - 1);
      assertClose(out.data[y * 31 + x], a + b * u + c * v, 2e-6);
    }
  }
});

Deno.test("the channels of an image are interpolated like separate maps", () => {
  const source = image("photo");
  for (const how of ["asymmetric", "half-pixel"] as const) {
    const whole = resizeBilinear(source, 17, 40, how);
    for (let c = 0; c < 3; c++) {
      const plane = Float32Array.from(source.data.filter((_, i) => i % 3 === c));
      const alone = resizeMapBilinear(floatMap(source.width, source.height, plane), 17, 40, how);
      assert.deepEqual(whole.data.filter((_, i) => i % 3 === c), alone.data);
    }
  }
});
