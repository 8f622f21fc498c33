import assert from "node:assert/strict";
import {
  annotationObjects,
  emotionAnnotations,
  emotionObjects,
  imageList,
  inReferenceOrder,
  PAPER_FILTERS,
  uniqueDetections,
  withoutRareObjects,
} from "../../../src/experiments/paper/filters.ts";
import type {
  Annotation,
  PaperDetection,
  PaperPrediction,
} from "../../../src/experiments/paper/rows.ts";
import { createRng } from "../../../src/base/rng.ts";
import { expected, input, settings } from "./corpus.ts";
import { assertMore } from "../../assert_that.ts";

const { filters } = settings;
const box = { left: 0, top: 0, width: 1, height: 1 };

function detection(values: Partial<PaperDetection>): PaperDetection {
  return {
    image: "a",
    emotion: "Joy",
    emotionConfidence: .9,
    object: "Food",
    objectConfidence: .9,
    importance: .9,
    box,
    ...values,
  };
}

function annotation(values: Partial<Annotation>): Annotation {
  return { image: "a", emotion: "Trust", valence: 1, arousal: 1, ambiguity: 0, ...values };
}

function prediction(values: Partial<PaperPrediction>): PaperPrediction {
  return { image: "a", emotion: "Joy", confidence: .9, ...values };
}

Deno.test("filtered rows are those of pandas, in its order, for each method", () => {
  const images = imageList(input.annotations, input.predictions, "published");
  for (const { name, detections } of input.methods) {
    const wanted = expected.tables[name as "one"];
    assertMore(wanted.emotion_object.length, 10);
    assertMore(wanted.annotation_object.length, 10);
    assert.deepEqual(
      emotionObjects(images, detections, filters, "published")
        .map(({ image, emotion, object }) => [image, emotion, object]),
      wanted.emotion_object,
    );
    assert.deepEqual(
      annotationObjects(input.annotations, detections, filters, "published")
        .map(({ image, emotion, object }) => [image, emotion, object]),
      wanted.annotation_object,
    );
  }
  assert.deepEqual(
    emotionAnnotations(input.annotations, input.predictions, filters, "published")
      .map(({ image, prediction, annotation }) => [image, prediction.emotion, annotation.emotion]),
    expected.emotion_annotation,
  );
});

Deno.test("thresholds are strict, and NaN passes none", () => {
  const one = (values: Partial<PaperDetection>) =>
    emotionObjects(["a"], [detection(values)], PAPER_FILTERS, "published").length;
  assert.equal(one({}), 1);
  for (const value of [.3, NaN, -1]) assert.equal(one({ importance: value }), 0, String(value));
  for (const value of [.5, NaN]) assert.equal(one({ emotionConfidence: value }), 0, String(value));
  for (const value of [.1, NaN]) assert.equal(one({ objectConfidence: value }), 0, String(value));
  assert.equal(one({ importance: .3 + 1e-15, emotionConfidence: .51, objectConfidence: .11 }), 1);
  for (const [ambiguity, count] of [[2.999, 1], [3, 0], [NaN, 0]] as const) {
    const annotations = [annotation({ ambiguity })];
    for (const convention of ["published", "corrected"] as const) {
      assert.equal(
        annotationObjects(annotations, [detection({})], PAPER_FILTERS, convention).length,
        count,
      );
      assert.equal(
        emotionAnnotations(annotations, [prediction({})], PAPER_FILTERS, convention).length,
        count,
      );
    }
  }
});

Deno.test("published: the first row of an object decides; corrected: the most important that passes", () => {
  const rows = [
    detection({ importance: .2 }),
    detection({ importance: .4, objectConfidence: .05 }),
    detection({ importance: .35 }),
    detection({ importance: .8, box: { ...box, left: 7 } }),
  ];
  assert.deepEqual(emotionObjects(["a"], rows, PAPER_FILTERS, "published"), []);
  assert.deepEqual(emotionObjects(["a"], rows, PAPER_FILTERS, "corrected"), [
    { image: "a", emotion: "Joy", object: "Food" },
  ]);
  assert.equal(uniqueDetections(["a", "a"], rows)[0].detection, rows[0]);
  assert.deepEqual(uniqueDetections(["b"], rows), [{ image: "b" }]);
});

Deno.test("published: an image annotated k times gives k² pairs; corrected: k", () => {
  const annotations = ["Joy", "Fear", "Trust"].map((emotion) => annotation({ emotion }));
  const pairs = (convention: "published" | "corrected") =>
    emotionAnnotations(annotations, [prediction({})], PAPER_FILTERS, convention);
  assert.equal(pairs("published").length, 9);
  assert.deepEqual(pairs("corrected").map((pair) => pair.annotation.emotion), [
    "Joy",
    "Fear",
    "Trust",
  ]);
});

Deno.test("images without annotation are left out if there are annotations, and are the corpus if there are none", () => {
  const predictions = [prediction({ image: "b" }), prediction({}), prediction({ image: "b" })];
  assert.deepEqual(imageList([annotation({})], predictions, "published"), ["a"]);
  assert.deepEqual(imageList(undefined, predictions, "published"), ["b", "a"]);
});

Deno.test("rows in the reference's order: by shown importance, NaN last, ties as they were", () => {
  const method = input.methods[0];
  // Undo the order by the number that the generator gave each box, then make it again.
  const { order } = expected.tables.one;
  const original: PaperDetection[] = [];
  order.forEach((box, at) => original[box] = method.detections[at]);
  const images = [...new Set(method.detections.map(({ image }) => image))];
  const sorted = inReferenceOrder(original);
  assert.deepEqual([...new Set(sorted.map(({ image }) => image))], images);
  assert.deepEqual(sorted, method.detections);
  assert.notDeepEqual(original, method.detections);
});

Deno.test("corrected rows do not depend on the order of detections", () => {
  const { detections } = input.methods[1];
  const rng = createRng(3);
  const shuffled = detections.map((row) => ({ row, key: rng.uniform() }))
    .sort((p, q) => p.key - q.key).map(({ row }) => row);
  const images = imageList(input.annotations, input.predictions, "corrected");
  const rows = (from: readonly PaperDetection[]) =>
    emotionObjects(images, from, filters, "corrected").map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(rows(shuffled), rows(detections));
  // And against the definition: an object counts where any of its boxes passes.
  const known = new Set(images);
  const passing = detections.filter((row) =>
    known.has(row.image) && row.importance > filters.importance &&
    row.emotionConfidence > filters.emotion && row.objectConfidence > filters.object
  ).map(({ image, emotion, object }) => JSON.stringify({ image, emotion, object }));
  assert.deepEqual(rows(detections), [...new Set(passing)].sort());
});

Deno.test("objects at or below a share of the rows are left out", () => {
  const rows = ["x", "y", "x", "z"].map((object) => ({ object }));
  assert.deepEqual(withoutRareObjects(rows, .25), [{ object: "x" }, { object: "x" }]);
  assert.deepEqual(withoutRareObjects(rows, 0), rows);
  assert.deepEqual(withoutRareObjects([], .5), []);
});
