import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import * as g from "../../src/image/geometry.ts";

const rect = (x0: number, y0: number, x1: number, y1: number): g.Rect => ({ x0, y0, x1, y1 });

Deno.test("two squares that share a quarter have an IoU of 1/7", () => {
  const a = rect(0, 0, 2, 2), b = rect(1, 1, 3, 3);
  assert.equal(g.area(g.intersect(a, b)), 1);
  assert.equal(g.iou(a, b), 1 / 7);
  assert.deepEqual(g.union(a, b), rect(0, 0, 3, 3));
});

Deno.test("IoU is 1 for equal boxes, 0 for boxes that touch or are empty", () => {
  assert.equal(g.iou(rect(1, 2, 3, 5), rect(1, 2, 3, 5)), 1);
  assert.equal(g.iou(rect(0, 0, 1, 1), rect(1, 0, 2, 1)), 0);
  assert.equal(g.iou(rect(1, 1, 1, 1), rect(1, 1, 1, 1)), 0);
  assert.equal(g.isEmpty(g.intersect(rect(0, 0, 1, 1), rect(2, 2, 3, 3))), true);
});

Deno.test("IoU equals counting cells of a fine grid", () => {
  const rng = createRng(7);
  for (let n = 0; n < 50; n++) {
    const [a, b] = [0, 1].map(() => {
      const x = rng.below(10), y = rng.below(10);
      return g.rectOfSize(x, y, 1 + rng.below(8), 1 + rng.below(8));
    });
    let both = 0, either = 0;
    for (let y = 0; y < 20; y++) {
      for (let x = 0; x < 20; x++) {
        const [inA, inB] = [a, b].map((r) => x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1);
        both += Number(inA && inB);
        either += Number(inA || inB);
      }
    }
    assert.equal(g.iou(a, b), both / either);
  }
});

Deno.test("a box with a NaN corner is empty", () => {
  assert.equal(g.isEmpty(rect(NaN, 0, 1, 1)), true);
  assert.equal(g.area(rect(NaN, 0, 1, 1)), NaN);
});

Deno.test("a rectangle is rounded outwards to whole pixels", () => {
  assert.deepEqual(g.roundOut(rect(-0.5, 1, 2.1, 3)), rect(-1, 1, 3, 3));
});

Deno.test("composing two maps is applying one after the other", () => {
  const inner: g.Placement = { x: { scale: 0.5, offset: 3 }, y: { scale: -2, offset: 1 } };
  const outer: g.Placement = { x: { scale: 4, offset: -1 }, y: { scale: 0.25, offset: 8 } };
  const [x, y] = g.placePoint(outer, ...g.placePoint(inner, 5, 7));
  assert.deepEqual(g.placePoint(g.composePlacement(outer, inner), 5, 7), [x, y]);
  assert.deepEqual([x, y], [21, 4.75]);
});

Deno.test("a map and its inverse change nothing", () => {
  const map: g.Placement = { x: { scale: 4, offset: -3 }, y: { scale: -0.5, offset: 2 } };
  assert.deepEqual(g.composePlacement(g.invertPlacement(map), map), {
    x: { scale: 1, offset: 0 },
    y: { scale: 1, offset: 0 },
  });
  assert.throws(() => g.invertAffine({ scale: 0, offset: 1 }), RangeError);
});

Deno.test("a mirrored rectangle keeps its corners in order", () => {
  const mirror: g.Placement = { x: { scale: -1, offset: 10 }, y: { scale: 1, offset: 0 } };
  assert.deepEqual(g.placeRect(mirror, rect(1, 2, 3, 4)), rect(7, 2, 9, 4));
});

Deno.test("half-pixel placement puts the centre of a cell's pixels on the cell", () => {
  const place = g.halfPixelPlacement(13, 7, 26, 28);
  // Cell 0 covers pixels 0…2 in x and 0…4 in y.
  assert.deepEqual(g.placePoint(place, 1, 2), [0, 0]);
  assert.deepEqual(g.placePoint(place, 25, 26), [12, 6]);
});

Deno.test("a crop's placement takes its corners to the corners of the frame", () => {
  const place = g.cropPlacement(rect(2, 4, 6, 20), 8, 8);
  assert.deepEqual(g.placeRect(place, rect(2, 4, 6, 20)), g.frameOf({ width: 8, height: 8 }));
  assert.deepEqual(g.placePoint(place, 4, 12), [4, 4]);
});
