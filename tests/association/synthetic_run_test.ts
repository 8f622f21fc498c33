/** Synthetic runs are read as finished ones, and hold what they were made of. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { incidenceOf, salientIn } from "../../src/association/incidence.ts";
import { readLongTable } from "../../src/association/long_table.ts";
import { openFinishedRun } from "../../src/ledger/finished_run.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { EMOTIONS, makeCorpus, METHODS, OBJECTS } from "../statistics/end_to_end.ts";
import { countsOf, incidenceOf as specified } from "../statistics/end_to_end_tables.ts";
import { EMOTION_NAMES, OBJECT_NAMES, writeEndToEndRun } from "./end_to_end_run.ts";
import { type SyntheticImage, writeSyntheticRun } from "./synthetic_run.ts";

Deno.test("a synthetic run has the images, samples, boxes, importances and maps it was given", () =>
  withFolder(async (folder) => {
    const box = { label: "tree", confidence: .5, x0: 0, y0: 1, x1: 2, y1: 3 };
    const sample = { x0: 0, y0: 0, x1: 10, y1: 10 };
    const map = (value: number) => new Float32Array(6).fill(value);
    const images: SyntheticImage[] = [
      {
        annotation: { label: "b" },
        boxes: [box, { ...box, label: "dog", confidence: NaN }],
        samples: [
          {
            frame: sample,
            probabilities: [.25, .75],
            // Two methods; two boxes under the maps of two classes.
            importance: [[.1, .2, .3, .4], [.5, .6, .7, NaN]],
            share: [1, .5],
            maps: [[map(1), map(2)], [map(3), map(4)]],
          },
          { probabilities: [.5, .5], importance: [[0, 0, 0, 0], [1, 1, 1, 1]] },
        ],
      },
      { path: "none.png", width: 5, height: 6, samples: [], boxes: [] },
      { path: "copy.png", content: "none.png", width: 5, height: 6, samples: [], boxes: [] },
    ];
    await writeSyntheticRun(folder, {
      classes: ["a", "b"],
      methods: [{ name: "grad-cam" }, { name: "centre", control: true }],
      explained: "all",
      samples: "faces",
      threshold: .4,
      grid: [3, 2],
      images,
    });
    using stored = await openFinishedRun(folder);
    const { run } = stored;
    assert.deepEqual(run.classes, ["a", "b"]);
    assert.equal(run.threshold, .4);
    assert.deepEqual(run.methods.map(({ name, control }) => [name, control]), [
      ["grad-cam", false],
      ["centre", true],
    ]);
    const rows = [...run.images()];
    assert.deepEqual(rows.map(({ path, width, samples }) => [path, width, samples]), [
      ["0000000.png", 640, 2],
      ["none.png", 5, 0],
      ["copy.png", 5, 0],
    ]);
    assert.deepEqual(rows[0].annotation, { label: "b" });
    assert.deepEqual(run.duplicates().map(({ paths }) => paths), [["none.png", "copy.png"]]);
    assert.deepEqual([...run.predictions()].map(({ predicted }) => predicted), [1, 0]);
    const [first, second, third] = [...run.samples()];
    const { x0, y0, x1, y1 } = first.sample;
    assert.deepEqual({ x0, y0, x1, y1 }, sample);
    assert.deepEqual([third.sample.x1, third.sample.y1], [640, 400]);
    assert.deepEqual(
      first.scores.map((score) => [score.class, score.box.label, score.importance, score.share]),
      [[0, "tree", .1, 1], [0, "dog", .3, .5], [1, "tree", .2, 1], [1, "dog", .4, .5]],
    );
    assert.deepEqual(second.scores.map(({ importance }) => importance), [.5, .7, .6, NaN]);
    const maps = [...run.maps(run.methods[1])];
    assert.deepEqual(maps.map(({ class: target, raw }) => [target, raw[0]]), [
      ...[[0, 3], [1, 4], [0, 0], [1, 0]],
    ]);
  }));

Deno.test("a corpus of the specification has its counts as a run, whatever the order of its images", () =>
  withFolder(async (folder) => {
    const corpus = makeCorpus("3", 600, "planted");
    const order = [...Array(corpus.images).keys()].sort((i, j) => i * 7 % 600 - j * 7 % 600);
    const wanted = specified(corpus);
    for (const [name, options] of [["one", {}], ["five", { copies: 5, order }]] as const) {
      const out = join(folder, name), copies = name === "five" ? 5 : 1;
      await writeEndToEndRun(out, corpus, options);
      using stored = await openFinishedRun(out);
      const table = readLongTable(stored.run);
      assert.deepEqual(table.objects, OBJECT_NAMES);
      assert.deepEqual(table.classes, EMOTION_NAMES);
      for (let m = 0; m < METHODS; m++) {
        const filter = { threshold: .3, emotionConfidence: .5, objectConfidence: .1 };
        const incidence = incidenceOf(table, m, filter);
        const counts = countsOf(wanted, m);
        assert.equal(incidence.label.length, copies * counts.n);
        const n11 = Array.from({ length: OBJECTS }, (_, object) => {
          const row = new Array<number>(EMOTIONS).fill(0);
          for (const unit of salientIn(incidence, object, 0)) row[incidence.label[unit]]++;
          return row;
        });
        assert.deepEqual(n11.flat(), [...counts.n11].map((count) => copies * count));
      }
    }
  }));
