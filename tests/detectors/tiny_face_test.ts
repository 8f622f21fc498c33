import assert from "node:assert/strict";
import { ImageError, ModelError } from "../../src/base/errors.ts";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { rgbImage } from "../../src/image/image.ts";
import { type NetworkCard, parseCard } from "../../src/runtime/card.ts";
import {
  containment,
  decodeTinyFace,
  type FaceBox,
  openTinyFace,
  suppress,
} from "../../src/detectors/tiny_face.ts";
import { largestDifference, readReference, toChannelsFirst } from "../nets_helpers.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast, assertMore } from "../assert_that.ts";

const models = new URL("../../models/", import.meta.url);
const card = parseCard(
  await Deno.readTextFile(new URL("tiny-face.json", models)),
  "tiny-face",
) as NetworkCard;
const ANCHORS = card.decoder["anchors"] as [number, number][];

Deno.test("boxes decoded from TensorFlow.js's grids are face-api's to half a pixel", async () => {
  const golden = new URL("../golden/nets/", import.meta.url);
  const reference = JSON.parse(await Deno.readTextFile(new URL("reference.json", golden)));
  for (const sample of ["sample1", "sample3"]) {
    const grid = toChannelsFirst(
      await readReference(new URL(`${sample}_tfd416_grid_nhwc.npy`, golden)),
    );
    const image = reference.origin.image[sample];
    const decoded = decodeTinyFace(grid, {
      image,
      size: 416,
      anchors: ANCHORS,
      scoreThreshold: 0.5,
    });
    const boxes = suppress(decoded, 0.4);
    const expected: { score: number; box: number[] }[] = reference[`${sample}_416`];
    assert.equal(boxes.length, expected.length);
    boxes.forEach(({ x0, y0, x1, y1, confidence }, i) => {
      const { score, box } = expected[i];
      assertClose(confidence, score, 1e-3);
      const difference = largestDifference([x0, y0, x1 - x0, y1 - y0], box);
      assert.ok(difference <= 0.5, `${sample} ${i}: ${difference} px`);
    });
  }
});

/** A grid whose scores are all far below any threshold but for one cell of one anchor. */
function gridWith(cells: number, at: { anchor: number; row: number; column: number }, t: number[]) {
  const data = new Float32Array(10 * cells * cells).fill(-50);
  t.forEach((value, k) => {
    data[((at.anchor * 5 + k) * cells + at.row) * cells + at.column] = value;
  });
  return floats([1, 10, cells, cells], data);
}

Deno.test("one cell decodes to the box computed by hand", () => {
  // 64 px input, 2 cells; a square image of 128 px: a cell is 64 image pixels.
  const grid = gridWith(2, { anchor: 1, row: 1, column: 0 }, [0, Math.log(3), 0, Math.log(2), 0]);
  const anchors: [number, number][] = [[9, 9], [0.5, 0.25]];
  const square = { width: 128, height: 128 };
  const [box, ...more] = decodeTinyFace(grid, {
    image: square,
    size: 64,
    anchors,
    scoreThreshold: 0.3,
  });
  assert.equal(more.length, 0);
  // Centre (0 + 0.5, 1 + 0.75) cells, extent 0.5 x 0.5 cells.
  assertClose([box!.x0, box!.y0, box!.x1, box!.y1], [16, 96, 48, 128], 1e-4, JSON.stringify(box));
  assert.equal(box!.confidence, 0.5);
});

Deno.test("the shorter side is rounded half up before coordinates are scaled back", () => {
  // Scaled to 64 px, a side of 125 of 200 px is 40 exactly; 13 of 128 is 6.5, which face-api makes 7.
  const grid = gridWith(2, { anchor: 0, row: 0, column: 0 }, [0, 0, 0, 0, 5]);
  const y = (height: number, width: number) => {
    const [box] = decodeTinyFace(grid, {
      image: { width, height },
      size: 64,
      anchors: [[1, 1], [1, 1]],
      scoreThreshold: 0.3,
    });
    return (box!.y0 + box!.y1) / 2;
  };
  assertClose(y(125, 200), 16 * 125 / 40, 1e-9);
  assertClose(y(13, 128), 16 * 13 / 7, 1e-9);
  // 1 of 1000 px is 0.064: counted as one pixel, so that the result stays finite.
  assertClose(y(1, 1000), 16, 1e-9);
});

Deno.test("a score equal to the threshold and a NaN are dropped", () => {
  const settings = {
    image: { width: 64, height: 64 },
    size: 64,
    anchors: [[1, 1], [1, 1]] as [number, number][],
    scoreThreshold: 0.5,
  };
  const at = { anchor: 0, row: 0, column: 0 };
  assert.equal(decodeTinyFace(gridWith(2, at, [0, 0, 0, 0, 0]), settings).length, 0);
  assert.equal(decodeTinyFace(gridWith(2, at, [0, 0, 0, 0, 1e-3]), settings).length, 1);
  assert.equal(decodeTinyFace(gridWith(2, at, [0, 0, 0, 0, NaN]), settings).length, 0);
  assert.throws(
    () => decodeTinyFace(gridWith(2, at, [0]), { ...settings, anchors: ANCHORS }),
    ModelError,
  );
});

/** face-api's loop: take the last of the ascending list, drop what overlaps it, repeat. */
function slowSuppress(boxes: FaceBox[], threshold: number): FaceBox[] {
  const overlap = (a: FaceBox, b: FaceBox) => {
    const width = Math.max(0, Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0));
    const height = Math.max(0, Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0));
    const size = (r: FaceBox) => (r.x1 - r.x0) * (r.y1 - r.y0);
    return width * height / (size(a) + size(b) - width * height);
  };
  let left = [...boxes].sort((a, b) => a.confidence - b.confidence);
  const kept: FaceBox[] = [];
  while (left.length) {
    const best = left.pop()!;
    kept.push(best);
    left = left.filter((box) => overlap(best, box) <= threshold);
  }
  return kept;
}

Deno.test("suppress keeps what face-api's loop keeps, ties included", () => {
  const rng = createRng(7);
  let dropped = 0;
  for (let trial = 0; trial < 50; trial++) {
    const boxes = Array.from({ length: 20 }, (): FaceBox => {
      const [x0, y0] = [rng.below(60), rng.below(60)];
      // Few distinct scores, so that many are equal.
      const confidence = (1 + rng.below(5)) / 8;
      return { x0, y0, x1: x0 + 10 + rng.below(30), y1: y0 + 10 + rng.below(30), confidence };
    });
    const kept = suppress(boxes, 0.4);
    assert.deepEqual(kept, slowSuppress(boxes, 0.4));
    dropped += boxes.length - kept.length;
  }
  assertMore(dropped, 100);
});

Deno.test("containment is the shared part of the smaller box", () => {
  const a = { x0: 0, y0: 0, x1: 10, y1: 10 };
  assert.equal(containment(a, { x0: 5, y0: 5, x1: 7, y1: 9 }), 1);
  assert.equal(containment(a, { x0: 8, y0: 0, x1: 12, y1: 5 }), 0.5);
  assert.equal(containment(a, { x0: 20, y0: 0, x1: 21, y1: 5 }), 0);
  assert.equal(containment(a, { x0: 1, y0: 1, x1: 1, y1: 5 }), 0);
});

Deno.test("openTinyFace refuses a decoder section with a size that is not a multiple of 32", async () => {
  const model = await Deno.readFile(new URL("tiny-face.onnx", models));
  const broken = { ...card, decoder: { ...card.decoder, sizes: [416, 500] } };
  await assert.rejects(openTinyFace(networkOf(broken, model), "native"), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, /Cannot use model tiny-face: decoder\.sizes\.1/);
    return true;
  });
});

Deno.test("all 24 faces of the shipped photographs are found and nothing else, and too long a strip is refused", async () => {
  // Counted and compared with the boxes by eye.
  const faces = {
    astronaut: 1,
    hopper: 1,
    group1: 3,
    group2: 3,
    group3: 3,
    group4: 4,
    group5: 5,
    group6: 4,
  };
  const model = await Deno.readFile(new URL("tiny-face.onnx", models));
  const finder = await openTinyFace(networkOf(card, model), "native");
  try {
    for (const [name, count] of Object.entries(faces)) {
      const image = await decodeImage(
        await Deno.readFile(new URL(`photos/${name}.jpg`, models)),
      );
      const found = await finder.find(image);
      assert.equal(found.length, count, name);
      for (let i = 1; i < found.length; i++) {
        assertAtLeast(found[i - 1].confidence, found[i].confidence);
      }
    }
    const strip = rgbImage(20000, 1);
    await assert.rejects(
      finder.find(strip),
      (error) => error instanceof ImageError && /20000 x 1 pixels/.test(error.message),
    );
  } finally {
    await finder.dispose();
  }
});
