import assert from "node:assert/strict";
import { join } from "node:path";
import { headValues } from "../../src/classifier/heads.ts";
import { PAPER_SETTINGS } from "../../src/experiments/paper/mod.ts";
import { SIMILARITIES } from "../../src/statistics/similarity/mod.ts";
import { type ClassifierCard, findCard } from "../../src/runtime/card.ts";
import { ANNOTATIONS, type PaperCorpus, withPaperCorpus } from "./paper_corpus.ts";
import {
  twinAnnotationObject,
  twinEmotionAnnotation,
  twinEmotionObject,
  type TwinInput,
  twinMatrix,
  twinPairs,
  twinPearson,
  twinRanks,
  type TwinSettings,
  type TwinTable,
} from "./paper_twin.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast, assertLess, assertMore } from "../assert_that.ts";

/** The preset's methods, in the order of every table. */
const METHODS = ["grad-cam", "ablation-cam", "lime-cam", "lift-cam", "lrp-cam"];
/** Thresholds that some rows pass and some do not: the small network is never sure. */
const LOW = ["--emotion-confidence", "0.25", "--threshold", "0.05"];
const PAPERS: TwinSettings = {
  importance: 0.05,
  emotion: 0.25,
  object: 0.1,
  ambiguity: 3,
  objects: PAPER_SETTINGS.objects,
  annotationObjects: PAPER_SETTINGS.annotationObjects,
  annotated: PAPER_SETTINGS.annotatedEmotions as readonly string[],
};

async function emonetCard(): Promise<ClassifierCard> {
  const { card } = await findCard("emonet");
  assert.ok(card.task === "classifier", card.task);
  return card;
}

/** What the twin reads: the run's own tables and the annotations as they were written. */
async function twinInput({ rows }: PaperCorpus, out: string): Promise<TwinInput> {
  const boxes = await rows(out, "boxes.csv");
  return {
    emotions: (await emonetCard()).classes,
    methods: METHODS.filter((name) => boxes.some(({ method }) => method === name)),
    predictions: await rows(out, "predictions.csv"),
    boxes,
    annotations: ANNOTATIONS.filter(({ image }) => !/broken|missing/.test(image)),
  };
}

function sorted(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

/** Compares a square table, numbers to 1e-12, NaN with NaN. */
function assertMatrix(
  [header, ...rows]: string[][],
  features: readonly string[],
  values: number[][],
  what: string,
): void {
  assert.deepEqual(header, ["", ...features], what);
  assert.deepEqual(rows.map(([name]) => name), features, what);
  rows.forEach(([, ...row], i) =>
    row.forEach((text, j) => {
      const found = text === "NaN" ? NaN : Number(text);
      const cell = `${what} ${features[i]} ${features[j]} (${text})`;
      assertClose(found, values[i][j], { absolute: 1e-12, nan: true }, cell);
    })
  );
}

/** Compares an analysis's rows, vectors and matrices with the twin's. @returns how many rows there were */
async function checkAnalysis(
  { table }: PaperCorpus,
  out: string,
  name: string,
  twin: TwinTable,
  similarities = ["dice"],
): Promise<number> {
  const [, ...rows] = await table(out, `paper/${name}.csv`);
  assert.deepEqual(sorted(rows), sorted(twin.rows), name);
  const [header, ...vectors] = await table(out, `paper/${name}_binary.csv`);
  assert.deepEqual(header!.slice(1), twin.features, name);
  const expected = [...twin.bits].map(([image, bits]) => [image, ...bits.map(String)]);
  assert.deepEqual(sorted(vectors), sorted(expected), name);
  for (const measure of similarities) {
    const what = `${name}_${measure}`;
    const found = await table(out, `paper/${what}.csv`);
    assertMatrix(found, twin.features, twinMatrix(twin, measure), what);
  }
  return rows.length;
}

/** Compares all tables that relate features. @returns rows by kind of analysis */
async function checkAll(
  corpus: PaperCorpus,
  out: string,
  settings: TwinSettings,
  similarities?: string[],
): Promise<{ emotionObject: number; annotationObject: number; emotionAnnotation: number }> {
  const input = await twinInput(corpus, out);
  let emotionObject = 0, annotationObject = 0;
  for (const method of input.methods) {
    const check = (name: string, twin: TwinTable) =>
      checkAnalysis(corpus, out, `${name}_${method}`, twin, similarities);
    emotionObject += await check("emotion_object", twinEmotionObject(input, method, settings));
    annotationObject += await check(
      "annotation_object",
      twinAnnotationObject(input, method, settings),
    );
  }
  const emotionAnnotation = await checkAnalysis(
    corpus,
    out,
    "emotion_annotation",
    twinEmotionAnnotation(input, settings),
    similarities,
  );
  return { emotionObject, annotationObject, emotionAnnotation };
}

Deno.test("the whole preset: every table of paper/ follows from boxes.csv, predictions.csv and the annotations", () =>
  withPaperCorpus(async (corpus) => {
    const { status, err, out } = await corpus.run("run", ...LOW);
    assert.equal(status, 0, err);
    assert.match(out, /^paper +.*paper$/m);
    assert.match(err, /^failed: Run_2\/e\/broken\.jpg: /m);
    const counts = await checkAll(corpus, "run", PAPERS);
    assert.ok(Object.values(counts).every((count) => count >= 8), JSON.stringify(counts));
    const input = await twinInput(corpus, "run");
    await checkValenceArousal(corpus, input);
    await checkMethods(corpus, input);
    // The list misses Sadness, which is said.
    assert.match(err, /^note: annotated emotions .* are not counted: "Sadness" \(1\)$/m);
    const names = (await Array.fromAsync(Deno.readDir(join(corpus.folder, "run/paper"))))
      .map(({ name }) => name);
    assert.equal(names.length, 5 * 6 + 3 + 5 + 3);
    assert.ok(names.every((name) => name.endsWith(".csv")), names.join());
  }));

/** predictions.csv's heads, and the tables of pairs and coefficients. */
async function checkValenceArousal(corpus: PaperCorpus, input: TwinInput): Promise<void> {
  const card = await emonetCard();
  for (const row of input.predictions) {
    const probabilities = card.classes.map((name) => Math.fround(Number(row[`p_${name}`])));
    const { valence, arousal } = headValues(card, probabilities);
    assert.deepEqual([Number(row.valence), Number(row.arousal)], [valence, arousal], row.image);
    const [{ bias, weights }] = Object.values(card.heads!);
    const sum = probabilities.reduce((total, p, k) => total + p * weights[k], bias);
    assertClose(sum, Number(row.valence), 1e-12);
  }
  const pairs = twinPairs(input, PAPERS);
  const columns = [
    pairs.map(({ prediction }) => Number(prediction.valence)),
    pairs.map(({ judged }) => judged.valence),
    pairs.map(({ prediction }) => Number(prediction.arousal)),
    pairs.map(({ judged }) => judged.arousal),
  ];
  const summary = await corpus.rows("run", "paper/valence_arousal.csv");
  for (const [at, quantity] of ["valence", "arousal"].entries()) {
    const [x, y] = [columns[2 * at], columns[2 * at + 1]];
    const [header, ...rows] = await corpus.table("run", `paper/${quantity}.csv`);
    assert.deepEqual(header, [quantity, `annotated_${quantity}`]);
    assert.deepEqual(sorted(rows), sorted(x.map((value, i) => [String(value), String(y[i])])));
    const row = summary[at];
    assert.deepEqual([row.quantity, row.n], [quantity, String(pairs.length)]);
    const r = twinPearson(x, y), rho = twinPearson(twinRanks(x), twinRanks(y));
    assertClose(Number(row.pearson_r), r, 1e-12);
    assertClose(Number(row.spearman_rho), rho, 1e-12);
    const half = 1.959963984540054 / Math.sqrt(pairs.length - 3);
    assertClose(Number(row.pearson_low), Math.tanh(Math.atanh(r) - half), 1e-9);
    assertClose(Number(row.pearson_high), Math.tanh(Math.atanh(r) + half), 1e-9);
    for (const p of [row.pearson_p, row.spearman_p]) {
      assertMore(Number(p), 0, p);
      assertLess(Number(p), 1, p);
    }
  }
  const names = ["valence", "annotated_valence", "arousal", "annotated_arousal"];
  const of = (change: (values: readonly number[]) => readonly number[]) =>
    columns.map((x, i) => columns.map((y, j) => i === j ? 1 : twinPearson(change(x), change(y))));
  for (
    const [kind, values] of [["pearson", of((x) => x)], ["spearman", of(twinRanks)]] as const
  ) {
    const name = `valence_arousal_${kind}`;
    assertMatrix(await corpus.table("run", `paper/${name}.csv`), names, values, name);
  }
}

/** Lower triangles of the Dice matrices, and their rank correlations. */
async function checkMethods(corpus: PaperCorpus, input: TwinInput): Promise<void> {
  const tables = METHODS.map((method) => twinEmotionObject(input, method, PAPERS));
  const { features } = tables[0];
  const dyads = tables.map((table) => {
    const matrix = twinMatrix(table, "dice");
    return features.flatMap((_, i) => matrix[i].slice(0, i));
  });
  const [header, ...rows] = await corpus.table("run", "paper/method_dyads.csv");
  const titles = header!.slice(2);
  assert.deepEqual(titles, ["Grad-CAM", "Ablation-CAM", "LIME-CAM", "LIFT-CAM", "LRP-CAM"]);
  assert.equal(rows.length, features.length * (features.length - 1) / 2);
  const names = features.flatMap((row, i) => features.slice(0, i).map((column) => [row, column]));
  rows.forEach((row, at) => {
    assert.deepEqual(row.slice(0, 2), names[at]);
    row.slice(2).forEach((text, m) => {
      const wanted = dyads[m][at];
      if (Number.isNaN(wanted)) assert.equal(text, "NaN");
      else assertClose(Number(text), wanted, 1e-12);
    });
  });
  let compared = 0;
  const rho = dyads.map((x, i) =>
    dyads.map((y, j) => {
      if (i === j) return 1;
      const both = x.flatMap((_, at) => Number.isNaN(x[at] + y[at]) ? [] : [at]);
      if (both.length > 3) compared++;
      return twinPearson(
        twinRanks(both.map((at) => x[at])),
        twinRanks(both.map((at) => y[at])),
      );
    })
  );
  assert.ok(compared >= 12, `${compared} of 20 pairs have dyads`);
  assertMatrix(
    await corpus.table("run", "paper/method_spearman.csv"),
    titles,
    rho,
    "method_spearman",
  );
}

Deno.test("--objects, --least-share, --corrected, --ambiguity and the thresholds decide as they say", () =>
  withPaperCorpus(async (corpus) => {
    const variants: readonly (readonly [string[], Partial<TwinSettings>])[] = [
      [["--corrected"], { corrected: true }],
      [["--ambiguity", "5"], { ambiguity: 5 }],
      [["--ambiguity", "0"], { ambiguity: 0 }],
      [["--objects", "all"], { objects: "all", annotationObjects: "all" }],
      [["--objects", "Person,Car"], {
        objects: ["Person", "Car"],
        annotationObjects: ["Person", "Car"],
      }],
      [["--least-share", "0.3"], { leastShare: 0.3 }],
      [["--least-share", "0.3", "--corrected", "--objects", "all"], {
        leastShare: 0.3,
        corrected: true,
        objects: "all",
        annotationObjects: "all",
      }],
      [["--object-confidence", "0.3"], { object: 0.3 }],
      [["--emotion-confidence", "0.35"], { emotion: 0.35 }],
      [["--threshold", "0.35"], { importance: 0.35 }],
    ];
    const seen = new Set<string>();
    for (const [args, change] of variants) {
      const { status, err, out } = await corpus.run("run", ...LOW, ...args);
      assert.equal(status, 0, err);
      if (seen.size > 0) assert.match(out, /8 images were computed before/);
      const counts = await checkAll(corpus, "run", { ...PAPERS, ...change });
      const matrix = await corpus.table("run", "paper/emotion_object_grad-cam_dice.csv");
      seen.add(JSON.stringify([counts, matrix]));
    }
    assertAtLeast(seen.size, variants.length - 1, "the options change what comes out");
  }));

Deno.test("--similarity all gives every measure; one that is not known stops before any work", () =>
  withPaperCorpus(async (corpus) => {
    const args = [...LOW, "--methods", "grad-cam"];
    const { status, err } = await corpus.run("run", ...args, "--similarity", "all");
    assert.equal(status, 0, err);
    await checkAll(corpus, "run", PAPERS, ["dice", "jaccard", "hamming"]);
    for (const { name } of SIMILARITIES) {
      const [header] = await corpus.table("run", `paper/emotion_annotation_${name}.csv`);
      assert.equal(header!.length, 1 + 20 + 23, name);
    }
    const refused = await corpus.run("other", ...args, "--similarity", "dice,dise");
    assert.deepEqual([refused.status, refused.out], [2, ""]);
    assert.match(refused.err, /^Cannot compare vectors by "dise": [^\n]*braycurtis[^\n]*\n$/);
    await assert.rejects(Deno.stat(join(corpus.folder, "other")), Deno.errors.NotFound);
  }));

Deno.test("what is given on the command line takes precedence over the preset, also where it is a default", () =>
  withPaperCorpus(async ({ run, folder }) => {
    const resolved = async (out: string) =>
      JSON.parse(await Deno.readTextFile(join(folder, out, "run.json")));
    const preset = await run("preset", "--limit", "1");
    assert.equal(preset.status, 0, preset.err);
    const own = {
      methods: "grad-cam",
      target: "logit",
      "box-mean": "exact",
      orientation: "exif",
      placement: "receptive-field",
      profile: "darknet",
      threshold: "0.3",
      class: "3",
    };
    const given = Object.entries(own).flatMap(([name, value]) => [`--${name}`, value]);
    const { status, err } = await run("own", "--limit", "1", ...given);
    assert.equal(status, 0, err);
    const names = ["methods", "target", "boxMean", "orientation", "placement", "class"];
    const of = (manifest: { arguments: Record<string, unknown> }) =>
      names.map((name) => manifest.arguments[name]);
    assert.deepEqual(of(await resolved("preset")), [
      ["grad-cam", "ablation-cam", "lime-cam", "lrp-cam", "lift-cam"],
      "published",
      "paper",
      "stored",
      "half-pixel",
      "predicted",
    ]);
    const mine = await resolved("own");
    assert.deepEqual(of(mine), [["grad-cam"], "logit", "exact", "exif", "receptive-field", "3"]);
    assert.match(JSON.stringify(mine.detector.key), /"profile":"darknet"/);
    assert.match(JSON.stringify((await resolved("preset")).detector.key), /"profile":"lightnet"/);
    const faces = await run("faces", "--samples", "faces");
    assert.deepEqual([faces.status, faces.out], [2, ""]);
    assert.match(faces.err, /^Cannot use --box-mean paper with face crops: .*--samples image\n$/);
  }));

Deno.test("that lift-cam and lrp-cam differ from the published maps is said, and kept in run.json", () =>
  withPaperCorpus(async ({ run, folder }) => {
    const note = /^(lift-cam is DeepLIFT's rescale rule|lrp-cam is LRP's epsilon rule); .* differ$/;
    for (
      const [methods, expected] of [["grad-cam,lift-cam", 1], ["lrp-cam", 1], [
        "lime-cam",
        0,
      ]] as const
    ) {
      const { status, err } = await run("run", "--limit", "1", "--methods", methods);
      assert.equal(status, 0, err);
      const { notices } = JSON.parse(await Deno.readTextFile(join(folder, "run/run.json")));
      assert.equal(notices.filter((text: string) => note.test(text)).length, expected, methods);
      const said = err.split("\n").filter((line) => note.test(line.replace(/^note: /, "")));
      assert.equal(said.length, expected, methods);
    }
  }));
