/** The paper's mean in boxes against its published code, from raw maps to importances, through the kernels as a run uses them. */

import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { halfPixelPlacement, rectOfSize } from "../../src/image/geometry.ts";
import { paperLetterbox } from "../../src/image/letterbox.ts";
import { paperBoxWeights } from "../../src/kernels/paper_box_weights.ts";
import { scoreMaps } from "../../src/kernels/box_scores.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";

const SIDE = 227;
const CELLS = { width: 13, height: 13 };
const FRAME = { width: SIDE, height: SIDE, placement: halfPixelPlacement(13, 13, SIDE, SIDE) };

/** Importances of boxes (x, y, width, height in the 608 frame) on a raw 13 × 13 map of an image. */
async function importances(
  raw: Float32Array,
  image: { width: number; height: number },
  boxes: readonly (readonly number[])[],
): Promise<Float32Array> {
  const weigh = paperBoxWeights({
    cells: CELLS,
    placement: FRAME.placement,
    input: FRAME,
    image,
    letterbox: paperLetterbox(image, 608, 608),
  });
  const batch = { maps: 1, ...CELLS, rectify: true, from: { ready: raw } };
  const scored = boxes.map(([x, y, w, h]) => {
    const rect = rectOfSize(x!, y!, w!, h!);
    return { map: 0, rect, weights: weigh(rect) ?? null };
  });
  return await scoreMaps(await createCompute("cpu"), batch, FRAME, scored, "exact");
}

/** Compares those boxes whose corners are not left of or above the frame, where the published code counts from the far end. */
function compare(
  found: Float32Array,
  expected: readonly (number | null)[],
  boxes: readonly (readonly number[])[],
): { compared: number; largest: number } {
  let compared = 0, largest = 0;
  boxes.forEach(([x, y, w, h], i) => {
    if ([x!, y!, x! + w!, y! + h!].some((corner) => Math.trunc(corner) < 0)) return;
    const wanted = expected[i] ?? NaN;
    compared++;
    assert.equal(Number.isNaN(found[i]), Number.isNaN(wanted), `box ${i}`);
    if (!Number.isNaN(wanted)) largest = Math.max(largest, Math.abs(found[i] - wanted));
  });
  return { compared, largest };
}

goldenTest("importances of seeded maps in 420 boxes are the published code's", async (root) => {
  const read = (name: string) => readNpy(Deno.readFileSync(new URL(`cam/preproc/${name}`, root)));
  const maps = read("box_cams13.npy").data as Float32Array;
  const sizes = read("box_image_sizes_wh.npy").data as Int32Array;
  const all = read("box_boxes_f64.npy");
  const expected = read("box_importance_f64.npy").data as Float64Array;
  const count = all.shape[1];
  let compared = 0;
  for (let n = 0; n < 6; n++) {
    const boxes = Array.from({ length: count }, (_, i) => {
      const at = (n * count + i) * 4;
      return Array.from((all.data as Float64Array).subarray(at, at + 4));
    });
    const image = { width: sizes[2 * n], height: sizes[2 * n + 1] };
    const found = await importances(maps.slice(n * 169, (n + 1) * 169), image, boxes);
    const own = compare(found, [...expected.subarray(n * count, (n + 1) * count)], boxes);
    assertAtMost(own.largest, 2e-6, `image ${n}`);
    compared += own.compared;
  }
  assert.equal(compared, 354);
});

goldenTest("importances under EmoNet's Grad-CAM are the published code's", async (root) => {
  const folder = new URL("emonet/full/", root);
  const text = (name: string) => Deno.readTextFileSync(new URL(name, folder));
  const { images } = JSON.parse(text("order.json")) as { images: string[] };
  const maps = readNpy(Deno.readFileSync(new URL("raw13_gradcam.npy", folder)))
    .data as Float32Array;
  let compared = 0;
  for (const [n, name] of images.entries()) {
    const golden = JSON.parse(text(`${name}.json`));
    const image = { width: golden.width as number, height: golden.height as number };
    const boxes = golden.boxes_xywh_608 as number[][];
    const found = await importances(maps.slice(n * 169, (n + 1) * 169), image, boxes);
    const own = compare(found, golden.importance, boxes);
    assertAtMost(own.largest, 3e-5, name);
    compared += own.compared;
  }
  assertAtLeast(compared, 80);
});
