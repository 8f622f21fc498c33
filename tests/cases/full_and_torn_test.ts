/** A full disk and a damaged ledger end in one line that says what to do, and what is written is never taken for whole. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { DiskFullError, UsageError } from "../../src/base/errors.ts";
import { writeWhole } from "../../src/base/files.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { ledgerProblem } from "../../src/ledger/problem.ts";
import { encodePng } from "../../src/image/render.ts";
import { assertLess, assertMore } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";

const CLASSIFIER = fileURLToPath(new URL("rgb.json", import.meta.url));
const FULL =
  /^Cannot write \S+: the disk is full, or your share of it; free some space and give the same command again, which continues from here\n$/;
const TORN =
  /Cannot use the ledger \S+: it is damaged \(database disk image is malformed\); move it away and give the analyze command again, which computes anew what it held\n/;

async function withCorpus(
  use: (
    folder: string,
    analyze: (...options: string[]) => ReturnType<typeof emocam>,
  ) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    let boxes = "image,label,confidence,x0,y0,x1,y1\n";
    await Deno.mkdir(join(folder, "pictures"));
    for (let i = 0; i < 12; i++) {
      const data = new Uint8Array(32 * 32 * 4).map((_, at) => at % 4 === 3 ? 255 : at * i + i);
      const png = await encodePng({ width: 32, height: 32, data });
      await Deno.writeFile(join(folder, "pictures", `${i}.png`), png);
      for (let at = 0; at < 30; at++) boxes += `${i}.png,thing ${at},1,0,0,16,${at + 1}\n`;
    }
    await Deno.writeTextFile(join(folder, "boxes.csv"), boxes);
    await use(folder, (...options) =>
      emocam(
        ...["analyze", join(folder, "pictures"), "--classifier", CLASSIFIER, "--backend", "wasm"],
        ...["--samples", "image", "--detector", join(folder, "boxes.csv"), ...options],
      ));
  });
}

/** Overwrites the second half of every page but for those that hold the tables' descriptions, as a torn write leaves one. */
async function tear(path: string): Promise<void> {
  using database = { at: new DatabaseSync(path), [Symbol.dispose]() {} };
  database.at.exec("PRAGMA journal_mode = DELETE");
  const { page_size: size } = database.at.prepare("PRAGMA page_size").get() as {
    page_size: number;
  };
  const used = database.at.prepare(
    "SELECT DISTINCT rootpage FROM sqlite_schema WHERE name IN ('score', 'map', 'image', 'box')",
  ).all() as { rootpage: number }[];
  database.at.close();
  const file = await Deno.open(path, { write: true, read: true });
  for (const { rootpage } of used) {
    await file.seek((rootpage - 1) * size, Deno.SeekMode.Start);
    await file.write(new Uint8Array(size / 2).fill(0xa5));
  }
  file.close();
}

Deno.test("a torn ledger is one line with advice, for every command that reads it", () =>
  withCorpus(async (folder, analyze) => {
    const [out, cache] = ["out", "cache"].map((name) => join(folder, name));
    assert.equal((await analyze("--out", out, "--maps")).status, 0);
    await tear(join(out, "ledger.sqlite"));
    for (
      const command of [
        () => analyze("--out", out, "--methods", "cam"),
        () => emocam("report", out),
        () => emocam("cache", "list", out),
        () => emocam("cache", "prune", out, "--larger-than", "0.01"),
      ]
    ) {
      const { status, err } = await command();
      assert.match(err, TORN);
      assertLess(status, 3);
    }
    assert.equal((await analyze("--out", out, "--methods", "cam")).status, 2);
    // The advice helps.
    await Deno.rename(join(out, "ledger.sqlite"), join(folder, "away"));
    assert.equal((await analyze("--out", out, "--methods", "cam")).status, 0);
    const shared = ["--cache", cache];
    assert.equal((await analyze("--out", out, ...shared)).status, 0);
    await tear(join(cache, "ledger.sqlite"));
    const { status, err } = await analyze("--out", out, ...shared, "--methods", "cam");
    assert.equal(status, 2);
    assert.match(err, TORN);
  }));

Deno.test("a ledger that may not grow is a full disk, in a batch and between them", () =>
  withFolder((folder) => {
    const path = join(folder, "ledger.sqlite");
    for (const pages of [0, 1, 2, 4, 8]) {
      using ledger = Ledger.open(path, { fresh: true });
      const room = { of: 0 };
      // SQLite's own limit, set on the connection of this ledger.
      const { prepare } = DatabaseSync.prototype;
      const database: DatabaseSync[] = [];
      DatabaseSync.prototype.prepare = function (...args) {
        database.push(this);
        return prepare.apply(this, args);
      };
      try {
        ledger.findStage("none");
        ledger.runs();
      } finally {
        DatabaseSync.prototype.prepare = prepare;
      }
      const { page_count } = database[0].prepare("PRAGMA page_count").get() as {
        page_count: number;
      };
      database[0].exec(`PRAGMA max_page_count = ${page_count + pages}`);
      assert.throws(() => {
        for (; room.of < 1000; room.of++) {
          ledger.stage("a stage", { number: room.of, text: "x".repeat(3000) });
          ledger.startRun({ text: "x".repeat(3000) });
        }
      }, DiskFullError);
      // Nothing was taken for stored that is not.
      const { n } = database[0].prepare("SELECT count(*) AS n FROM stage").get() as { n: number };
      assertLess(Math.abs(n - room.of), 2);
    }
    return Promise.resolve();
  }));

Deno.test("codes of the database are told apart, and other errors stay as they are", () => {
  const coded = (errcode: number) =>
    Object.assign(new Error("its words"), { code: "ERR_SQLITE_ERROR", errcode });
  const other = new Error("database or disk is full");
  assert.equal(ledgerProblem(other, "x"), other);
  assert.equal(ledgerProblem("text", "x"), "text");
  for (const full of [13, 13 | 1 << 8]) {
    assert.equal(ledgerProblem(coded(full), "x") instanceof DiskFullError, true);
  }
  for (const code of [5, 8, 10, 11, 267, 26, 19]) {
    const problem = ledgerProblem(coded(code), "x");
    assert.equal(problem instanceof UsageError, true, String(code));
    assert.match(String(problem), /^UsageError: Cannot .* ledger.*its words.*; /);
  }
});

Deno.test("a table for which there is no room is one line, and leaves nothing half written", () =>
  withCorpus(async (folder, analyze) => {
    const out = join(folder, "out");
    assert.equal((await analyze("--out", out)).status, 0);
    const before = await Deno.readTextFile(join(out, "boxes.csv"));
    const { writeSync, write } = Deno.FsFile.prototype;
    const none = () => Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
    let written = 0, room = 0;
    Deno.FsFile.prototype.writeSync = function (bytes) {
      if ((written += bytes.length) > room) throw none();
      return writeSync.call(this, bytes);
    };
    Deno.FsFile.prototype.write = function (bytes) {
      if ((written += bytes.length) > room) return Promise.reject(none());
      return write.call(this, bytes);
    };
    try {
      for (room of [1000, 5000, 30_000]) {
        written = 0;
        const { status, err } = await analyze("--out", out, "--methods", "cam,grad-cam");
        assertMore(written, room);
        assert.equal(status, 1, err);
        assert.match(err.split("\n").slice(-2).join("\n"), FULL);
        await assert.rejects(writeWhole(join(out, "x"), "x"), DiskFullError);
      }
    } finally {
      Object.assign(Deno.FsFile.prototype, { writeSync, write });
    }
    const left = [...Deno.readDirSync(out)].map(({ name }) => name);
    assert.deepEqual(left.filter((name) => /tmp|^x$|run\.json/.test(name)), []);
    const again = await analyze("--out", out);
    assert.equal(again.status, 0, again.err);
    assert.equal(await Deno.readTextFile(join(out, "boxes.csv")), before);
  }));
