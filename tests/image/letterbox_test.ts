import assert from "node:assert/strict";
import { ImageError } from "../../src/base/errors.ts";
import { readNpy } from "../../src/base/npy.ts";
import { frameOf, placeRect } from "../../src/image/geometry.ts";
import { floatMap, rgbImage } from "../../src/image/image.ts";
import {
  darknetLetterbox,
  letterbox,
  letterboxDarknet,
  letterboxPlacement,
  paperLetterbox,
} from "../../src/image/letterbox.ts";
import { letterboxMap } from "./map_oracles.ts";
import { resizePillowFloat } from "../../src/image/pillow.ts";
import { imageOf, readBytes, resizeGoldens } from "./pillow_golden.ts";
import { assertEvery, assertLess } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

// deno-fmt-ignore
const ROW = [97,13,0,93,24,57,127,39,76,113,44,107,96,25,22,122,89,86,114,57,122,225,7,75,172,23,118];
// deno-fmt-ignore
const COLUMN = [41,45,0,93,34,60,87,116,22,0,144,53,88,122,45,15,188,44,17,154,46,89,218,142,67,206,115];

Deno.test("the paper's letterbox is Pillow's bicubic resize between black bars", () => {
  for (const golden of resizeGoldens.letterbox) {
    const source = imageOf(resizeGoldens.sources[golden.source]);
    assert.deepEqual(letterbox(source, golden.width, golden.height), imageOf(golden));
  }
  assert.equal(resizeGoldens.letterbox.length, 2);
});

Deno.test("the paper's letterbox cuts the shorter side to whole pixels, odd bars smaller in front", () => {
  assert.deepEqual(paperLetterbox({ width: 100, height: 67 }, 64, 64), {
    frameWidth: 64,
    frameHeight: 64,
    width: 64,
    height: 42,
    left: 0,
    top: 11,
  });
  const { width, left } = paperLetterbox({ width: 41, height: 160 }, 97, 97);
  assert.deepEqual([width, left], [24, 36]); // 24.86 → 24; 73 to share: 36 before, 37 after
});

Deno.test("a strip whose shorter side would vanish is refused with its size", () => {
  assert.throws(() => letterbox(rgbImage(400, 1), 96, 96), (error) => {
    assert(error instanceof ImageError, String(error));
    assert.match(error.message, /^Cannot letterbox an image of 400 x 1 pixels into 96 x 96: .*0/);
    return true;
  });
  assert.throws(() => letterboxDarknet(rgbImage(96, 1), 96, 96), ImageError);
});

Deno.test("a map is letterboxed like an image, with bars of 0", () => {
  const map = floatMap(7, 3, Float32Array.from({ length: 21 }, (_, i) => Math.sin(i) + 2));
  const boxed = letterboxMap(map, 15, 15);
  const inner = resizePillowFloat(map.data, 7, 3, 15, 6, "bicubic");
  assert.deepEqual(boxed.data.slice(4 * 15, 10 * 15), inner);
  assertEvery(boxed.data.subarray(0, 4 * 15), (value) => value === 0);
  assertEvery(boxed.data.subarray(10 * 15), (value) => value === 0);
});

Deno.test("Darknet's letterbox of a row and of a column of pixels is met bit for bit", () => {
  const row = rgbImage(9, 1, Uint8Array.from(ROW)),
    column = rgbImage(1, 9, Uint8Array.from(COLUMN));
  assert.deepEqual(letterboxDarknet(row, 32, 32), readNpy(readBytes("row.npy")).data);
  assert.deepEqual(letterboxDarknet(column, 32, 32), readNpy(readBytes("col.npy")).data);
});

Deno.test("Darknet's letterbox of a plain image is the plain level between bars of one half", () => {
  const plain = rgbImage(4, 2, new Uint8Array(24).fill(51));
  const planes = letterboxDarknet(plain, 8, 8);
  const column = [0.5, 0.5, 0.2, 0.2, 0.2, 0.2, 0.5, 0.5];
  planes.forEach((value, i) => {
    const expected = column[Math.floor(i / 8) % 8];
    assertClose(value, expected, 1e-7, String(i));
  });
});

Deno.test("Darknet's nearly black last row, where rounding drops its second term, is kept", () => {
  // 61 rows onto 96 is one of the height pairs with the quirk; 60 rows is not.
  const middle = (height: number, row: number) => {
    const white = rgbImage(30, height, new Uint8Array(30 * height * 3).fill(255));
    return letterboxDarknet(white, 96, 96)[row * 96 + 48];
  };
  assertClose(middle(61, 94), 1, 1e-6);
  assertLess(middle(61, 95), 1e-4);
  assertClose(middle(60, 95), 1, 1e-6);
});

Deno.test("a placement takes the whole image onto its part of the frame", () => {
  const size = { width: 100, height: 67 };
  const paper = paperLetterbox(size, 64, 64);
  const { x0, y0, x1, y1 } = placeRect(letterboxPlacement(size, paper), frameOf(size));
  assertClose([x0, y0, x1, y1], [0, 11, 64, 53], 1e-12);
  // Darknet's boxes use the exact half of an odd padding.
  const odd = { width: 41, height: 160 };
  const darknet = darknetLetterbox(odd, 97, 97);
  assert.equal(darknet.left, 36);
  assert.equal((darknet.frameWidth - darknet.width) / 2, 36.5);
});
