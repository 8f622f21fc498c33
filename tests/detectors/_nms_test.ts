import assert from "node:assert/strict";
import { createRng, type Rng } from "../../src/base/rng.ts";
import {
  type CentreBoxes,
  type ClassRows,
  type KeptRows,
  suppressClasses,
} from "../../src/detectors/_nms.ts";

/** The rule as one would say it, in double precision: pick the best, drop what overlaps it, again. */
function slowSuppress(boxes: CentreBoxes, { rows, confidence }: ClassRows, threshold: number) {
  const corners = (row: number) => {
    const [x, y, w, h] = boxes.subarray(4 * row, 4 * row + 4);
    return { x0: x - w / 2, y0: y - h / 2, x1: x + w / 2, y1: y + h / 2, area: w * h };
  };
  const iou = (a: number, b: number) => {
    const p = corners(a), q = corners(b);
    const w = Math.min(p.x1, q.x1) - Math.max(p.x0, q.x0);
    const h = Math.min(p.y1, q.y1) - Math.max(p.y0, q.y0);
    if (w < 0 || h < 0) return 0;
    return w * h / (p.area + q.area - w * h);
  };
  let left = Array.from(rows, (row, i) => ({ row, confidence: confidence[i] }));
  const kept: typeof left = [];
  while (left.length > 0) {
    const best = left.reduce((a, b) =>
      b.confidence > a.confidence || b.confidence === a.confidence && b.row < a.row ? b : a
    );
    kept.push(best);
    left = left.filter((other) => other !== best && !(iou(best.row, other.row) > threshold));
  }
  return { rows: kept.map(({ row }) => row), confidence: kept.map((one) => one.confidence) };
}

function randomBoxes(rng: Rng, count: number): CentreBoxes {
  return Float64Array.from(
    { length: 4 * count },
    (_, i) => Math.fround(i % 4 < 2 ? 300 * rng.uniform() : 5 + 60 * rng.uniform()),
  );
}

/** Candidates of some classes, each with `share` of the rows; confidences repeat, so that there are ties. */
function randomClasses(rng: Rng, count: number, classes: number, share: number): ClassRows[] {
  return Array.from({ length: classes }, () => {
    const rows = Array.from({ length: count }, (_, row) => row).filter(() => rng.uniform() < share);
    const confidence = rows.map(() => Math.fround(Math.ceil(40 * rng.uniform()) / 41));
    return { rows, confidence };
  });
}

Deno.test("suppressClasses() keeps what picking the best again and again keeps, in that order", () => {
  const rng = createRng(1);
  let dropped = 0;
  for (const threshold of [0, .005, .3, .45, .9, 1]) {
    // Few classes for each row: compared within each; all classes for most rows: overlaps remembered.
    for (const [classes, share] of [[3, .3], [12, .8]]) {
      const boxes = randomBoxes(rng, 150);
      const candidates = randomClasses(rng, 150, classes, share);
      const expected = candidates.map((of) => slowSuppress(boxes, of, threshold));
      for (const single of [false, true]) {
        const kept = suppressClasses(boxes, candidates, { threshold, single });
        // In single precision an overlap would have to lie within 1e-6 of the threshold to differ.
        assert.deepEqual(kept, expected, `${threshold}, ${classes} classes, ${single}`);
      }
      dropped += candidates.reduce(
        (sum, { rows }, c) => sum + rows.length - expected[c].rows.length,
        0,
      );
    }
  }
  assert(dropped > 1000, `only ${dropped} boxes went: the test has gone blind`);
});

Deno.test("each class is suppressed by itself, with many classes as with one", () => {
  const rng = createRng(2);
  const boxes = randomBoxes(rng, 100), candidates = randomClasses(rng, 100, 20, .9);
  const options = { threshold: .2, single: true };
  const together = suppressClasses(boxes, candidates, options);
  candidates.forEach((of, c) =>
    assert.deepEqual(suppressClasses(boxes, [of], options), [together[c]])
  );
});

Deno.test("the order of the candidates does not matter, nor does the scale of the boxes", () => {
  const rng = createRng(3);
  const boxes = randomBoxes(rng, 120), [of] = randomClasses(rng, 120, 1, .9);
  const options = { threshold: .3, single: true };
  const expected = suppressClasses(boxes, [of], options);
  const order = Array.from(of.rows, (_, i) => ({ i, at: rng.uniform() }))
    .sort((a, b) => a.at - b.at).map(({ i }) => i);
  const mixed = {
    rows: order.map((i) => of.rows[i]),
    confidence: order.map((i) => of.confidence[i]),
  };
  assert.deepEqual(suppressClasses(boxes, [mixed], options), expected);
  assert.deepEqual(suppressClasses(boxes.map((value) => 8 * value), [of], options), expected);
  const mirrored = boxes.map((value, i) => i % 4 === 0 ? -value : value);
  assert.deepEqual(suppressClasses(mirrored, [of], options), expected);
});

Deno.test("of equal boxes with equal confidence the first row stays", () => {
  const boxes = Float64Array.from([9, 9, 4, 4, 5, 5, 4, 4, 5, 5, 4, 4, 5, 5, 4, 4]);
  const of = { rows: [3, 2, 1], confidence: [.5, .5, .5] };
  for (const single of [true, false]) {
    const [kept] = suppressClasses(boxes, [of], { threshold: .5, single });
    assert.deepEqual(kept, { rows: [1], confidence: [.5] });
  }
});

Deno.test("a box goes when it overlaps over the threshold, not when at it; touching is not an overlap", () => {
  // Intersection 2, union 4: exactly one half.
  const boxes = Float64Array.from([1.5, .5, 3, 1, 2.5, .5, 3, 1, 8, .5, 8, 1]);
  const rows = (threshold: number): KeptRows["rows"] =>
    suppressClasses(boxes, [{ rows: [0, 1, 2], confidence: [1, .75, .5] }], {
      threshold,
      single: false,
    })[0].rows;
  assert.deepEqual(rows(.5), [0, 1, 2]);
  assert.deepEqual(rows(.4999), [0, 2]);
  assert.deepEqual(rows(0), [0, 2], "1 and 2 touch at x = 4");
});

Deno.test("boxes without extent suppress nothing", () => {
  const boxes = Float64Array.from([5, 5, 0, 0, 5, 5, 0, 0, 5, 5, 4, 4]);
  const of = { rows: [0, 1, 2], confidence: [.9, .8, .7] };
  for (const single of [true, false]) {
    const [kept] = suppressClasses(boxes, [of], { threshold: 0, single });
    assert.deepEqual(kept.rows, [0, 1, 2]);
  }
});
