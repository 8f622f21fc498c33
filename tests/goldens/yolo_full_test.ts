/**
 * YOLO detectors through the whole chain: cfg and weights are imported, the detector is opened by its card, and finds what Darknet and
 * lightnet find in the same photos.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { readNpy } from "../../src/base/npy.ts";
import type { Box } from "../../src/detectors/mod.ts";
import { openYolo, type YoloOptions } from "../../src/detectors/yolo.ts";
import { decodeImage } from "../../src/image/decode.ts";
import type { RgbImage } from "../../src/image/image.ts";
import {
  letterbox,
  letterboxDarknet,
  letterboxPlacement,
  paperLetterbox,
} from "../../src/image/letterbox.ts";
import { importDarknet } from "../../src/importers/darknet/import.ts";
import { type DetectorCard, findCard, type Located } from "../../src/runtime/card.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { assertNearSet, NETS, readJson } from "../detectors/yolo_goldens.ts";
import { goldenTest } from "../shared_goldens.ts";
import { full608Cfg, writeFull608 } from "./full608_weights.ts";
import { assertAtMost } from "../assert_that.ts";

const PHOTOS = ["astronaut", "coffee", "hopper"];

const read = (url: URL): Promise<RgbImage> =>
  decodeImage(Deno.readFileSync(url), { orientation: "stored" });

async function imported(
  options: Omit<Parameters<typeof importDarknet>[0], "cfg"> & { cfg: URL },
): Promise<Located<DetectorCard>> {
  const { card } = await importDarknet({ ...options, cfg: fileURLToPath(options.cfg) });
  return await findCard(card) as Located<DetectorCard>;
}

async function detect(
  located: Located<DetectorCard>,
  image: RgbImage,
  options: YoloOptions,
): Promise<readonly Box[]> {
  const detector = await openYolo(located, "native", options);
  try {
    return (await detector.detect(image, "")).boxes;
  } finally {
    await detector.dispose();
  }
}

/** Rows [class, confidence, centre x, centre y, width, height]. */
function centreRows(boxes: readonly Box[], classes: readonly string[]): number[][] {
  const index = new Map(classes.map((name, i) => [name, i]));
  return boxes.map(({ label, confidence, x0, y0, x1, y1 }) => [
    index.get(label)!,
    confidence,
    (x0 + x1) / 2,
    (y0 + y1) / 2,
    x1 - x0,
    y1 - y0,
  ]);
}

goldenTest(
  "the inputs of 12 photos are Darknet's to the last bit, and lightnet's",
  async (root) => {
    for (const [name, { width, height }] of Object.entries(NETS)) {
      for (const photo of PHOTOS) {
        const image = await read(new URL(`detector/photos/${photo}.png`, root));
        const folder = new URL(`detector/golden/${name}/${photo}/`, root);
        const golden = (file: string) => readNpy(Deno.readFileSync(new URL(file, folder))).data;
        assert.deepEqual(letterboxDarknet(image, width, height), golden("input.npy"));
        const { data } = letterbox(image, width, height);
        const expected = golden("emocam_input.npy") as Float32Array, size = width * height;
        expected.forEach((value, i) => {
          const pixel = data[(i % size) * 3 + Math.floor(i / size)];
          assert.equal(Math.fround(pixel / 255), value, `${name} ${photo} ${i}`);
        });
      }
    }
  },
);

goldenTest("4 imported networks find Darknet's boxes in 3 photos", async (root) => {
  let compared = 0, largest = 0;
  for (const name of Object.keys(NETS)) {
    await withFolder(async (folder) => {
      const located = await imported({
        cfg: new URL(`detector/cfg/${name}.cfg`, root),
        weights: fileURLToPath(new URL(`detector/weights/${name}.weights`, root)),
        folder,
      });
      assert.deepEqual(located.card.classes!.length, NETS[name].classes);
      for (const photo of PHOTOS) {
        const image = await read(new URL(`detector/photos/${photo}.png`, root));
        for (const file of ["nms45_t005", "nms005_t005", "nms45_t25", "nms005_t25"]) {
          const from = new URL(`detector/golden/${name}/${photo}/`, root);
          const { thresh, nms, boxes: expected } = readJson(from, `${file}.json`);
          const boxes = await detect(located, image, { confidence: thresh, nms });
          const rows = centreRows(boxes, located.card.classes!);
          const what = `${name} ${photo} ${file}`;
          largest = Math.max(largest, assertNearSet(rows, expected, 2e-4, what));
          compared++;
        }
      }
    });
  }
  assert.equal(compared, 48);
  assert(largest <= 2e-5, `largest difference ${largest}`);
});

/** What the full-size reference says of one pair of thresholds. */
interface FullSet {
  kept: number;
  kept_per_class: number[];
  top: number[][];
}

/**
 * Fails unless as many boxes of each class are kept and the best ones are there; `rows` are best first. Where the reference keeps over
 * 10,000 boxes, some of the hundreds of thousands of candidates lie within the rounding of a logit (3e-4) from a
 * threshold: there a class may have one box more or less, and 1 of 10,000 may differ in all.
 */
function checkFullSet(rows: number[][], expected: FullSet, what: string): void {
  const perClass = expected.kept_per_class.map(() => 0);
  for (const [index] of rows) perClass[index]++;
  const differences = perClass.map((count, c) => Math.abs(count - expected.kept_per_class[c]));
  const many = expected.kept > 10000;
  assertAtMost(Math.max(...differences), many ? 1 : 0, what);
  assertAtMost(differences.reduce((a, b) => a + b), expected.kept / 1e4, what);
  // The last of them may change places with those that follow.
  const last = expected.top.length - 20;
  assertNearSet(
    expected.top.slice(0, last),
    expected.top.slice(0, last).map((row) => nearest(rows, row)),
    2e-4,
    what,
  );
}

/** The row of the same class with the same box, as nearly as possible. */
function nearest(rows: readonly number[][], row: readonly number[]): number[] {
  let best = rows[0], least = Infinity;
  for (const other of rows) {
    if (other[0] !== row[0]) continue;
    const distance = row.reduce((sum, value, i) => sum + Math.abs(value - other[i]), 0);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}

goldenTest(
  "the 601-class network finds what Darknet and lightnet find at 608 × 608",
  async (root) => {
    await withFolder(async (folder) => {
      const weights = `${folder}/openimages.weights`;
      await writeFull608(root, weights);
      const located = await imported({
        cfg: full608Cfg(root),
        weights,
        names: fileURLToPath(new URL("published/openimages.names", root)),
        folder,
      });
      await Deno.remove(weights);
      const classes = located.card.classes!;
      const at = new URL("detector/full608/", root);
      const image = await read(new URL("coffee_640x424.png", at));
      const darknet = readJson(at, "darknet_dets.json");
      for (
        const [name, expected] of Object.entries<FullSet & Record<"thresh" | "nms", number>>(
          darknet,
        )
      ) {
        const { thresh: confidence, nms } = expected;
        const rows = centreRows(await detect(located, image, { confidence, nms }), classes);
        checkFullSet(rows, expected, name);
      }
      const lightnet = readJson(at, "emocam_dets.json");
      const { x, y } = letterboxPlacement(image, paperLetterbox(image, 608, 608));
      for (const [confidence, nms] of [[.005, .005], [.25, .45]]) {
        const name = `conf${confidence}_nms${nms}`;
        const boxes = await detect(located, image, { profile: "lightnet", confidence, nms });
        const rows = centreRows(boxes, classes).map(([index, score, cx, cy, w, h]) => [
          index,
          score,
          (cx - w / 2) * x.scale + x.offset,
          (cy - h / 2) * y.scale + y.offset,
          w * x.scale,
          h * y.scale,
        ]);
        checkFullSet(rows, lightnet[name], name);
      }
    });
  },
);
