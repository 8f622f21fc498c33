import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { halfPixelPlacement, type Rect } from "../../src/image/geometry.ts";
import { floatMap } from "../../src/image/image.ts";
import { letterboxMap, resizeMapBilinear } from "../image/map_oracles.ts";
import { paperLetterbox } from "../../src/image/letterbox.ts";
import { paperBoxWeights } from "../../src/kernels/paper_box_weights.ts";
import { finalMaps, scoreMaps } from "../../src/kernels/box_scores.ts";
import { assertClose } from "../assert_close.ts";
import { assertMore } from "../assert_that.ts";

const INPUT = { width: 45, height: 45 };
const CELLS = { width: 7, height: 5 };
const FRAME = 76;

/** The chain as the paper's code has it, every picture made: final map → photograph → letterbox → mean over whole pixels. */
function slowMean(final: Float32Array, image: { width: number; height: number }, rect: Rect) {
  const cam = floatMap(INPUT.width, INPUT.height, final);
  const photo = resizeMapBilinear(cam, image.width, image.height, "half-pixel");
  const heat = letterboxMap(photo, FRAME, FRAME).data;
  const [x0, y0, x1, y1] = [rect.x0, rect.y0, rect.x1, rect.y1]
    .map((corner) => Math.trunc(Math.min(Math.max(corner, 0), FRAME)));
  let sum = 0, count = 0;
  for (let y = y0!; y < y1!; y++) {
    for (let x = x0!; x < x1!; x++, count++) sum += heat[y * FRAME + x];
  }
  return count > 0 ? sum / count : NaN;
}

for (
  const [width, height, what] of [
    [200, 120, "wide"],
    [61, 190, "tall, shrunk"],
    [30, 20, "small, enlarged"],
    [76, 76, "of the frame's size"],
    [500, 500, "square"],
    [411, 9, "a strip"],
  ] as const
) {
  Deno.test(`paper box weights give the mean that the pictures give: ${what}`, async () => {
    const rng = createRng(width * 1000 + height);
    const compute = await createCompute("cpu");
    const raw = Float32Array.from({ length: CELLS.width * CELLS.height }, () => rng.normal());
    const placement = halfPixelPlacement(
      CELLS.width,
      CELLS.height,
      INPUT.width,
      INPUT.height,
    );
    const batch = { maps: 1, ...CELLS, rectify: true, from: { ready: raw } };
    const frame = { ...INPUT, placement };
    const final = await finalMaps(compute, batch, frame);
    const image = { width, height };
    const weigh = paperBoxWeights({
      cells: CELLS,
      placement,
      input: INPUT,
      image,
      letterbox: paperLetterbox(image, FRAME, FRAME),
    });
    const rects = Array.from({ length: 40 }, (): Rect => {
      const [x, y] = [rng.uniform() * 90 - 10, rng.uniform() * 90 - 10];
      return { x0: x, y0: y, x1: x + rng.uniform() * 50, y1: y + rng.uniform() * 50 };
    });
    rects.push({ x0: 0, y0: 0, x1: FRAME, y1: FRAME }, { x0: 4, y0: 5, x1: 4.9, y1: 9 });
    const boxes = rects.map((rect) => ({ map: 0, rect, weights: weigh(rect) ?? null }));
    const found = await scoreMaps(compute, batch, frame, boxes, "exact");
    let defined = 0;
    rects.forEach((rect, i) => {
      const expected = slowMean(final, image, rect);
      assert.equal(Number.isNaN(found[i]), Number.isNaN(expected), JSON.stringify(rect));
      if (Number.isNaN(expected)) return;
      defined++;
      assertClose(found[i], expected, 2e-6);
    });
    assertMore(defined, 20);
  });
}

Deno.test("a box in the bars has importance 0, and half of one half of the mean", () => {
  const image = { width: 200, height: 100 };
  const weigh = paperBoxWeights({
    cells: CELLS,
    placement: halfPixelPlacement(CELLS.width, CELLS.height, INPUT.width, INPUT.height),
    input: INPUT,
    image,
    letterbox: paperLetterbox(image, FRAME, FRAME),
  });
  // The picture fills rows 19 to 56.
  assert.equal(weigh({ x0: 3, y0: 0, x1: 30, y1: 19 })!.mass, 0);
  assertClose(weigh({ x0: 3, y0: 19, x1: 30, y1: 57 })!.mass, 1, 1e-12);
  assertClose(weigh({ x0: 3, y0: 9, x1: 30, y1: 29 })!.mass, 0.5, 1e-12);
  // Corners are cut to whole numbers; one that rounding has put just below counts as the number itself.
  assert.deepEqual(
    weigh({ x0: 3 - 1e-12, y0: 20, x1: 30, y1: 25 }),
    weigh({ x0: 3.9, y0: 20.2, x1: 30.5, y1: 25.5 }),
  );
  assert.equal(weigh({ x0: 3, y0: 20, x1: 3.9, y1: 25 }), undefined);
  assert.equal(weigh({ x0: NaN, y0: 20, x1: 9, y1: 25 }), undefined);
});
