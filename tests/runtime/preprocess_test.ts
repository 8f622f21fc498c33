import assert from "node:assert/strict";
import { ImageError } from "../../src/base/errors.ts";
import { createRng } from "../../src/base/rng.ts";
import { placePoint, type Rect } from "../../src/image/geometry.ts";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import { resizePillow } from "../../src/image/pillow.ts";
import type { InputSpec } from "../../src/runtime/card.ts";
import { inputPlacement, prepare } from "../../src/runtime/preprocess.ts";
import { assertClose } from "../assert_close.ts";
import { assertEvery } from "../assert_that.ts";

const spec = (changes: Partial<InputSpec> = {}): InputSpec => ({
  name: "x",
  width: 24,
  height: 24,
  channels: "rgb",
  fit: "stretch",
  resize: "pillow-bilinear",
  scale: 1,
  mean: [0],
  std: [1],
  ...changes,
});

function noise(width: number, height: number, seed = 1): RgbImage {
  const rng = createRng(seed);
  return rgbImage(
    width,
    height,
    Uint8Array.from({ length: 3 * width * height }, () => rng.below(256)),
  );
}

const whole = ({ width, height }: RgbImage): Rect => ({ x0: 0, y0: 0, x1: width, y1: height });

Deno.test("values are (channel · scale - mean) / std in the order of the channels", () => {
  // Two pixels at the input's own size: nothing is resampled.
  const image = rgbImage(2, 1, Uint8Array.of(10, 20, 30, 200, 100, 50));
  const at = (
    changes: Partial<InputSpec>,
    meanImage?: Float32Array,
  ) => [...prepare(image, whole(image), spec({ width: 2, height: 1, ...changes }), meanImage)];
  const close = (found: number[], expected: number[]) => {
    assert.equal(found.length, expected.length);
    assertClose(found, expected, 1e-5, `${found}`);
  };
  close(at({}), [10, 200, 20, 100, 30, 50]);
  close(at({ channels: "bgr" }), [30, 50, 20, 100, 10, 200]);
  close(at({ scale: 0.1, mean: [1, 2, 3], std: [1, 2, 4] }), [0, 19, 0, 4, 0, 0.5]);
  close(at({ mean: [10], std: [2] }), [0, 95, 5, 45, 10, 20]);
  const grey = [0.2989 * 10 + 0.587 * 20 + 0.114 * 30, 0.2989 * 200 + 0.587 * 100 + 0.114 * 50];
  close(at({ channels: "grey" }), grey);
  close(
    at({ channels: "grey", scale: 1 / 255, mean: [0.5], std: [0.5] }),
    grey.map((value) => value / 127.5 - 1),
  );
  // A mean image takes the place of the mean.
  const meanImage = Float32Array.of(1, 2, 3, 4, 5, 6);
  close(at({ mean: [100] }, meanImage), [9, 198, 17, 96, 25, 44]);
  close(at({ channels: "grey" }, Float32Array.of(1, 2)), [grey[0] - 1, grey[1] - 2]);
});

Deno.test("stretched by a Pillow filter it is Pillow's resize of the region, at its fractional place", () => {
  const image = noise(40, 30);
  for (
    const [resize, filter] of [
      ["pillow-bilinear", "bilinear"],
      ["pillow-bicubic", "bicubic"],
      ["pillow-lanczos", "lanczos"],
    ] as const
  ) {
    for (const region of [whole(image), { x0: 3.25, y0: 4.5, x1: 31.75, y1: 28 }]) {
      const expected = resizePillow(image, 24, 24, filter, region);
      const found = prepare(image, region, spec({ resize }));
      for (let i = 0; i < 24 * 24; i++) {
        for (let c = 0; c < 3; c++) assert.equal(found[c * 576 + i], expected.data[3 * i + c]);
      }
    }
  }
});

/** A black image with a white square around a point. */
function spot(width: number, height: number, x: number, y: number, radius: number): RgbImage {
  const data = new Uint8Array(3 * width * height);
  for (let row = Math.round(y - radius); row < Math.round(y + radius); row++) {
    for (let column = Math.round(x - radius); column < Math.round(x + radius); column++) {
      data.fill(255, 3 * (row * width + column), 3 * (row * width + column) + 3);
    }
  }
  return rgbImage(width, height, data);
}

/** Centre of brightness of a prepared input, in continuous pixels. */
function centroid(values: Float32Array, width: number, height: number): [number, number] {
  let sum = 0, x = 0, y = 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = values[row * width + column];
      sum += value;
      x += value * (column + 0.5);
      y += value * (row + 0.5);
    }
  }
  return [x / sum, y / sum];
}

Deno.test("the placement says where the picture is put, for every fit and filter", () => {
  const fits = ["stretch", "letterbox", "pad-end", "pad-centre", "centre-crop"] as const;
  const filters = [
    "pillow-bilinear",
    "pillow-bicubic",
    "bilinear-half-pixel",
    "bilinear-asymmetric",
  ] as const;
  const regions: Rect[] = [
    { x0: 0, y0: 0, x1: 120, y1: 90 },
    { x0: 20, y0: 10, x1: 110, y1: 80 },
    // Over the edge on two sides.
    { x0: 30, y0: -15, x1: 150, y1: 85 },
  ];
  for (const fit of fits) {
    for (const resize of filters) {
      // As TensorFlow.js' resize has it, this one is shifted by up to half a pixel.
      const tolerance = resize === "bilinear-asymmetric" && fit !== "letterbox" ? 1.6 : 0.35;
      for (const region of regions) {
        const input = spec({ width: 48, height: 40, fit, resize });
        const image = spot(120, 90, 68, 46, 8);
        const [x, y] = centroid(prepare(image, region, input), 48, 40);
        const [u, v] = placePoint(inputPlacement(region, input), 68, 46);
        const off = Math.hypot(x - u, y - v);
        assert.ok(off < tolerance, `${fit} ${resize} ${JSON.stringify(region)}: ${off} pixels off`);
      }
    }
  }
});

Deno.test("what is beside the picture is black, before the mean is subtracted", () => {
  const white = rgbImage(40, 20, new Uint8Array(3 * 800).fill(255));
  const rowsOf = (fit: InputSpec["fit"]) => {
    const values = prepare(
      white,
      whole(white),
      spec({ fit, mean: [100], resize: "pillow-bilinear" }),
    );
    // The middle column of the first channel.
    return Array.from({ length: 24 }, (_, row) => values[row * 24 + 12]);
  };
  const rows = (black: number, light: number, rest: number) => [
    ...new Array(black).fill(-100),
    ...new Array(light).fill(155),
    ...new Array(rest).fill(-100),
  ];
  assert.deepEqual(rowsOf("letterbox"), rows(6, 12, 6));
  assert.deepEqual(rowsOf("stretch"), rows(0, 24, 0));
  assert.deepEqual(rowsOf("centre-crop"), rows(0, 24, 0));
  for (const [fit, [from, to]] of [["pad-end", [0, 12]], ["pad-centre", [6, 18]]] as const) {
    // The filter blends a row or two at each edge of the bar.
    rowsOf(fit).forEach((value, row) => {
      const inside = row >= from + 1 && row < to - 1, outside = row < from - 1 || row >= to + 1;
      if (inside) assert.equal(value, 155, `${fit} row ${row}`);
      if (outside) assert.equal(value, -100, `${fit} row ${row}`);
    });
  }
});

Deno.test("centre-crop is torchvision's Resize and CenterCrop", () => {
  // 50 × 30 with the shorter side 28: 46 × 28 (46.67 cut), then columns 11 … 34 and rows 2 … 25.
  const image = noise(50, 30);
  const input = spec({ fit: "centre-crop", shorterSide: 28, resize: "pillow-bilinear" });
  const resized = resizePillow(image, 46, 28, "bilinear");
  const found = prepare(image, whole(image), input);
  for (let y = 0; y < 24; y++) {
    for (let x = 0; x < 24; x++) {
      assert.equal(found[y * 24 + x], resized.data[3 * ((y + 2) * 46 + x + 11)]);
    }
  }
});

Deno.test("a region of less than a pixel, or too thin to be letterboxed, is the image's error", () => {
  const image = noise(10, 10);
  const tiny = { x0: 2, y0: 2, x1: 2.2, y1: 5 };
  assert.throws(() => prepare(image, tiny, spec({ fit: "pad-end" })), ImageError);
  assert.throws(() => inputPlacement(tiny, spec({ fit: "letterbox" })), ImageError);
  const strip = noise(400, 1);
  assert.throws(() => prepare(strip, whole(strip), spec({ fit: "letterbox" })), ImageError);
  assertEvery(prepare(strip, whole(strip), spec()), Number.isFinite);
});
