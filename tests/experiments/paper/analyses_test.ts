import assert from "node:assert/strict";
import {
  analyses,
  annotationObjectIncidence,
  emotionAnnotationIncidence,
  emotionObjectIncidence,
} from "../../../src/experiments/paper/analyses.ts";
import { PAPER_SETTINGS, REFERENCE_COLUMNS } from "../../../src/experiments/paper/mod.ts";
import { bits, expected, input, settings } from "./corpus.ts";
import { assertEvery, assertMore, assertNone } from "../../assert_that.ts";

Deno.test("binary vectors are those of pandas, images in order of first appearance", () => {
  for (const method of input.methods) {
    const wanted = expected.tables[method.name as "one"];
    const { table, rows } = emotionObjectIncidence(input, method, settings);
    assert.deepEqual(bits(table.vectors), wanted.emotion_object_vectors);
    assert.deepEqual(table.images, [...new Set(rows.map(({ image }) => image))]);
    assert.deepEqual(table.features, [...settings.objects, ...input.emotions]);
    assert.deepEqual(
      bits(annotationObjectIncidence(input.annotations, method, settings).table.vectors),
      wanted.annotation_object_vectors,
    );
  }
  assert.deepEqual(
    bits(emotionAnnotationIncidence(input, settings).table.vectors),
    expected.emotion_annotation_vectors,
  );
});

Deno.test("the tables, their names and their headers", () => {
  const { tables, notices } = analyses(input, { ...settings, similarities: ["dice", "yule"] });
  const related = (name: string) => [name, `${name}_binary`, `${name}_dice`, `${name}_yule`];
  assert.deepEqual(
    tables.map(({ name }) => name),
    [
      ...expected.methods.flatMap((method) => [
        ...related(`emotion_object_${method}`),
        ...related(`annotation_object_${method}`),
      ]),
      ...related("emotion_annotation"),
      "valence",
      "arousal",
      "valence_arousal",
      "valence_arousal_pearson",
      "valence_arousal_spearman",
      "method_dyads",
      "method_spearman",
      "method_spearman_p",
    ],
  );
  for (const { name, header, rows } of tables) {
    assertMore(rows.length, 0, name);
    for (const row of rows) assert.equal(row.length, header.length, name);
  }
  const named = (name: string) => tables.find((table) => table.name === name)!;
  assert.deepEqual(named("emotion_object_one").header, ["image", "emotion", "object"]);
  assert.deepEqual(named("emotion_object_one").rows, expected.tables.one.emotion_object);
  assert.deepEqual(
    named("emotion_object_one_dice").rows.map((row) => row.slice(1).map((x) => x as number)),
    expected.tables.one.dice.map((row) => row.map(Number)),
  );
  assert.deepEqual(named("method_dyads").header, [
    "row",
    "column",
    "Method one",
    "Method two",
    "Method three",
  ]);
  assert.deepEqual(named("method_dyads").rows.slice(0, 3).map((row) => row.slice(0, 2)), [
    ["Human face", "Person"],
    ["Food", "Person"],
    ["Food", "Human face"],
  ]);
  const sadness = input.annotations.filter(({ emotion }) => emotion === "Sadness").length;
  assert.deepEqual(notices, [
    `annotated emotions that are not in the list and are not counted: "Sadness" (${sadness})`,
  ]);
});

Deno.test("the reference's column names where they are asked for", () => {
  const { tables } = analyses(input, { ...settings, columns: REFERENCE_COLUMNS });
  const header = (name: string) => tables.find((table) => table.name === name)!.header;
  assert.deepEqual(header("emotion_object_two"), [
    "dir_image_path",
    "emonet_emotion",
    "detected_object",
  ]);
  assert.deepEqual(header("annotation_object_two"), [
    "dir_image_path",
    "ann_emotion",
    "detected_object",
  ]);
  assert.deepEqual(header("emotion_annotation"), [
    "dir_image_path",
    "emonet_emotion",
    "ann_emotion",
  ]);
  assert.deepEqual(header("valence"), ["emonet_valence", "ann_valence"]);
  assert.deepEqual(header("valence_arousal_pearson"), [
    "",
    "emonet_valence",
    "ann_valence",
    "emonet_arousal",
    "ann_arousal",
  ]);
});

Deno.test("without annotations: all predicted images, and no table of annotations", () => {
  const { annotations: _, ...bare } = input;
  const { tables, notices } = analyses(bare, settings);
  assert.deepEqual(notices, []);
  assertNone(tables, ({ name }) => /annotation|valence|arousal/.test(name));
  const rows = tables.find(({ name }) => name === "emotion_object_one")!.rows;
  assertMore(rows.length, expected.tables.one.emotion_object.length);
});

Deno.test("all names: one list of objects for every method", () => {
  const all = {
    ...settings,
    objects: "all",
    annotationObjects: "all",
    annotatedEmotions: "all",
  } as const;
  const { tables, notices } = analyses(input, all);
  assert.deepEqual(notices, []);
  const features = (name: string) => tables.find((table) => table.name === name)!.header.slice(1);
  const objects = ["Car", "Food", "Human face", "Person", "Pillow", "Tree"];
  for (const method of expected.methods) {
    assert.deepEqual(features(`emotion_object_${method}_dice`), [...objects, ...input.emotions]);
  }
  assert.deepEqual(features("emotion_annotation_dice").slice(4), [
    "Fear",
    "Joy",
    "Sadness",
    "Trust",
  ]);
});

Deno.test("corrected: images whose objects do not pass keep their place", () => {
  const corrected = { ...settings, convention: "corrected" } as const;
  const [method] = input.methods;
  const { table } = emotionObjectIncidence(input, method!, corrected);
  const annotated = new Set(input.annotations.map(({ image }) => image));
  const confident = input.predictions.filter(({ image, confidence }) =>
    annotated.has(image) && confidence > settings.filters.emotion
  );
  assert.deepEqual(table.images, [...new Set(confident.map(({ image }) => image))]);
  const emotions = table.vectors.slice(settings.objects.length);
  const ones = emotions.reduce((sum, vector) => sum + vector.reduce((s, bit) => s + bit, 0), 0);
  const pairs = confident.map(({ image, emotion }) => `${image}\n${emotion}`);
  assert.equal(ones, new Set(pairs).size);
  assertMore(
    table.images.length,
    emotionObjectIncidence(input, method!, settings).table.images.length,
  );
});

Deno.test("a measure that is not defined is a matrix of NaN and a notice", () => {
  const { tables, notices } = analyses(input, { ...settings, similarities: ["mahalanobis"] });
  assert.equal(notices.length, 8);
  assert.match(notices[0], /^emotion_object_one: no mahalanobis: the covariance of \d+ images/);
  const { rows } = tables.find(({ name }) => name === "emotion_object_one_mahalanobis")!;
  assertEvery(rows.flatMap((row) => row.slice(1)), (value) => Number.isNaN(value));
});

Deno.test("an unknown measure is refused with the names of those there are", () => {
  assert.throws(
    () => analyses(input, { ...settings, similarities: ["dise"] }),
    /"dise".*braycurtis/,
  );
});

Deno.test("the preset has the paper's thresholds, lists and measure", () => {
  assert.deepEqual(PAPER_SETTINGS.filters, {
    importance: .3,
    emotion: .5,
    object: .1,
    ambiguity: 3,
  });
  assert.equal(PAPER_SETTINGS.convention, "published");
  assert.deepEqual(PAPER_SETTINGS.similarities, ["dice"]);
  const { objects, annotationObjects, annotatedEmotions } = PAPER_SETTINGS;
  for (
    const [names, count] of [[objects, 24], [annotationObjects, 22], [
      annotatedEmotions,
      23,
    ]] as const
  ) {
    assert.equal(new Set(names).size, count);
  }
});
