/** What a user of the preset could meet: nothing that passes, one image, one method, boxes from elsewhere, failures. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { readNpy } from "../../src/base/npy.ts";
import { emocam, emocamProcess } from "./cli.ts";
import { paperFrame, paperHeat, type Size } from "./paper_chain.ts";
import { ANNOTATIONS, type PaperCorpus, PLACES, withPaperCorpus } from "./paper_corpus.ts";
import {
  assertAtLeast,
  assertEvery,
  assertIncludes,
  assertMore,
  assertNone,
  assertSome,
} from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const SIDE = 227, CELLS = 13;
/** Thresholds that some rows pass and some do not. */
const LOW = ["--emotion-confidence", "0.25", "--threshold", "0.05"];

/** Images in the order of every table. */
const SORTED = PLACES.map(([, path]) => path).toSorted();

/** The mean over the whole pixels of a box in image pixels; `undefined` where a corner is too close to a pixel's edge to tell. */
function meanIn(
  heat: readonly (readonly number[])[],
  image: Size,
  frame: Size,
  row: Record<string, string>,
): number | undefined {
  const { width, height, left, top } = paperFrame(image, frame);
  const place = (text: string, scale: number, first: number, end: number) =>
    Math.min(Math.max(Number(text) * scale + first, 0), end);
  const [sx, sy] = [width / image.width, height / image.height];
  const corners = [
    place(row.x0!, sx, left, frame.width),
    place(row.y0!, sy, top, frame.height),
    place(row.x1!, sx, left, frame.width),
    place(row.y1!, sy, top, frame.height),
  ];
  const inside = corners.filter((at) => at > 0 && at !== frame.width && at !== frame.height);
  if (inside.some((at) => Math.abs(at - Math.round(at)) < 1e-6)) return undefined;
  const [x0, y0, x1, y1] = corners.map(Math.trunc) as [number, number, number, number];
  let sum = 0, count = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++, count++) sum += heat[y][x];
  }
  return count > 0 ? sum / count : NaN;
}

/** Checks the importances of one image's boxes against the pictures. @returns how many, and how many of them are NaN */
async function checkChain(
  corpus: PaperCorpus,
  out: string,
  method: string,
  image: string,
  frame: Size,
): Promise<{ boxes: number; undefinedBoxes: number }> {
  const images = await corpus.rows(out, "images.csv");
  const { width, height } = images.find(({ path }) => path === image)!;
  const size = { width: Number(width), height: Number(height) };
  const maps = join(corpus.folder, out, "maps", method);
  const names = (await Array.fromAsync(Deno.readDir(maps), ({ name }) => name)).sort();
  const stem = image.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  const { shape, data } = readNpy(
    await Deno.readFile(join(maps, names.find((name) => name === `${stem}.npy`)!)),
  );
  assert.deepEqual(shape, [1, CELLS, CELLS]);
  const heat = paperHeat(data as Float32Array, CELLS, SIDE, size, frame);
  let boxes = 0, undefinedBoxes = 0;
  for (const row of await corpus.rows(out, "boxes.csv")) {
    if (row.image !== image || row.method !== method) continue;
    const expected = meanIn(heat, size, frame, row);
    if (expected === undefined) continue;
    const found = row.importance === "NaN" ? NaN : Number(row.importance);
    boxes++;
    if (Number.isNaN(expected)) undefinedBoxes++;
    assertClose(
      found,
      expected,
      { absolute: 2e-6, nan: true },
      `${image} ${method} ${row.label} ${row.x0}`,
    );
  }
  return { boxes, undefinedBoxes };
}

Deno.test("importances are those of the paper's chain of pictures, for photographs wide and tall", () =>
  withPaperCorpus(async (corpus) => {
    const { status, err } = await corpus.run("run", "--maps");
    assert.equal(status, 0, err);
    const frame = { width: 90, height: 70 };
    for (const photo of ["hopper", "group6", "astronaut"]) {
      const [, image] = PLACES.find(([name]) => name === photo)!;
      for (const method of ["grad-cam", "ablation-cam", "lrp-cam"]) {
        const { boxes } = await checkChain(corpus, "run", method, image, frame);
        assert.ok(boxes > 20, `${boxes} boxes`);
      }
    }
  }));

/** A file of boxes for three images: within, across an edge, in the bars, outside, of another name, and below every threshold. */
async function writeBoxes({ folder }: PaperCorpus): Promise<string> {
  const [first, second, third] = SORTED;
  const quoted = (text: string) => `"${text}"`;
  const lines = [
    [first, "Person", .9, 10, 20, 300, 310],
    [first, "Tree", .5, -80, -40, 90, 100],
    [first, "Human face", .8, -300, -300, -200, -200],
    [second, "Person", .6, 100, -300, 500, -1],
    [second, "Drink", .05, 100.5, 100.5, 400.25, 300.75],
    [third, "Möbel, alt", .7, 300.5, 400.5, 5000, 4000],
  ].map(([image, label, ...rest]) =>
    [quoted(String(image)), quoted(String(label)), ...rest].join()
  );
  const file = join(folder, "boxes.csv");
  await Deno.writeTextFile(
    file,
    ["image,label,confidence,x0,y0,x1,y1", ...lines, ""].join("\n"),
  );
  return file;
}

Deno.test("boxes from elsewhere: across the edge, in the bars, outside the frame; most images have none", () =>
  withPaperCorpus(async (corpus) => {
    const boxes = await writeBoxes(corpus);
    const args = ["--detector", boxes, "--methods", "grad-cam", "--maps"];
    const low = ["--emotion-confidence", "0", "--threshold", "0"];
    const { status, err } = await corpus.run("run", ...args, ...low);
    assert.equal(status, 0, err);
    assert.match(err, /^note: .*boxes\.csv has boxes for 3 of 9 images$/m);
    const counts = [];
    for (const image of SORTED.slice(0, 3)) {
      // Without its own network a detector's frame is the published one's.
      counts.push(await checkChain(corpus, "run", "grad-cam", image, { width: 608, height: 608 }));
    }
    assert.deepEqual(counts.map(({ undefinedBoxes }) => undefinedBoxes), [1, 0, 0]);
    assertAtLeast(counts.reduce((sum, { boxes }) => sum + boxes, 0), 5);
    const rows = await corpus.rows("run", "boxes.csv");
    // All in a bar: no part of the map.
    const bar = rows.find(({ image, label }) => image === SORTED[1] && label === "Person");
    assertClose(Number(bar!.importance), 0, 1e-9, bar!.importance);
    const found = await corpus.rows("run", "paper/emotion_object_grad-cam.csv");
    assertEvery(found, ({ object }) => object !== "Drink" && object !== "Human face");
    assert.doesNotMatch(err, /none of the/);
    const foreign = await corpus.run("run", ...args, ...low, "--objects", "Personne,Visage");
    assert.match(
      foreign.err,
      /^note: none of the 2 objects of the analysis was detected \(detected: ".*" …\); name others with --objects/m,
    );
    const all = await corpus.run("run", ...args, ...low, "--objects", "all");
    assert.equal(all.status, 0, all.err);
    const [header] = await corpus.table("run", "paper/annotation_object_grad-cam_dice.csv");
    assert.deepEqual(header!.slice(1, 5), ["Human face", "Möbel, alt", "Person", "Tree"]);
  }));

Deno.test("nothing passes: tables without rows, NaN, and a note that says so, also in run.json", () =>
  withPaperCorpus(async (corpus) => {
    const { status, err } = await corpus.run("run", "--emotion-confidence", "0.99");
    assert.equal(status, 0, err);
    const note = "emotion_object_grad-cam, emotion_object_ablation-cam, emotion_object_lime-cam, " +
      "emotion_object_lift-cam, emotion_object_lrp-cam, emotion_annotation: no image passes, so nothing can be related " +
      "(importance > 0.3, emotion > 0.99, object > 0.1, ambiguity < 3)";
    assertIncludes(err, `note: ${note}\n`);
    const { notices } = JSON.parse(await Deno.readTextFile(join(corpus.folder, "run/run.json")));
    assertIncludes(notices, note);
    const [header, ...rows] = await corpus.table("run", "paper/emotion_object_grad-cam_dice.csv");
    assert.equal(header!.length, 1 + 24 + 20);
    rows.forEach(([, ...values], i) =>
      assert.deepEqual(values, values.map((_, j) => i === j ? "1" : "NaN"))
    );
    assert.equal((await corpus.table("run", "paper/valence.csv")).length, 1);
    const [valence] = await corpus.rows("run", "paper/valence_arousal.csv");
    assert.deepEqual([valence!.n, valence!.pearson_r, valence!.pearson_p], ["0", "NaN", "NaN"]);
  }));

Deno.test("one image and one method: no comparison of methods, no coefficient, no error", () =>
  withPaperCorpus(async (corpus) => {
    const args = ["--methods", "lime-cam", "--limit", "1", "--emotion-confidence", "0"];
    const { status, err } = await corpus.run("run", ...args, "--reference-columns");
    assert.equal(status, 0, err);
    const names = (await Array.fromAsync(Deno.readDir(join(corpus.folder, "run/paper"))))
      .map(({ name }) => name).sort();
    const related = (name: string) => [`${name}.csv`, `${name}_binary.csv`, `${name}_dice.csv`];
    assert.deepEqual(
      names,
      [
        ...["emotion_object_lime-cam", "annotation_object_lime-cam", "emotion_annotation"]
          .flatMap(related),
        ...["valence", "arousal", "valence_arousal"].map((name) => `${name}.csv`),
        ...["valence_arousal_pearson.csv", "valence_arousal_spearman.csv"],
        ...["emonet_outputs_lime.csv", "yolo_outputs_lime.csv"],
      ].sort(),
    );
    const [valence] = await corpus.rows("run", "paper/valence_arousal.csv");
    const own = ANNOTATIONS.filter(({ image, ambiguity }) => image === SORTED[0] && ambiguity < 3);
    assertMore(own.length, 0);
    assert.equal(valence!.pearson_r, "NaN");
    const rows = await corpus.rows("run", "paper/emotion_annotation.csv");
    assertEvery(rows, (row) => row.dir_image_path === "a, b/one.jpg");
  }));

Deno.test("without annotations: emotion × object and the comparison over all images, and a note", () =>
  withPaperCorpus(async (corpus) => {
    const out = join(corpus.folder, "run");
    const { status, err } = await emocam(
      ...["analyze", corpus.images, "--preset", "paper", "--backend", "native", "--out", out],
      ...["--emotion-confidence", "0", "--threshold", "0", "--methods", "grad-cam,lime-cam"],
    );
    assert.equal(status, 0, err);
    assert.match(err, /^note: no image is annotated: emotion × object and the comparison/m);
    const [, ...images] = await corpus.table("run", "paper/emotion_object_lime-cam_binary.csv");
    assertSome(images, ([image]) => image === "Run_2/not annotated/h.jpg");
    const names = await Array.fromAsync(Deno.readDir(join(out, "paper")), ({ name }) => name);
    assertIncludes(names, "method_spearman.csv");
    assert.ok(!names.some((name) => /annotation|valence|arousal/.test(name)), names.join());
  }));

Deno.test("an annotation file alone is the corpus; its missing images fail, and take no place in any table", () =>
  withPaperCorpus(async (corpus) => {
    const run = (out: string, ...args: string[]) =>
      emocam(
        ...["analyze", ...args, "--preset", "paper", "--backend", "native", "--corrected"],
        ...["--emotion-confidence", "0", "--threshold", "0.05", "--out", join(corpus.folder, out)],
      );
    const { status, err } = await run("alone", corpus.annotations);
    assert.equal(status, 0, err);
    assert.match(err, /^failed: Run_2\/e\/missing\.jpg: /m);
    const both = await run("both", corpus.images, corpus.annotations);
    assert.equal(both.status, 0, both.err);
    const names = await Array.fromAsync(
      Deno.readDir(join(corpus.folder, "both/paper")),
      ({ name }) => name,
    );
    for (const name of names) {
      const [one, two] = await Promise.all(
        ["alone", "both"].map((out) => Deno.readTextFile(join(corpus.folder, out, "paper", name))),
      );
      assert.equal(one, two, name);
      assert.doesNotMatch(one!, /broken|missing/, name);
    }
  }));

Deno.test("a run without the preset leaves no tables of an earlier one, and what is not ours stays", () =>
  withPaperCorpus(async (corpus) => {
    const paper = join(corpus.folder, "run/paper");
    await Deno.mkdir(join(paper, "figures"), { recursive: true });
    await Deno.writeTextFile(join(paper, "manuscript.tex"), "text");
    await Deno.writeTextFile(join(paper, "figures/valence.csv"), "own");
    const args = ["--limit", "1", "--methods", "grad-cam,lime-cam", "--reference-columns"];
    assert.equal((await corpus.run("run", ...args)).status, 0);
    const list = async () =>
      (await Array.fromAsync(Deno.readDir(paper), ({ name }) => name)).sort();
    assertIncludes(await list(), "yolo_outputs_lime.csv");
    const fewer = ["--limit", "1", "--methods", "grad-cam"];
    assert.equal((await corpus.run("run", ...fewer)).status, 0);
    assertNone(await list(), (name) => /lime|method|outputs/.test(name));
    const plain = await emocam(
      ...["analyze", corpus.images, "--limit", "1", "--samples", "image", "--backend", "native"],
      ...["--out", join(corpus.folder, "run")],
    );
    assert.equal(plain.status, 0, plain.err);
    assert.deepEqual(await list(), ["figures", "manuscript.tex"]);
    assert.equal(await Deno.readTextFile(join(paper, "figures/valence.csv")), "own");
  }));

Deno.test("all images fail: status 1, tables without rows", () =>
  withPaperCorpus(async (corpus) => {
    const out = join(corpus.folder, "run");
    const { status, err } = await emocam(
      ...["analyze", join(corpus.images, "Run_2/e/broken.jpg"), "--preset", "paper"],
      ...["--backend", "native", "--out", out],
    );
    assert.equal(status, 1, err);
    assert.deepEqual(
      parse(await Deno.readTextFile(join(out, "paper/emotion_object_grad-cam.csv"))),
      [["image", "emotion", "object"]],
    );
  }));

Deno.test("a run that is killed and continued ends with the same paper tables", () =>
  withPaperCorpus(async (corpus) => {
    const whole = await corpus.run("whole", ...LOW, "--batch", "1", "--similarity", "dice,yule");
    assert.equal(whole.status, 0, whole.err);
    const args = [
      ...["analyze", corpus.images, corpus.annotations, "--preset", "paper", ...LOW],
      ...["--batch", "1", "--similarity", "dice,yule", "--backend", "native"],
      ...["--out", join(corpus.folder, "killed")],
    ];
    let partly = 0;
    for (const wait of [0, 150, 300, 450, 600]) {
      const child = emocamProcess(args, { stdout: "null" }).spawn();
      let timer: ReturnType<typeof setTimeout> | undefined;
      for await (const _ of child.stderr) {
        timer ??= setTimeout(() => {
          try {
            child.kill("SIGKILL");
          } catch {
            // it was faster
          }
        }, wait);
      }
      const { signal } = await child.status;
      clearTimeout(timer);
      if (signal === "SIGKILL") partly++;
    }
    assertMore(partly, 0, "no run was killed");
    const last = await corpus.run("killed", ...LOW, "--batch", "1", "--similarity", "dice,yule");
    assert.equal(last.status, 0, last.err);
    const tables = async (out: string) => {
      const names = (await Array.fromAsync(Deno.readDir(join(corpus.folder, out, "paper"))))
        .map(({ name }) => name).sort();
      return await Promise.all(names.map(async (name) => [
        name,
        await Deno.readTextFile(join(corpus.folder, out, "paper", name)),
      ]));
    };
    assert.deepEqual(await tables("killed"), await tables("whole"));
  }));

Deno.test("a table of one's own with a column emotion is enough: without ambiguity all annotations count", () =>
  withPaperCorpus(async (corpus) => {
    const file = join(corpus.images, "own.csv");
    const rows = [["Run_1/a, b/one.jpg", "Joy"], ["Run_1/a, b/two.jpg", "Fear"]];
    await Deno.writeTextFile(
      file,
      `path,emotion\n${rows.map(([path, emotion]) => `"${path}",${emotion}\n`).join("")}`,
    );
    const out = join(corpus.folder, "run");
    const { status, err } = await emocam(
      ...["analyze", file, "--preset", "paper", "--backend", "native", "--out", out],
      ...["--emotion-confidence", "0", "--methods", "grad-cam"],
    );
    assert.equal(status, 0, err);
    const annotated = await corpus.rows("run", "paper/emotion_annotation.csv");
    assert.deepEqual(annotated.map(({ annotated_emotion }) => annotated_emotion), ["Joy", "Fear"]);
    const [valence] = await corpus.rows("run", "paper/valence_arousal.csv");
    assert.equal(valence!.pearson_r, "NaN");
  }));

Deno.test("annotations that are not numbers count as absent, and are told; an image's rows are its annotations", () =>
  withPaperCorpus(async (corpus) => {
    await Deno.writeTextFile(
      join(corpus.images, "own.csv"),
      'path,emotion,valence,ambiguity\n"Run_1/a, b/one.jpg",Joy,high,0\n"Run_1/a, b/one.jpg",Fear,2,NA\n',
    );
    const { status, err } = await emocam(
      ...["analyze", join(corpus.images, "own.csv"), "--preset", "paper", "--backend", "native"],
      ...["--emotion-confidence", "0", "--methods", "grad-cam", "--corrected"],
      ...["--out", join(corpus.folder, "run")],
    );
    assert.equal(status, 0, err);
    assert.match(
      err,
      /^note: an annotation that is not a number counts as absent: valence of Run_1\/a, b\/one\.jpg is "high"$/m,
    );
    // The second has no ambiguity, and so is not below any.
    const annotated = await corpus.rows("run", "paper/emotion_annotation.csv");
    assert.deepEqual(annotated.map(({ annotated_emotion }) => annotated_emotion), ["Joy"]);
    const [valence] = await corpus.rows("run", "paper/valence_arousal.csv");
    assert.equal(valence!.n, "0");
  }));

Deno.test("faces as samples: each has the annotation of its image", () =>
  withPaperCorpus(async (corpus) => {
    await Deno.writeTextFile(
      join(corpus.images, "own.csv"),
      'path,emotion,valence\n"Run_1/a, b/one.jpg",Joy,1\n',
    );
    const { status, err } = await emocam(
      ...["analyze", join(corpus.images, "own.csv"), "--preset", "paper", "--backend", "native"],
      ...["--classifier", "mini-xception", "--detector", "face-parts", "--samples", "faces"],
      ...["--box-mean", "exact", "--emotion-confidence", "0", "--methods", "grad-cam"],
      ...["--corrected", "--out", join(corpus.folder, "run")],
    );
    assert.equal(status, 0, err);
    const faces = await corpus.rows("run", "predictions.csv");
    assertMore(faces.length, 1);
    const annotated = await corpus.rows("run", "paper/emotion_annotation.csv");
    assert.deepEqual(
      annotated.map(({ image, annotated_emotion }) => [image, annotated_emotion]),
      faces.map((_, i) => [`Run_1/a, b/one.jpg#${i}`, "Joy"]),
    );
  }));
