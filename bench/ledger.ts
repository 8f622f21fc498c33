/**
 * Rows a second into the ledger and out of it, against SQLite with a table that has no keys.
 *
 * @module
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createRng } from "../src/base/rng.ts";
import { textTable } from "../src/commands/terminal.ts";
import { Ledger } from "../src/ledger/ledger.ts";
import { type Benchmark, digits, race } from "./benchmark.ts";

/** One sample an image, with its boxes, one method, one class. */
const IMAGES = 1000, BOXES = 10, CELLS = 13, CLASSES = 20;
/** Images in a commit, as the stream has it. */
const COMMIT = 64;
/** Rows an image has: image, place, content, detection, sampling, sample, prediction, map, scoring; boxes and scores. */
const ROWS = 9 + 2 * BOXES;

export const ledger: Benchmark = {
  name: "ledger",
  title: `${IMAGES} images with ${BOXES} boxes each through the ledger, ${COMMIT} a commit`,
  async run() {
    const folder = await Deno.makeTempDir({ prefix: "emocam-bench-" });
    let files = 0;
    const path = () => join(folder, `${files++}.sqlite`);
    try {
      const written = path(), table = path();
      const { run, stages } = fill(written);
      fillTable(table);
      const times = await race({
        write: () => fill(path()),
        writeTable: () => fillTable(path()),
        read() {
          using opened = Ledger.open(written);
          let seen = 0;
          for (const { scores } of opened.scoreRows(run, stages, [stages.score])) {
            seen += scores.length;
          }
          return seen;
        },
        readTable() {
          using database = new DatabaseSync(table);
          let seen = 0;
          for (const _ of database.prepare("SELECT * FROM row WHERE h = 1").iterate()) seen++;
          return seen;
        },
      }, { seconds: 8 });
      const rate = (rows: number, time: number) => digits(1000 * rows / time);
      const line = (what: string, rows: number, ours: number, bare: number) => [
        what,
        rate(rows, ours),
        rate(rows, bare),
        digits(ours / bare),
        digits(1000 * IMAGES / ours),
      ];
      console.log(textTable(["", "rows/s", "limit rows/s", "ratio", "images/s"], [
        line("write", IMAGES * ROWS, times.write, times.writeTable),
        line("read scores with their boxes", IMAGES * BOXES, times.read, times.readTable),
      ]));
      console.log(
        "limit: the same rows in one table without keys; ratio: our time over the limit's",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Writes a corpus of made-up results. */
function fill(path: string) {
  using opened = Ledger.open(path);
  const id = (name: string) => opened.stage(name, {}).id;
  const stages = {
    detection: id("detections"),
    sampling: id("samples"),
    forward: id("predictions"),
    map: id("maps"),
    score: id("importances"),
  };
  const run = opened.startRun({});
  const rng = createRng(1);
  const floats = (length: number) => Float32Array.from({ length }, () => rng.uniform());
  const probabilities = floats(CLASSES), raw = floats(CELLS * CELLS);
  for (let from = 0; from < IMAGES; from += COMMIT) {
    opened.commit((writer) => {
      for (let i = from; i < Math.min(IMAGES, from + COMMIT); i++) {
        const sha256 = i.toString(16).padStart(64, "0");
        writer.image(run, i, { path: `images/${i}.jpg`, sha256, bytes: 1, status: "ok" });
        const boxes = writer.detection(sha256, stages.detection, {
          boxes: Array.from({ length: BOXES }, (_, k) => ({
            label: `object ${k}`,
            confidence: 0.5,
            ...{ x0: k, y0: k, x1: k + 10, y1: k + 10 },
          })),
        });
        const whole = { x0: 0, y0: 0, x1: 100, y1: 100 };
        const [sample] = writer.sampling(sha256, stages.sampling, [whole]);
        writer.prediction(sample!.id, stages.forward, { probabilities, predicted: i % CLASSES });
        writer.map(sample!.id, stages.map, i % CLASSES, { raw, height: CELLS, width: CELLS });
        writer.scores(
          sample!.id,
          stages.score,
          i % CLASSES,
          boxes.map(({ id: box }) => ({ box, importance: 0.5, share: 1 })),
        );
      }
    });
  }
  return { run, stages };
}

/** As many rows and bytes, as SQLite takes them fastest. */
function fillTable(path: string): void {
  using database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec("CREATE TABLE row (a, b, c, d, e, f, g, h)");
  const insert = database.prepare("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  const raw = new Uint8Array(4 * CELLS * CELLS), probabilities = new Uint8Array(4 * CLASSES);
  for (let from = 0; from < IMAGES; from += COMMIT) {
    database.exec("BEGIN");
    for (let i = from; i < Math.min(IMAGES, from + COMMIT); i++) {
      const sha256 = i.toString(16).padStart(64, "0");
      insert.run(`images/${i}.jpg`, sha256, 1, "ok", null, null, null, 0);
      for (const blob of [raw, probabilities]) insert.run(i, blob, 0, 0, 0, 0, 0, 0);
      for (let k = 0; k < 6; k++) insert.run(i, k, 0, 0, 100, 100, null, 0);
      for (let k = 0; k < BOXES; k++) {
        insert.run(i, `object ${k}`, 0.5, k, k, k + 10, k + 10, 0);
        insert.run(i, 0, 0, k, 0.5, 1, 0, 1);
      }
    }
    database.exec("COMMIT");
  }
}
