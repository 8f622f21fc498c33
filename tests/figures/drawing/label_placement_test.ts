import assert from "node:assert/strict";
import { placeLabels } from "../../../src/figures/drawing/label_placement.ts";
import { area, intersect, rectOfSize } from "../../../src/image/geometry.ts";

const FRAME = rectOfSize(0, 0, 300, 300);

Deno.test("a lone label is on its box", () => {
  const [at] = placeLabels([{ box: rectOfSize(100, 100, 50, 50), width: 40, height: 15 }], FRAME);
  assert.deepEqual(at, rectOfSize(100, 85, 40, 15));
});

Deno.test("labels of boxes at the edges stay in the frame", () => {
  const boxes = [[0, 0], [290, 0], [0, 290], [290, 290]].map(([x, y]) => rectOfSize(x, y, 10, 10));
  for (const at of placeLabels(boxes.map((box) => ({ box, width: 60, height: 15 })), FRAME)) {
    assert.deepEqual(intersect(at, FRAME), at);
  }
});

Deno.test("eight labels of the same box do not overlap", () => {
  const request = { box: rectOfSize(100, 120, 100, 60), width: 60, height: 15 };
  const placed = placeLabels(new Array(8).fill(request), FRAME);
  placed.forEach((a, i) =>
    placed.slice(i + 1).forEach((b) => assert.equal(area(intersect(a, b)), 0))
  );
});

Deno.test("a label wider than the frame starts at its left edge", () => {
  const [at] = placeLabels([{ box: rectOfSize(100, 100, 9, 9), width: 400, height: 15 }], FRAME);
  assert.equal(at.x0, 0);
});
