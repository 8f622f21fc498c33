import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../../src/base/errors.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { inspectLedger, pruneLedger } from "../../src/ledger/prune.ts";
import {
  BOXES,
  contentOf,
  fixtureStages,
  IMAGES,
  predictedOf,
  writeBatch,
} from "./ledger_fixture.ts";
import { assertAtMost, assertMore } from "../assert_that.ts";

const OLD = "2020-01-01T00:00:00.000Z", NEW = "2030-01-01T00:00:00.000Z";
const BETWEEN = "2025-01-01T00:00:00.000Z";

function withFolder(test: (path: string) => void) {
  return () => {
    const folder = Deno.makeTempDirSync();
    try {
      test(join(folder, "ledger.sqlite"));
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  };
}

/** A ledger with two runs: an old one of batches 0 … 3, and a new one of batch 3 alone. */
function makeLedger(path: string): void {
  const ledger = Ledger.open(path);
  const { detection, sampling, forward, maps, scores } = fixtureStages(ledger);
  const stages = Object.fromEntries(
    [detection, sampling, forward, ...maps, ...scores].map((
      { fingerprint },
      i,
    ) => [`${i}`, fingerprint]),
  );
  const old = ledger.startRun({ stages });
  for (const batch of [0, 1, 2, 3]) writeBatch(ledger, old, batch);
  const recent = ledger.startRun({ stages });
  writeBatch(ledger, recent, 3);
  ledger.close();
  const database = new DatabaseSync(path);
  database.prepare("UPDATE run SET started = ? WHERE id = ?").run(OLD, old);
  database.prepare("UPDATE run SET started = ? WHERE id = ?").run(NEW, recent);
  database.close();
}

/** Counts rows by table, and which of the fixture's batches have a prediction. */
function contentsOf(path: string) {
  const database = new DatabaseSync(path, { readOnly: true });
  const tables = ["detection", "box", "sampling", "sample", "prediction", "activation", "map"]
    .concat("scoring", "score", "run", "image", "content", "stage");
  const rows = Object.fromEntries(tables.map((table) => [
    table,
    (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n,
  ]));
  const broken = database.prepare("PRAGMA foreign_key_check").all().length;
  const sound = database.prepare("PRAGMA integrity_check").get() as { integrity_check: string };
  const indices = database.prepare(
    "SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE 'score_by%'",
  )
    .get() as { n: number };
  database.close();
  assert.equal(broken, 0);
  assert.equal(sound.integrity_check, "ok");
  assert.equal(indices.n, 0);
  return rows;
}

/** Rows of the fixture by table, for so many batches. */
const expected = (batches: number) => {
  const images = batches * IMAGES;
  return {
    detection: images,
    box: images * BOXES,
    sampling: images,
    sample: images,
    prediction: images,
    activation: images,
    map: 2 * images,
    scoring: 2 * images,
    score: 2 * images * BOXES,
  };
};

Deno.test(
  "it is said what a ledger holds, by stage, and when each was last used; nothing is changed",
  withFolder((path) => {
    makeLedger(path);
    const before = Deno.readFileSync(path);
    const use = inspectLedger(path);
    assert.deepEqual(Deno.readFileSync(path), before);
    assert.equal(use.runs, 2);
    assert.equal(use.pictures, 4 * IMAGES);
    assert.equal(use.lastUsed, NEW);
    assert.equal(use.bytes, before.length);
    assert.equal(use.stages.length, 7);
    for (const stage of use.stages) assert.equal(stage.lastUsed, NEW);
    const forward = use.stages.find(({ name }) => name === "forward")!;
    assert.equal(forward.rows, 4 * IMAGES);
    assert.equal(forward.bytes, 4 * IMAGES * 2 * 5 * 4);
    assert.equal(forward.activationBytes, 4 * IMAGES * 4000);
    const map = use.stages.find(({ name }) => name === "map grad-cam")!;
    assert.equal(map.bytes, 4 * IMAGES * 6 * 4);
  }),
);

Deno.test(
  "what no run has used since is dropped, with its space; runs, images and what is used stay",
  withFolder((path) => {
    makeLedger(path);
    const { run, image, content, ...rest } = contentsOf(path);
    assert.deepEqual(rest, { ...expected(4), stage: 7 });
    const pruned = pruneLedger(path, { before: BETWEEN });
    assert.deepEqual(contentsOf(path), { ...expected(1), stage: 7, run, image, content });
    assert.deepEqual(pruned.dropped, {
      activations: 3 * IMAGES,
      maps: 6 * IMAGES,
      "scored maps": 6 * IMAGES,
      predictions: 3 * IMAGES,
      detections: 3 * IMAGES,
    });
    assert.equal(pruned.bytesAfter, Deno.statSync(path).size);
    assertMore(pruned.bytesBefore - pruned.bytesAfter, 2 * IMAGES * 4000);
    using ledger = Ledger.open(path);
    const stages = fixtureStages(ledger);
    assert.equal(ledger.samples(contentOf(0, 0), stages.sampling.id), undefined);
    const [sample] = ledger.samples(contentOf(3, 1), stages.sampling.id)!;
    assert.equal(ledger.hasMap(sample!.id, stages.maps[0].id, predictedOf(3, 1)), true);
    assert.equal(ledger.activation(sample!.id, stages.forward.id)!.length, 1000);
  }),
);

Deno.test(
  "a moment after all runs empties it, and one before them changes nothing",
  withFolder((path) => {
    makeLedger(path);
    const before = contentsOf(path);
    assert.deepEqual(pruneLedger(path, { before: "2019-01-01" }).dropped, {});
    assert.deepEqual(contentsOf(path), before);
    pruneLedger(path, { before: "2031-01-01" });
    const { run, image, content, ...rest } = contentsOf(path);
    assert.deepEqual({ run, image, content }, { run: 2, image: 4 * IMAGES, content: 4 * IMAGES });
    assert.deepEqual(rest, { ...expected(0), stage: 0 });
    // Computing it again is not a change of settings.
    using ledger = Ledger.open(path);
    assert.deepEqual(fixtureStages(ledger).forward.changes, []);
  }),
);

Deno.test(
  "a stage that only old runs have used goes whole, as do scores whose maps stay",
  withFolder((path) => {
    makeLedger(path);
    const database = new DatabaseSync(path);
    // The new run had no use for the second method's scores.
    database.exec(`UPDATE run SET manifest = json_remove(manifest, '$.stages.6') WHERE id = 2`);
    database.close();
    pruneLedger(path, { before: BETWEEN });
    const left = contentsOf(path);
    const { scoring, score } = expected(1);
    assert.deepEqual([left.map, left.scoring, left.score, left.stage], [
      2 * IMAGES,
      scoring / 2,
      score / 2,
      6,
    ]);
  }),
);

Deno.test(
  "a largest size drops activations first, then maps with their scores, then the rest",
  withFolder((path) => {
    makeLedger(path);
    const whole = Deno.statSync(path).size;
    const pruned = pruneLedger(path, { maxBytes: whole - 20000 });
    assert.deepEqual(pruned.dropped, { activations: 4 * IMAGES });
    assertAtMost(pruned.bytesAfter, whole - 20000);
    pruneLedger(path, { maxBytes: whole }); // fits already
    assert.equal(contentsOf(path).map, 8 * IMAGES);
    const least = pruneLedger(path, { maxBytes: 0 });
    assert.equal(least.dropped.maps, 8 * IMAGES);
    const { run, image, ...rest } = contentsOf(path);
    assert.deepEqual([run, image], [2, 4 * IMAGES]);
    assert.equal(rest.detection + rest.score + rest.scoring + rest.sample + rest.prediction, 0);
  }),
);

Deno.test(
  "a sample without its map has no scores either, so that a later run makes both",
  withFolder((path) => {
    makeLedger(path);
    // So large that the maps of one method are more than is asked for.
    const database = new DatabaseSync(path);
    database.exec("UPDATE map SET raw = zeroblob(8000)");
    database.close();
    const { bytesAfter } = pruneLedger(path, { maxBytes: Deno.statSync(path).size - 20000 });
    const { dropped } = pruneLedger(path, { maxBytes: bytesAfter - 1 });
    assert.deepEqual(dropped, { maps: 4 * IMAGES, "scored maps": 4 * IMAGES });
    const ledger = new DatabaseSync(path, { readOnly: true });
    const left = (table: string) =>
      ledger.prepare(`SELECT sample, s.name FROM ${table} t JOIN stage s ON s.id = t.stage
        ORDER BY sample`).all().map((row) => [row.sample, String(row.name)]);
    // Of the fixture's methods, one is left: its maps, and its scores for the same samples.
    assert.deepEqual(
      left("map").map(([sample]) => sample),
      left("scoring").map(([sample]) => sample),
    );
    assert.deepEqual(new Set(left("map").map(([, name]) => name)), new Set(["map eigen-cam"]));
    assert.deepEqual(new Set(left("scoring").map(([, name]) => name)), new Set(["scores 1"]));
    ledger.close();
  }),
);

Deno.test(
  "a ledger that another process has open is left alone, with one line",
  withFolder((path) => {
    makeLedger(path);
    using open = Ledger.open(path);
    assert.equal(open.runs().length, 2);
    assert.throws(() => pruneLedger(path, { before: BETWEEN }), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /^Cannot use the ledger .*: (database is locked|it is in use)/);
      return true;
    });
    assert.equal(contentsOf(path).map, 8 * IMAGES);
  }),
);

Deno.test(
  "what is not a ledger is refused and left as it is",
  withFolder((path) => {
    Deno.writeTextFileSync(path, "hello");
    for (const work of [() => inspectLedger(path), () => pruneLedger(path, { maxBytes: 0 })]) {
      assert.throws(
        work,
        (error) => error instanceof UsageError && /it is not a ledger/.test(error.message),
      );
    }
    assert.equal(Deno.readTextFileSync(path), "hello");
  }),
);
