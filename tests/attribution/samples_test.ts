import assert from "node:assert/strict";
import { belongsTo, faceSamples, wholeImage } from "../../src/attribution/samples.ts";
import type { Box, Face } from "../../src/detectors/detector.ts";
import { rgbImage } from "../../src/image/image.ts";

/** A face with landmarks in two opposite corners and in between. */
const face = (x0: number, y0: number, x1: number, y1: number): Face => ({
  confidence: 1,
  box: { x0: x0 - 10, y0: y0 - 20, x1: x1 + 10, y1: y1 + 20 },
  landmarks: Float32Array.of(x1, y0, (x0 + x1) / 2, (y0 + y1) / 2, x0, y1),
});

Deno.test("the whole image is one sample", () => {
  assert.deepEqual(wholeImage(rgbImage(30, 20)), [{ region: { x0: 0, y0: 0, x1: 30, y1: 20 } }]);
});

Deno.test("a face's sample is a square around its landmarks, or its box, of whole pixels", () => {
  const faces = [face(100, 50, 140, 100), face(-6, 10, 14, 20)];
  // Larger side 50, times 1.2; centre (120, 75). Larger side 20; centre (4, 15): reaches over the edge.
  assert.deepEqual(faceSamples(faces, { around: "landmarks", scale: 1.2 }), [
    { region: { x0: 90, y0: 45, x1: 150, y1: 105 }, face: 0 },
    { region: { x0: -8, y0: 3, x1: 16, y1: 27 }, face: 1 },
  ]);
  // Box 60 × 90; centre (120, 75).
  assert.deepEqual(faceSamples(faces.slice(0, 1), { around: "face", scale: 1 }), [
    { region: { x0: 75, y0: 30, x1: 165, y1: 120 }, face: 0 },
  ]);
});

Deno.test("faces that differ by less than a backend's rounding are cut out alike", () => {
  const cut = (shift: number) =>
    faceSamples([face(100.3 + shift, 50.3 - shift, 141.1 - shift, 99.9 + shift)], {
      around: "landmarks",
      scale: 1.2,
    });
  for (const shift of [1e-5, -1e-5, 1e-4]) assert.deepEqual(cut(shift), cut(0));
});

Deno.test("a face of no extent still has a sample of one pixel", () => {
  const [{ region }] = faceSamples([face(5, 5, 5, 5)], { around: "landmarks", scale: 1.2 }) as [
    ReturnType<typeof faceSamples>[number],
  ];
  assert.deepEqual([region.x1 - region.x0, region.y1 - region.y0], [1, 1]);
});

Deno.test("a part belongs to its own face's sample, another box where its centre lies; a whole image has all boxes", () => {
  const [one, two] = faceSamples([face(0, 0, 100, 100), face(50, 0, 150, 100)], {
    around: "landmarks",
    scale: 1,
  });
  const box = (x0: number, x1: number, own?: number): Box => ({
    label: "thing",
    confidence: 1,
    x0,
    y0: 10,
    x1,
    y1: 20,
    ...(own === undefined ? {} : { face: own }),
  });
  assert.deepEqual([one, two].map((sample) => belongsTo(box(60, 80, 1), sample!)), [false, true]);
  assert.deepEqual([one, two].map((sample) => belongsTo(box(60, 80), sample!)), [true, true]);
  assert.deepEqual([one, two].map((sample) => belongsTo(box(90, 112), sample!)), [false, true]);
  // On the edge counts as inside; a whole image has all boxes, a face's parts and those beyond its border too.
  assert.equal(belongsTo(box(-5, 5), one!), true);
  const [whole] = wholeImage(rgbImage(100, 100));
  assert.deepEqual([box(90, 110, 3), box(91, 111)].map((part) => belongsTo(part, whole!)), [
    true,
    true,
  ]);
});
