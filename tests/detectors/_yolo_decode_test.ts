import assert from "node:assert/strict";
import { ImageError } from "../../src/base/errors.ts";
import { createRng } from "../../src/base/rng.ts";
import {
  decodeDarknet,
  decodeLightnet,
  type YoloHead,
  type YoloRows,
} from "../../src/detectors/_yolo_decode.ts";
import { darknetLetterbox } from "../../src/image/letterbox.ts";
import { checkDarknet, checkLightnet, denseRows, NETS } from "./yolo_goldens.ts";
import { assertAtMost, assertMore } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const GOLDEN = new URL("../golden/yolo/", import.meta.url);
const FOLDERS = { mini3: "hopper", odd: "coffee", tiny: "astronaut" };

Deno.test("Darknet's boxes and kept sets follow bit for bit from its logits", () => {
  let compared = 0;
  for (const [net, photo] of Object.entries(FOLDERS)) {
    compared += checkDarknet(new URL(`${net}/${photo}/`, GOLDEN), NETS[net]);
  }
  assert.equal(compared, 12);
});

Deno.test("lightnet's boxes and kept sets follow from its logits", () => {
  for (const [net, photo] of Object.entries(FOLDERS)) {
    assertAtMost(checkLightnet(new URL(`${net}/${photo}/`, GOLDEN), NETS[net]), 1e-6);
  }
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const ANCHORS: [number, number][][] = [[[30, 60], [50, 20]], [[10, 12]]];
const FRAME = { width: 96, height: 64 };
const CLASSES = 4;

/** Two heads of random logits: 3 × 2 cells with two anchors, 6 × 4 with one. */
function randomHeads(seed: number): YoloHead[] {
  const rng = createRng(seed);
  return ANCHORS.map((anchors, k) => {
    const width = 3 * 2 ** k, height = 2 * 2 ** k;
    const logits = Float32Array.from(
      { length: anchors.length * (5 + CLASSES) * width * height },
      () => 1.5 * rng.normal(),
    );
    return { name: `yolo${k}`, logits, width, height, anchors };
  });
}

/** Every box of every head with its entries, in the order heads, rows, columns, anchors. */
function* entriesOf(heads: readonly YoloHead[]) {
  for (const head of heads) {
    for (let row = 0; row < head.height; row++) {
      for (let column = 0; column < head.width; column++) {
        for (const [a, anchor] of head.anchors.entries()) {
          const at = (entry: number) =>
            head.logits[((a * (5 + CLASSES) + entry) * head.height + row) * head.width + column];
          const classes = Array.from({ length: CLASSES }, (_, c) => at(5 + c));
          yield { head, row, column, anchor, at, classes };
        }
      }
    }
  }
}

const near = (rows: number[][], expected: number[][], tolerance: number) => {
  assert.equal(rows.length, expected.length);
  rows.forEach((row, i) =>
    row.forEach((value, j) =>
      assertClose(
        value,
        expected[i][j],
        tolerance * Math.max(1, Math.abs(expected[i][j])),
        `row ${i}, place ${j}`,
      )
    )
  );
};

Deno.test("decodeDarknet() follows the rule as it is written down, in double precision", () => {
  for (const image of [{ width: 200, height: 77 }, { width: 77, height: 200 }]) {
    for (const confidence of [0, .1, .4]) {
      const heads = randomHeads(4);
      const wide = FRAME.width / image.width < FRAME.height / image.height;
      const nw = wide ? FRAME.width : Math.floor(image.width * FRAME.height / image.height);
      const nh = wide ? Math.floor(image.height * FRAME.width / image.width) : FRAME.height;
      const expected: number[][] = [];
      for (const { head, row, column, anchor, at, classes } of entriesOf(heads)) {
        const objectness = sigmoid(at(4));
        if (!(objectness > confidence)) continue;
        const x = (column + sigmoid(at(0))) / head.width, y = (row + sigmoid(at(1))) / head.height;
        expected.push([
          (x - (FRAME.width - nw) / 2 / FRAME.width) / (nw / FRAME.width) * image.width,
          (y - (FRAME.height - nh) / 2 / FRAME.height) / (nh / FRAME.height) * image.height,
          Math.exp(at(2)) * anchor[0] / nw * image.width,
          Math.exp(at(3)) * anchor[1] / nh * image.height,
          objectness,
          ...classes.map((logit) => objectness * sigmoid(logit))
            .map((probability) => probability > confidence ? probability : 0),
        ]);
      }
      const geometry = darknetLetterbox(image, FRAME.width, FRAME.height);
      const rows = decodeDarknet(heads, { classes: CLASSES, confidence, image, geometry });
      near(denseRows(rows), expected, 1e-6);
      assertMore(expected.length, 5);
    }
  }
});

Deno.test("decodeLightnet() follows the rule as it is written down", () => {
  for (const confidence of [0, .05, .3]) {
    const heads = randomHeads(5);
    const expected: number[][] = [];
    for (const { head, row, column, anchor, at, classes } of entriesOf(heads)) {
      const stride = Math.floor(FRAME.height / head.height);
      const exponentials = classes.map(Math.exp);
      const sum = exponentials.reduce((a, b) => a + b);
      const best = classes.indexOf(Math.max(...classes));
      const score = sigmoid(at(4)) * exponentials[best] / sum;
      if (!(score > confidence)) continue;
      expected.push([
        (column + sigmoid(at(0))) * stride,
        (row + sigmoid(at(1))) * stride,
        Math.exp(at(2)) * anchor[0],
        Math.exp(at(3)) * anchor[1],
        sigmoid(at(4)),
        ...classes.map((_, c) => c === best ? score : 0),
      ]);
    }
    const rows = decodeLightnet(heads, { classes: CLASSES, confidence, frame: FRAME });
    // Its rows come anchor by anchor.
    const sorted = (list: number[][]) => list.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    near(sorted(denseRows(rows)), sorted(expected), 1e-6);
    assertMore(expected.length, 3);
  }
});

/** Heads with each grid mirrored left to right: σ(-t) = 1 - σ(t). */
function mirrored(heads: readonly YoloHead[]): YoloHead[] {
  return heads.map((head) => {
    const { width, height } = head;
    const logits = head.logits.map((_, i) => {
      const plane = Math.floor(i / (width * height));
      const row = Math.floor(i / width) % height, column = i % width;
      const value = head.logits[(plane * height + row) * width + (width - 1 - column)];
      return plane % (5 + CLASSES) === 0 ? -value : value;
    });
    return { ...head, logits };
  });
}

Deno.test("mirrored heads give mirrored boxes in both profiles", () => {
  const heads = randomHeads(6), image = { width: 96, height: 64 };
  const geometry = darknetLetterbox(image, FRAME.width, FRAME.height);
  const decode = (of: YoloHead[]): YoloRows[] => [
    decodeDarknet(of, { classes: CLASSES, confidence: .1, image, geometry }),
    decodeLightnet(of, { classes: CLASSES, confidence: .1, frame: FRAME }),
  ];
  const sorted = (list: number[][]) => list.sort((a, b) => a[4] - b[4] || a[2] - b[2]);
  const after = decode(mirrored(heads));
  decode(heads).forEach((rows, i) => {
    const expected = denseRows(rows).map(([x, ...rest]) => [FRAME.width - x, ...rest]);
    near(sorted(denseRows(after[i])), sorted(expected), 1e-5);
  });
});

Deno.test("twice the photo has boxes of twice the size, and the same confidences", () => {
  const heads = randomHeads(7);
  const decode = (factor: number) => {
    const image = { width: 50 * factor, height: 30 * factor };
    const geometry = darknetLetterbox(image, FRAME.width, FRAME.height);
    return decodeDarknet(heads, { classes: CLASSES, confidence: .1, image, geometry });
  };
  const once = denseRows(decode(1)), twice = denseRows(decode(2));
  assert.deepEqual(twice, once.map((row) => row.map((value, j) => j < 4 ? 2 * value : value)));
});

Deno.test("logits and boxes that are not finite are refused in both profiles", () => {
  const image = { width: 96, height: 64 };
  const geometry = darknetLetterbox(image, FRAME.width, FRAME.height);
  for (const value of [NaN, Infinity, -Infinity, 1e4]) {
    const heads = randomHeads(8);
    const [{ logits }] = heads;
    logits[2 * 6] = value; // width of the first box
    logits[4 * 6] = 5; // its objectness
    logits[5 * 6] = 9; // its first class
    const reason = value === 1e4 ? /a box of Infinity x/ : /output yolo0 .* holds .* at place 12/;
    const refused = (error: unknown) => error instanceof ImageError && reason.test(error.message);
    const common = { classes: CLASSES, confidence: .25 };
    assert.throws(() => decodeDarknet(heads, { ...common, image, geometry }), refused);
    assert.throws(() => decodeLightnet(heads, { ...common, frame: FRAME }), refused);
  }
});

Deno.test("more candidates than anyone can use are refused with what to do", () => {
  const classes = 150, cells = 120 ** 2;
  const head: YoloHead = {
    name: "yolo0",
    logits: new Float32Array((5 + classes) * cells),
    width: 120,
    height: 120,
    anchors: [[8, 8]],
  };
  const image = { width: 96, height: 96 };
  const geometry = darknetLetterbox(image, 96, 96);
  const decode = (confidence: number) =>
    decodeDarknet([head], { classes, confidence, image, geometry });
  assert.throws(
    () => decode(.1),
    (error) =>
      error instanceof ImageError &&
      /over 2097152 candidate boxes; .*--confidence/.test(error.message),
  );
  assert.equal(decode(.3).classes[0].rows.length, 0);
});
