import assert from "node:assert/strict";
import { createRng, type Rng } from "../../src/base/rng.ts";
import {
  Accumulator,
  type AccumulatorSettings,
  type CountedSample,
} from "../../src/association/accumulator.ts";
import { associationMatrix } from "../../src/association/matrices.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import golden from "../golden/measures/incidence.json" with { type: "json" };
import { assertAgrees, type GoldenNumber } from "../statistics/golden_number.ts";
import { assertClose } from "../assert_close.ts";
import { assertMore } from "../assert_that.ts";

const CLASSES = ["joy", "fear", "awe"];
const LABELS = ["tree", "dog", "Dog", "𝒹og", 'eau de vie, "forte"', "Ω"];

function countAll(samples: Iterable<CountedSample>, settings: AccumulatorSettings): Accumulator {
  const accumulator = new Accumulator(settings);
  for (const sample of samples) accumulator.add(sample);
  return accumulator;
}

/** Samples with up to five boxes under the maps of `targets`, some of them NaN or exactly at the threshold. */
function randomSamples(
  rng: Rng,
  count: number,
  targetsOf: (predicted: number) => number[],
): CountedSample[] {
  return Array.from({ length: count }, () => {
    const predicted = rng.below(CLASSES.length);
    const targets = targetsOf(predicted);
    const boxes = Array.from({ length: rng.below(6) }, () => LABELS[rng.below(LABELS.length)]);
    const scores = targets.flatMap((target) =>
      boxes.map((label) => {
        const chance = rng.uniform();
        const importance = chance < .1 ? NaN : chance < .2 ? .3 : Math.fround(rng.uniform());
        return { label, class: target, importance };
      })
    );
    return { predicted, targets, scores };
  });
}

const MODES: Record<string, (predicted: number) => number[]> = {
  predicted: (predicted) => [predicted],
  all: () => [0, 1, 2],
  "predicted and joy": (predicted) => [...new Set([predicted, 0])],
};

Deno.test("two samples counted by hand", () => {
  const counts = countAll([
    {
      predicted: 0,
      targets: [0],
      scores: [
        { label: "dog", class: 0, importance: .5 },
        { label: "dog", class: 0, importance: .75 }, // the same object again: one sample, two boxes
        { label: "tree", class: 0, importance: .3 }, // not over the threshold
        { label: "cup", class: 0, importance: NaN },
      ],
    },
    { predicted: 1, targets: [1], scores: [{ label: "dog", class: 1, importance: .25 }] },
  ], { classes: CLASSES, threshold: .3 });
  assert.deepEqual(counts.cell("dog", 0), { a: 1, b: 0, c: 0, d: 1, n: 2, boxes: 2, sum: 1.25 });
  assert.deepEqual(counts.cell("dog", 1), { a: 0, b: 1, c: 1, d: 0, n: 2, boxes: 1, sum: .25 });
  assert.deepEqual(counts.cell("dog", 2), { a: 0, b: 1, c: 0, d: 1, n: 2, boxes: 0, sum: 0 });
  const sum = Math.round(.3 * 2 ** 24) / 2 ** 24;
  assert.deepEqual(counts.cell("tree", 0), { a: 0, b: 0, c: 1, d: 1, n: 2, boxes: 1, sum });
  assert.deepEqual(counts.cell("cup", 0), { a: 0, b: 0, c: 1, d: 1, n: 2, boxes: 0, sum: 0 });
  assert.equal(counts.nan("cup", 0), 1);
  assert.equal(counts.nan("dog", 0), 0);
  assert.deepEqual(counts.objects, ["cup", "dog", "tree"]);
  assert.deepEqual([0, 1, 2].map((target) => counts.predicted(target)), [1, 1, 0]);
});

for (const [mode, targetsOf] of Object.entries(MODES)) {
  Deno.test(`every cell is what its definition says, cell by cell (maps of: ${mode})`, () => {
    const samples = randomSamples(createRng(7), 200, targetsOf);
    const threshold = .3;
    const counts = countAll(samples, { classes: CLASSES, threshold });
    let seen = 0;
    for (const label of LABELS) {
      for (const k of CLASSES.keys()) {
        const table = { a: 0, b: 0, c: 0, d: 0 };
        let boxes = 0, sum = 0, nan = 0;
        for (const { predicted, targets, scores } of samples) {
          const deciding = targets.includes(k) ? k : predicted;
          const salient = scores.some((score) =>
            score.label === label && score.class === deciding && score.importance > threshold
          );
          table[salient ? (predicted === k ? "a" : "b") : (predicted === k ? "c" : "d")]++;
          for (const score of scores) {
            if (score.label !== label || score.class !== k) continue;
            if (Number.isNaN(score.importance)) nan++;
            else boxes++, sum += score.importance;
          }
        }
        const { sum: counted, ...cell } = counts.cell(label, k)!;
        assert.deepEqual(cell, { ...table, n: samples.length, boxes });
        assertClose(counted, sum, boxes * 2 ** -25 + 1e-12, `${label} ${k}`);
        assert.equal(counts.nan(label, k), nan);
        seen += table.a;
      }
    }
    assertMore(seen, 50);
  });
}

Deno.test("any order, batch size or sharding gives the same bytes", () => {
  const rng = createRng(11);
  const samples = randomSamples(rng, 300, MODES.all!);
  const settings = { classes: CLASSES, threshold: .3 };
  const bytes = JSON.stringify(countAll(samples, settings));
  for (let trial = 0; trial < 20; trial++) {
    const keys = samples.map(() => rng.uniform());
    const shuffled = [...samples.keys()].sort((a, b) => keys[a] - keys[b])
      .map((at) => samples[at]);
    const shards: CountedSample[][] = Array.from({ length: 1 + rng.below(9) }, () => []);
    for (const sample of shuffled) shards[rng.below(shards.length)].push(sample);
    const whole = new Accumulator(settings);
    for (const shard of shards) {
      const part = JSON.stringify(countAll(shard, settings));
      whole.merge(Accumulator.fromJSON(JSON.parse(part)));
    }
    assert.equal(JSON.stringify(whole), bytes);
    assert.equal(JSON.stringify(Accumulator.fromJSON(JSON.parse(bytes))), bytes);
  }
});

Deno.test("a run that explains one class has that class's column only, also where another class is predicted", () => {
  const samples = randomSamples(createRng(13), 100, () => [1]);
  const counts = countAll(samples, { classes: CLASSES, threshold: .3, columns: [1] });
  assert.equal(counts.cell("dog", 0), undefined);
  const salient = (sample: CountedSample) =>
    sample.scores.some((score) => score.label === "dog" && score.importance > .3);
  const a = samples.filter((sample) => salient(sample) && sample.predicted === 1).length;
  const b = samples.filter((sample) => salient(sample) && sample.predicted !== 1).length;
  assertMore(a, 0);
  assertMore(b, 0);
  assert.equal(counts.cell("dog", 1)!.a, a);
  assert.equal(counts.cell("dog", 1)!.b, b);
  assert.deepEqual(associationMatrix(counts, MEASURES.dice, "grad-cam").classes, ["fear"]);
});

Deno.test("labels without a scored box are listed when told of", () => {
  const counts = countAll([{ predicted: 2, targets: [2], scores: [], labels: ["ghost"] }], {
    classes: CLASSES,
    threshold: .3,
  });
  assert.deepEqual(counts.objects, ["ghost"]);
  assert.deepEqual(counts.cell("ghost", 2), { a: 0, b: 0, c: 1, d: 0, n: 1, boxes: 0, sum: 0 });
});

Deno.test("a sample that cannot be counted is refused whole", () => {
  const counts = new Accumulator({ classes: CLASSES, threshold: .3 });
  const before = JSON.stringify(counts);
  const score = { label: "dog", class: 0, importance: .5 };
  const refused: [CountedSample, RegExp][] = [
    [{ predicted: 3, targets: [3], scores: [] }, /class 3, but there are 3/],
    [{ predicted: 0, targets: [-1], scores: [] }, /class -1/],
    [{ predicted: 0, targets: [], scores: [] }, /for joy: there is a map neither/],
    [{ predicted: 1, targets: [0], scores: [score] }, /for fear: there is a map neither/],
    [{ predicted: 1, targets: [1], scores: [score] }, /class 0 is not one of the targets 1/],
    [{ predicted: 0, targets: [0], scores: [{ ...score, importance: Infinity }] }, /Infinity/],
  ];
  for (const [sample, message] of refused) {
    assert.throws(() => counts.add(sample), { name: "RangeError", message });
  }
  assert.equal(JSON.stringify(counts), before);
});

Deno.test("counts of different settings are not merged, broken counts are not read", () => {
  const settings = { classes: CLASSES, threshold: .3 };
  const counts = new Accumulator(settings);
  for (const other of [{ threshold: .4 }, { classes: ["joy", "fear"] }, { columns: [0] }]) {
    const different = new Accumulator({ ...settings, ...other });
    assert.throws(() => counts.merge(different), { name: "RangeError", message: /different/ });
  }
  const json = counts.toJSON();
  const broken = [{ ...json, format: "2" }, { ...json, predicted: [1] }, {
    ...json,
    predicted: [0, .5, 0],
  }];
  for (const each of broken) {
    assert.throws(() => Accumulator.fromJSON(each as typeof json), { name: "SyntaxError" });
  }
  for (const columns of [[1, 0], [3], [0, 0]]) {
    assert.throws(() => new Accumulator({ ...settings, columns }), { name: "RangeError" });
  }
  assert.throws(() => new Accumulator({ ...settings, threshold: NaN }), { name: "RangeError" });
});

Deno.test("a sum that would no longer be exact is refused", () => {
  const settings = { classes: ["joy"], threshold: .3 };
  const json = countAll([
    { predicted: 0, targets: [0], scores: [{ label: "dog", class: 0, importance: 1 }] },
  ], settings).toJSON();
  const full = Accumulator.fromJSON({
    ...json,
    objects: [{ ...json.objects[0], sum: [Number.MAX_SAFE_INTEGER] }],
  });
  assert.throws(() => full.merge(Accumulator.fromJSON(json)), { message: /Cannot count exactly/ });
});

Deno.test("objects × emotions of a corpus: counts, dice and phi are the reference's", () => {
  const { input, expected } = golden.cases[0];
  const objects = expected.objects.map((_, at) => `object ${at}`);
  const classes = expected.emotions.map((_, at) => `emotion ${at}`);
  const counts = new Accumulator({ classes, threshold: .5 });
  for (const [at, row] of input.presence_rows_by_image.entries()) {
    const predicted = input.emotion_label[at];
    const scores = [...row].map((bit, object) => ({
      label: objects[object],
      class: predicted,
      importance: Number(bit),
    }));
    counts.add({ predicted, targets: [predicted], scores });
  }
  for (const name of ["count", "dice", "phi"] as const) {
    const { values } = associationMatrix(counts, MEASURES[name], "none");
    const wanted = (name === "count" ? expected.n11 : expected[name]).flat() as GoldenNumber[];
    assert.equal(values.length, wanted.length);
    wanted.forEach((value, at) => assertAgrees(values[at], value, 1e-14, `${name} ${at}`));
  }
});
