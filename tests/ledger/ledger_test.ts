import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../../src/base/errors.ts";
import { LEDGER_APPLICATION, LEDGER_SCHEMA, LEDGER_VERSION } from "../../src/ledger/schema.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { STREAMS } from "../../src/ledger/reader.ts";
import {
  BOXES,
  contentOf,
  fixtureStages,
  IMAGES,
  importanceOf,
  pathOf,
  predictedOf,
  writeBatch,
} from "./ledger_fixture.ts";
import { prepareTables } from "../../src/ledger/file.ts";
import { assertAtLeast, assertMore } from "../assert_that.ts";

function inFolder(test: (folder: string) => void) {
  return () => {
    const folder = Deno.makeTempDirSync();
    try {
      test(folder);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

function usageError(pattern: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

Deno.test("a stage is found again by its settings, whatever the order of their keys", () => {
  using ledger = Ledger.open(":memory:");
  const first = ledger.stage("detections", { threshold: .1, detector: { a: 1, b: [2, 3] } });
  const again = ledger.stage("detections", {
    detector: { b: [2, 3], a: 1 },
    threshold: .1,
    crop: undefined,
  });
  assert.deepEqual(again, { ...first, existing: true });
  assert.equal(first.existing, false);
  assert.notEqual(ledger.stage("other", { threshold: .1 }).id, first.id);
});

Deno.test("a new stage says how it differs from the most similar one of its name", () => {
  using ledger = Ledger.open(":memory:");
  const hash = (digit: string) => digit.repeat(64);
  const old = { detector: { sha256: hash("a"), size: 416 }, threshold: .1 };
  assert.deepEqual(ledger.stage("detections", old).changes, []);
  ledger.stage("samples", { detector: "unlike" });
  const changed = ledger.stage("detections", {
    ...old,
    detector: { sha256: hash("b"), size: 416 },
  });
  assert.deepEqual(changed.changes, ["detector.sha256 changed from aaaaaaa… to bbbbbbb…"]);
  // Nearer to the second than to the first.
  const third = { detector: { sha256: hash("b"), size: 608 }, nms: "class" };
  assert.deepEqual(ledger.stage("detections", third).changes, [
    "detector.size changed from 416 to 608",
    'nms is new: "class"',
    "threshold was removed: 0.1",
  ]);
});

Deno.test("a stage on a changed stage says that that one was recomputed", () => {
  using ledger = Ledger.open(":memory:");
  const [one, two] = [1, 2].map((size) => ledger.stage("detections", { size }).fingerprint);
  ledger.stage("scores", { boxes: one! });
  assert.deepEqual(ledger.stage("scores", { boxes: two! }).changes, ["boxes was recomputed"]);
});

Deno.test("a setting without a JSON form is refused", () => {
  using ledger = Ledger.open(":memory:");
  assert.throws(() => ledger.stage("x", { deep: { threshold: NaN } }), {
    name: "TypeError",
    message: "Cannot fingerprint the setting deep.threshold: NaN has no JSON form",
  });
});

Deno.test("all that a batch writes is read back", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({ purpose: "test" });
  writeBatch(ledger, run, 0);
  const stages = fixtureStages(ledger);
  const content = contentOf(0, 1);
  const { id: _, ...image } = ledger.imageByPath(pathOf(0, 1))!;
  assert.deepEqual(image, {
    path: pathOf(0, 1),
    status: "ok",
    error: undefined,
    sha256: content,
    bytes: 100,
    width: 64,
    height: 48,
    format: "jpeg",
    orientation: 1,
    annotation: { batch: "0" },
  });
  const detection = ledger.detection(content, stages.detection.id)!;
  assert.deepEqual(detection.faces, [{ x0: 1 }]);
  assert.deepEqual(
    detection.boxes.map(({ id: _, ...box }) => box),
    Array.from({ length: BOXES }, (_, idx) => ({
      idx,
      label: idx % 2 ? "tree" : "dog",
      confidence: .5,
      x0: idx,
      y0: 0,
      x1: idx + 1,
      y1: 1,
      face: undefined,
    })),
  );
  const [sample] = ledger.samples(content, stages.sampling.id)!;
  const predicted = predictedOf(0, 1), method = stages.maps[1].id;
  assert.deepEqual(ledger.prediction(sample!.id, stages.forward.id), {
    predicted,
    probabilities: new Float32Array(5).fill(.2),
    logits: new Float32Array(5),
  });
  assert.deepEqual(ledger.activation(sample!.id, stages.forward.id), new Float32Array(1000));
  assert.equal(ledger.activationBytes(), IMAGES * 4000);
  const map = { raw: new Float32Array(6).fill(1), height: 3, width: 2 };
  assert.deepEqual(ledger.map(sample!.id, method, predicted), map);
  assert.equal(ledger.hasMap(sample!.id, method, predicted), true);
  assert.equal(ledger.hasMap(sample!.id, method, predicted + 1), false);
  assert.equal(ledger.scoresDone(sample!.id, stages.scores[0].id, predicted), true);
  assert.equal(ledger.scoresDone(sample!.id, stages.scores[0].id, predicted + 1), false);
  assert.deepEqual(
    ledger.scoresOf(sample!.id, stages.scores[1].id, predicted),
    detection.boxes.map((box, at) => ({
      class: predicted,
      box,
      importance: importanceOf(0, 1, 1, at),
      share: 1,
    })),
  );
  // Nothing is there under a stage that was not computed.
  const other = ledger.stage("detections", { detector: { sha256: "another" } }).id;
  assert.equal(ledger.detection(content, other), undefined);
  assert.equal(ledger.samples(content, other), undefined);
  assert.equal(ledger.prediction(sample!.id, other), undefined);
  assert.equal(ledger.activation(sample!.id, other), undefined);
});

Deno.test(
  "writing a batch again changes nothing, not even ids",
  inFolder((folder) => {
    const path = `${folder}/ledger.sqlite`;
    const dump = () => {
      const database = new DatabaseSync(path, { readOnly: true });
      const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
      const all = tables.map(({ name }) => database.prepare(`SELECT * FROM ${name}`).all());
      database.close();
      return all;
    };
    using ledger = Ledger.open(path);
    const run = ledger.startRun({});
    for (const batch of [0, 1]) writeBatch(ledger, run, batch);
    const before = dump();
    assertMore(before.flat().length, 100);
    for (const batch of [1, 0]) writeBatch(ledger, run, batch);
    assert.deepEqual(dump(), before);
  }),
);

Deno.test("a batch whose work throws, or is asynchronous, leaves nothing over", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  const image = { path: "a.jpg", status: "ok", sha256: "s" } as const;
  const failure = new Error("half way");
  assert.throws(
    () =>
      ledger.commit((writer) => {
        writer.image(run, 0, image);
        throw failure;
      }),
    (error) => error === failure,
  );
  assert.throws(
    () =>
      ledger.commit((writer) => {
        writer.image(run, 0, image);
        return Promise.reject(new Error("never seen"));
      }),
    { name: "TypeError", message: /asynchronous/ },
  );
  assert.equal(ledger.imageByPath("a.jpg"), undefined);
  assert.deepEqual([...ledger.imageRows(run)], []);
  assert.equal(ledger.commit((writer) => writer.image(run, 0, image)), 1);
  assert.equal([...ledger.imageRows(run)].length, 1);
});

Deno.test("nothing can be written that hangs on nothing", () => {
  using ledger = Ledger.open(":memory:");
  const stage = ledger.stage("detections", {}).id;
  assert.throws(
    () => ledger.commit((writer) => writer.detection("unknown", stage, { boxes: [] })),
    {
      name: "RangeError",
      message: /no image with sha256 unknown/,
    },
  );
  const data = new Float32Array(1);
  assert.throws(() => ledger.commit((writer) => writer.activation(77, stage, data)), /FOREIGN KEY/);
  const map = { raw: data, height: 1, width: 2 };
  assert.throws(() => ledger.commit((writer) => writer.map(1, stage, 0, map)), {
    name: "RangeError",
    message: "Cannot write a map of 1×2 to the ledger: 1 values",
  });
});

Deno.test("an image without boxes, samples or scores is remembered as done", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  const stage = ledger.stage("s", {}).id;
  ledger.commit((writer) => {
    writer.image(run, 0, { path: "a", status: "ok", sha256: "s" });
    assert.deepEqual(writer.detection("s", stage, { boxes: [] }), []);
    writer.sampling("s", stage, []);
  });
  assert.deepEqual(ledger.detection("s", stage), { faces: null, boxes: [] });
  assert.deepEqual(ledger.samples("s", stage), []);
  const id = ledger.commit((writer) => {
    const [sample] = writer.sampling("s", stage, [{ x0: 0, y0: 0, x1: 1, y1: 1, face: 3 }]);
    writer.scores(sample!.id, stage, 2, []);
    return sample!.id;
  });
  assert.equal(ledger.scoresDone(id, stage, 2), true);
  assert.equal(ledger.samples("s", stage)![0].face, 3);
});

Deno.test("a second, shorter answer replaces the first, and the scores of boxes that are gone go with them", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  const stage = ledger.stage("s", {}).id;
  const box = (label: string) => ({ label, confidence: .5, x0: 0, y0: 0, x1: 1, y1: 1 });
  const [sample, boxes] = ledger.commit((writer) => {
    writer.image(run, 0, { path: "a", status: "ok", sha256: "s" });
    const boxes = writer.detection("s", stage, { boxes: [box("cat"), box("dog"), box("cow")] });
    const [sample] = writer.sampling("s", stage, [box("")]);
    writer.prediction(sample!.id, stage, { predicted: 0, probabilities: new Float32Array(1) });
    const scores = boxes.map(({ id }) => ({ box: id, importance: .5, share: 1 }));
    writer.scores(sample!.id, stage, 0, scores);
    return [sample!.id, boxes] as const;
  });
  const again = ledger.commit((writer) =>
    writer.detection("s", stage, { boxes: [box("cat"), box("wolf")] })
  );
  assert.deepEqual(again.map(({ id }) => id), boxes.slice(0, 2).map(({ id }) => id));
  const [row] = [...ledger.scoreRows(run, { sampling: stage, forward: stage }, [stage])];
  assert.deepEqual(row!.scores.map((score) => score.box.label), ["cat", "wolf"]);
  ledger.commit((writer) =>
    writer.scores(sample, stage, 0, [{ box: boxes[1].id, importance: NaN, share: 0 }])
  );
  const [later] = [...ledger.scoreRows(run, { sampling: stage, forward: stage }, [stage])];
  assert.deepEqual(later!.scores.map(({ importance, share }) => [importance, share]), [[NaN, 0]]);
});

Deno.test("float arrays survive as they are: NaN, infinities, parts of a larger buffer, landmarks of a face", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  const stage = ledger.stage("s", {}).id;
  const values = Float32Array.of(9, NaN, Infinity, -0, 1e-45, 9);
  const landmarks = Float32Array.of(1.5, 2.25);
  const sample = ledger.commit((writer) => {
    writer.image(run, 0, { path: "a", status: "ok", sha256: "s" });
    writer.detection("s", stage, { faces: [{ landmarks }], boxes: [] });
    const [sample] = writer.sampling("s", stage, [{ x0: 0, y0: 0, x1: .1, y1: 1 / 3 }]);
    writer.activation(sample!.id, stage, values.subarray(1, 5));
    return sample!;
  });
  const read = ledger.activation(sample.id, stage)!;
  assert.deepEqual([...read], [NaN, Infinity, -0, Math.fround(1e-45)]);
  assert.deepEqual(ledger.detection("s", stage)!.faces, [{ landmarks: [1.5, 2.25] }]);
  assert.equal(ledger.samples("s", stage)![0].y1, 1 / 3);
});

Deno.test("two files of equal bytes share all that is computed, and both are in the run", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  writeBatch(ledger, run, 0);
  const stages = fixtureStages(ledger);
  const twin = { status: "ok", sha256: contentOf(0, 1) } as const;
  ledger.commit((writer) => {
    writer.image(run, 3, { ...twin, path: "copy.jpg" });
    writer.image(run, 4, { path: "broken.jpg", status: "failed", error: "no such file" });
    writer.image(run, 5, { path: "broken too.jpg", status: "failed", error: "no such file" });
  });
  assert.equal(ledger.imageByPath("copy.jpg")!.width, 64); // known from the other path
  const { sampling, forward, scores } = stages;
  const place = { sampling: sampling.id, forward: forward.id };
  const paths = [...ledger.scoreRows(run, place, [scores[0].id])].map((row) => row.path);
  assert.deepEqual(paths, [pathOf(0, 0), pathOf(0, 1), pathOf(0, 2), "copy.jpg"]);
  assert.deepEqual(ledger.duplicates(run), [
    { sha256: contentOf(0, 1), paths: [pathOf(0, 1), "copy.jpg"] },
  ]);
  assert.deepEqual(
    [...ledger.imageRows(run, sampling.id)].map((row) => [row.status, row.samples]),
    [["ok", 1], ["ok", 1], ["ok", 1], ["ok", 1], ["failed", 0], ["failed", 0]],
  );
  assert.deepEqual(ledger.annotationNames(run), ["batch"]);
});

Deno.test("streams follow the run's order, not the order of computation", () => {
  const read = (batches: readonly number[]) => {
    using ledger = Ledger.open(":memory:");
    const run = ledger.startRun({});
    for (const batch of batches) writeBatch(ledger, run, batch);
    const { sampling, forward, maps, scores } = fixtureStages(ledger);
    const place = { sampling: sampling.id, forward: forward.id };
    const methods = scores.map(({ id }) => id).reverse();
    return {
      images: [...ledger.imageRows(run)].map(({ ordinal, path }) => [ordinal, path]),
      predictions: [...ledger.predictionRows(run, place)].map((row) => [row.path, row.predicted]),
      scores: [...ledger.scoreRows(run, place, methods)].map((row) => [
        row.ordinal,
        row.path,
        row.sample.idx,
        row.method,
        row.targets,
        row.scores.map((score) => [score.class, score.box.idx, score.importance]),
      ]),
      maps: [...ledger.mapRows(run, { sampling: sampling.id, map: maps[0].id })]
        .map(({ path, class: target, raw }) => [path, target, [...raw]]),
    };
  };
  const forth = read([0, 1, 2]);
  assert.deepEqual(read([2, 0, 1]), forth);
  assert.deepEqual(forth.images.map(([, path]) => path), forth.maps.map(([path]) => path));
  assert.deepEqual(forth.scores[1], [
    0,
    pathOf(0, 0),
    0,
    1, // the second method asked for is the fixture's first
    [0],
    Array.from({ length: BOXES }, (_, box) => [0, box, importanceOf(0, 0, 0, box)]),
  ]);
});

Deno.test("streams can run inside each other and be left early", () => {
  using ledger = Ledger.open(":memory:");
  const run = ledger.startRun({});
  writeBatch(ledger, run, 0);
  let pairs = 0;
  for (const outer of ledger.imageRows(run)) {
    for (const inner of ledger.imageRows(run)) {
      pairs++;
      if (inner.ordinal === outer.ordinal) break;
    }
  }
  assert.equal(pairs, 1 + 2 + 3);
  writeBatch(ledger, run, 1);
  assert.equal([...ledger.imageRows(run)].length, 2 * IMAGES);
});

Deno.test("no stream sorts or scans a table, so memory and time stay flat", () => {
  using database = new DatabaseSync(":memory:");
  prepareTables(database, ":memory:");
  for (const [name, query] of Object.entries(STREAMS)) {
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${query}`).all();
    assertMore(steps.length, 1);
    for (const { detail } of steps) {
      assert.doesNotMatch(String(detail), /TEMP B-TREE|SCAN|AUTOMATIC/, name);
    }
  }
});

Deno.test("a run is remembered with its manifest and how it ended", () => {
  using ledger = Ledger.open(":memory:");
  assert.deepEqual(ledger.runs(), []);
  const first = ledger.startRun({ seed: 1 }), second = ledger.startRun({ seed: 2 });
  ledger.finishRun(first, "finished", { seed: 1, images: 9 });
  ledger.finishRun(second, "interrupted");
  assert.deepEqual(
    ledger.runs().map(({ id, manifest, status }) => ({ id, manifest, status })),
    [
      { id: first, manifest: { seed: 1, images: 9 }, status: "finished" },
      { id: second, manifest: { seed: 2 }, status: "interrupted" },
    ],
  );
  const { started, finished } = ledger.runs().at(-1)!;
  assertAtLeast(Date.parse(finished!), Date.parse(started));
});

Deno.test(
  "a ledger of another version is refused, and replaced when asked for",
  inFolder((folder) => {
    const path = `${folder}/ledger.sqlite`;
    Ledger.open(path).close();
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(
      () => Ledger.open(path),
      usageError(
        /^Cannot use the ledger .*: its format is version 99, not 1; use --fresh .* --out$/,
      ),
    );
    using ledger = Ledger.open(path, { fresh: true });
    assert.deepEqual(ledger.runs(), []);
  }),
);

Deno.test(
  "fresh forgets what was there, without it it is kept",
  inFolder((folder) => {
    const path = `${folder}/ledger.sqlite`;
    for (const [fresh, runs] of [[false, 1], [false, 2], [true, 1]] as const) {
      using ledger = Ledger.open(path, { fresh });
      ledger.startRun({});
      assert.equal(ledger.runs().length, runs);
    }
  }),
);

Deno.test(
  "a ledger whose tables only have other comments is read, one with another column is not",
  inFolder((folder) => {
    const make = (path: string, schema: string) => {
      const database = new DatabaseSync(path);
      database.exec(
        `${schema}; PRAGMA application_id = ${LEDGER_APPLICATION}; PRAGMA user_version = ${LEDGER_VERSION}`,
      );
      database.close();
    };
    const [same, other] = ["same", "other"].map((name) => `${folder}/${name}.sqlite`);
    make(same, LEDGER_SCHEMA.replaceAll(/--.*$/gm, "-- as an older version had it"));
    Ledger.open(same).close();
    make(other, LEDGER_SCHEMA.replace("annotation TEXT", "annotation BLOB"));
    assert.throws(() => Ledger.open(other), usageError(/"image" in it is not emocam's/));
  }),
);

Deno.test(
  "a file that is not a ledger is refused and left as it is, also by fresh",
  inFolder((folder) => {
    const text = `${folder}/notes.txt`, foreign = `${folder}/foreign.sqlite`;
    Deno.writeTextFileSync(text, "my only notes ".repeat(20));
    const database = new DatabaseSync(foreign);
    database.exec("CREATE TABLE precious (data)");
    database.close();
    for (const path of [text, foreign]) {
      const before = Deno.readFileSync(path);
      for (const fresh of [false, true]) {
        assert.throws(
          () => Ledger.open(path, { fresh }),
          usageError(/another kind of file.*--out$/),
        );
      }
      assert.deepEqual(Deno.readFileSync(path), before);
    }
    assert.throws(() => Ledger.open(folder), usageError(/^Cannot open the ledger/));
    const none = `${folder}/none.sqlite`;
    assert.throws(() => Ledger.open(none, { mustExist: true }), usageError(/there is none/));
    assert.throws(() => Ledger.open(`${folder}/no/folder/l.sqlite`), usageError(/^Cannot open/));
    Deno.writeFileSync(none, new Uint8Array(0)); // what a process leaves that is killed at once
    Ledger.open(none).close();
  }),
);

Deno.test(
  "while another process writes, a commit waits and then says so",
  inFolder((folder) => {
    const path = `${folder}/ledger.sqlite`;
    using ledger = Ledger.open(path, { patience: 20 });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    assert.throws(() => ledger.commit(() => {}), usageError(/^Cannot write the ledger: .*locked/));
    other.exec("ROLLBACK");
    other.close();
    assert.equal(ledger.commit(() => "written"), "written");
  }),
);
