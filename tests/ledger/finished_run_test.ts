/** A finished run says what the analysis found, from its ledger and its manifest alone. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { FinishedRun } from "../../src/ledger/finished_run.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { type Analysis, registerStages } from "../../src/corpus/plan.ts";
import { streamCorpus } from "../../src/corpus/stream.ts";
import {
  analysisOf,
  countedBoxes,
  countedClassifier,
  finishedRun,
  imagesOf,
  methodsOf,
  noCalls,
} from "../corpus/counted_analysis.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { assertEvery, assertMore } from "../assert_that.ts";

/** Three pictures (one of them a copy), with two objects each, under two methods and a control. */
async function withRun(
  use: (own: {
    folder: string;
    ledger: Ledger;
    id: number;
    run: FinishedRun;
    analysis: Analysis;
  }) => Promise<void> | void,
): Promise<void> {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { names } = await makeFaces(pictures, 2);
    await Deno.copyFile(join(pictures, names[0]), join(pictures, "zz-copy.png"));
    const all = [...names, "zz-copy.png"];
    const images = imagesOf(pictures, all);
    const table = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      table,
      "image,label,confidence,x0,y0,x1,y1\n" +
        all.map((name) => `${name},mouth,1,20,45,50,60\n${name},nose,0.5,10,10,60,30\n`).join(""),
    );
    const classifier = await countedClassifier("mini-xception", noCalls());
    const detector = await countedBoxes(table, images, noCalls());
    const analysis = await analysisOf({ images, classifier, detector }, {
      methods: methodsOf("grad-cam", "cam", "centre"),
    });
    using ledger = Ledger.open(join(folder, "ledger.sqlite"));
    const stages = registerStages(ledger, analysis);
    const id = ledger.startRun({});
    await streamCorpus(analysis, ledger, id, stages);
    const run = finishedRun(ledger, id, analysis, stages);
    await use({ folder, ledger, id, run, analysis });
    await classifier.dispose();
  });
}

Deno.test("a run's images, boxes, samples and maps are each there once, by method and class", () =>
  withRun(({ run, analysis }) => {
    assert.deepEqual(run.classes, analysis.classifier.classes);
    assert.deepEqual(run.methods.map(({ name, control }) => [name, control]), [
      ["grad-cam", false],
      ["cam", false],
      ["centre", true],
    ]);
    const paths = [...run.images()].map(({ path }) => path);
    assert.equal(paths.length, 3);
    assert.deepEqual(run.duplicates().map(({ paths }) => paths), [[paths[0], "zz-copy.png"]]);
    assert.deepEqual([...run.boxes()].map(({ path, boxes }) => [path, boxes.length]), [
      [paths[0], 2],
      [paths[1], 2],
      ["zz-copy.png", 2],
    ]);
    const samples = [...run.samples()];
    assert.deepEqual(
      samples.map(({ path, method }) => `${path} ${method.name}`),
      paths.flatMap((path) => run.methods.map(({ name }) => `${path} ${name}`)),
    );
    for (const { predicted, targets, scores } of samples) {
      assert.deepEqual(targets, [predicted]);
      assert.deepEqual(scores.map(({ box }) => box.label), ["mouth", "nose"]);
    }
    const [, cam] = run.methods;
    assert.deepEqual([...run.samples([cam])].map(({ method }) => method.name), [
      "cam",
      "cam",
      "cam",
    ]);
    const predictions = [...run.predictions()];
    const maps = [...run.maps(cam)];
    assert.deepEqual(maps.map((map) => map.class), predictions.map(({ predicted }) => predicted));
    for (const { sample, raw, height, width, class: target } of maps) {
      assert.deepEqual([height, width], [cam.grid.height, cam.grid.width]);
      assert.deepEqual(run.map(sample.id, cam, target)?.raw, raw);
      assert.equal(run.scores(sample.id, cam, target).length, 2);
    }
  }));

Deno.test("classes that another run explained are not this run's", () =>
  withRun(async ({ ledger, run, analysis }) => {
    const all: Analysis = { ...analysis, classes: "all" };
    const stages = registerStages(ledger, all);
    const id = ledger.startRun({});
    await streamCorpus(all, ledger, id, stages);
    const counts = (own: FinishedRun) =>
      own.methods.map((method) => [...own.maps(method)].length).join();
    assert.equal(counts(finishedRun(ledger, id, all, stages)), "21,21,21");
    assert.equal(counts(run), "3,3,3");
    assertEvery([...run.samples()], ({ targets }) => targets.length === 1, "other classes");
  }));

/** What a ledger lacks of the run, as its summary has it. */
function lacking(run: FinishedRun, images = [...run.images()]): string[] {
  return run.lacks({
    images: images.map(({ path, sha256, status }) => ({ path, sha256: sha256 ?? null, status })),
    summary: {
      ...{ images: 3, failed: 0, samples: 3, reused: 0, boxes: 6, undefinedImportances: 0 },
      milliseconds: {},
    },
  });
}

Deno.test("what a ledger lacks of a run is named", () =>
  withRun(({ folder, run }) => {
    assert.deepEqual(lacking(run), []);
    const images = [...run.images()];
    assert.match(lacking(run, images.slice(1)).join(), /^its images/);
    assert.match(
      lacking(run, images.map((image) => ({ ...image, sha256: "0".repeat(64) }))).join(),
      /^its images \(another run has other pictures of these names: .*png/,
    );
    const database = new DatabaseSync(join(folder, "ledger.sqlite"));
    database.exec(`DELETE FROM map WHERE stage = ${run.methods[1].maps}`);
    database.exec(`DELETE FROM scoring WHERE stage = ${run.methods[2].importances}`);
    database.close();
    assert.deepEqual(lacking(run), ["cam maps", "centre importances"]);
  }));

Deno.test("a run copied into its own ledger is the same run, without activations", () =>
  withRun(({ folder, ledger, id, run }) => {
    const copy = join(folder, "run.sqlite");
    ledger.copyRun(id, Object.values(run.manifest.stages), copy);
    using own = Ledger.open(copy, { mustExist: true });
    const copied = new FinishedRun(own, id, run.manifest);
    assert.deepEqual(lacking(copied), []);
    assert.deepEqual([...copied.images()], [...run.images()]);
    assert.deepEqual([...copied.predictions()], [...run.predictions()]);
    assert.deepEqual([...copied.boxes()], [...run.boxes()]);
    const plain = (from: FinishedRun) =>
      [...from.samples()].map(({ method, ...sample }) => ({ ...sample, method: method.name }));
    assert.deepEqual(plain(copied), plain(run));
    for (const [m, method] of run.methods.entries()) {
      assert.deepEqual([...copied.maps(copied.methods[m])], [...run.maps(method)]);
    }
    assertMore(ledger.activationBytes(), 0, "no activations to leave out");
    assert.equal(own.activationBytes(), 0);
    assert.deepEqual([...Deno.readDirSync(folder)].filter(({ name }) => /tmp$/.test(name)), []);
  }));

Deno.test("a manifest that names a stage the ledger does not have is refused, with the command that makes it", () =>
  withRun(({ ledger, id, run }) => {
    const stages = { ...run.manifest.stages, "cam maps": "nowhere" };
    assert.throws(
      () => new FinishedRun(ledger, id, { ...run.manifest, stages }),
      /^UsageError: Cannot read the run: its ledger does not hold its cam maps; give the command again: deno task analyze$/,
    );
  }));
