/** Files from elsewhere that mean harm: cards, ledgers, tables and pictures. Each is one line, and the rest continues. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam } from "./cli.ts";

const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));

Deno.test("a card names no files but those beside it, and no input that takes all memory", async () => {
  await withFolder(async (folder) => {
    const card = JSON.parse(await Deno.readTextFile(join(MODELS, "mini-xception.json")));
    const wrong: [object, RegExp][] = [
      ...["../../../etc/passwd", "/etc/passwd", "a/../../b", "..\\b", "C:\\x", "\\\\host\\x", ""]
        .map((
          file,
        ): [object, RegExp] => [{ file }, /: file: it must lie beside the card/]),
      [
        { input: { ...card.input, meanImage: "../mean.npy" } },
        /: input\.meanImage: it must lie beside/,
      ],
      [{ input: { ...card.input, width: 1e9 } }, /: input\.width: Too big/],
    ];
    for (const [change, says] of wrong) {
      const path = join(folder, "card.json");
      await Deno.writeTextFile(path, JSON.stringify({ ...card, ...change }));
      const { status, err } = await emocam(
        "analyze",
        "--classifier",
        path,
        "--out",
        join(folder, "out"),
      );
      assert.equal(status, 2, err);
      assert.match(err, says);
      assert.match(err, /^Cannot read model card card\.json: [^\n]+\n$/);
    }
  });
});

Deno.test("a table of pictures cannot make it wait for a pipe or read a device without end", async () => {
  await withFolder(async (folder) => {
    const { names } = await makeFaces(join(folder, "faces"), 1);
    const pipe = join(folder, "pipe.jpg");
    const piped = Deno.build.os !== "windows" &&
      (await new Deno.Command("mkfifo", { args: [pipe] }).output()).success;
    const huge = join(folder, "huge.jpg");
    (await Deno.create(huge)).close();
    await Deno.truncate(huge, 2 ** 30 + 1); // sparse: it takes no room
    const paths = [join(folder, "faces", names[0]), huge, ...piped ? [pipe, "/dev/zero"] : []];
    await Deno.writeTextFile(join(folder, "corpus.csv"), ["path", ...paths].join("\n"));
    const { status, err } = await emocam(
      "analyze",
      join(folder, "corpus.csv"),
      "--out",
      join(folder, "out"),
    );
    assert.equal(status, 0, err);
    assert.match(err, /huge\.jpg: Cannot read the image: its 1073741825 bytes are over the limit/);
    if (piped) {
      assert.match(err, /pipe\.jpg: Cannot read the image: it is not a file/);
      assert.match(err, /zero: Cannot read the image: it is not a file/);
    }
  });
});

/** Changes to a ledger, with the table that is named; without one, the run may continue. */
const DAMAGES: readonly (readonly [string, string, ...string[]])[] = [
  ["UPDATE prediction SET probabilities = x'010203'", "prediction"],
  ["UPDATE prediction SET probabilities = 'text'", "prediction"],
  ["UPDATE prediction SET probabilities = zeroblob(8)", "prediction"],
  ["UPDATE prediction SET predicted = 99", "prediction"],
  ["UPDATE prediction SET predicted = 'x'", "prediction"],
  ["UPDATE score SET importance = 'abc'", "score"],
  ["UPDATE box SET x0 = 'a'", "box"],
  ["UPDATE box SET y1 = 9e999", "box"],
  ["UPDATE sample SET x0 = 'a'", "sample"],
  ["UPDATE detection SET faces = '{'", "detection"],
  [`UPDATE detection SET faces = '[{"box": 3}]'`, "detection"],
  ["DELETE FROM box", "box"],
  ["DELETE FROM scoring; UPDATE map SET raw = x'00'", "map"],
  ["DELETE FROM scoring; UPDATE map SET height = 1000000, width = 1000000", "map"],
  ["DELETE FROM scoring; DELETE FROM map; UPDATE activation SET data = x'00'", "activation"],
  [
    "DELETE FROM scoring; DELETE FROM map; UPDATE activation SET data = zeroblob(9999996)",
    "activation",
  ],
];

/** A ledger that is not ours, however it looks. */
const FOREIGN: readonly string[] = [
  "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM image; END",
  "CREATE VIEW v AS SELECT 1",
  "CREATE TABLE more (a)",
  "DROP TABLE score",
  "ALTER TABLE run ADD COLUMN more",
];

Deno.test("a ledger from elsewhere is refused where its tables or rows cannot be ours", async () => {
  await withFolder(async (folder) => {
    await makeFaces(join(folder, "faces"), 1, { size: 200, margin: 0.3 });
    const analyze = (out: string, ...more: string[]) =>
      emocam(
        ...["analyze", join(folder, "faces")],
        ...["--backend", "native", "--out", out, ...more],
      );
    const whole = join(folder, "whole");
    assert.equal((await analyze(whole)).status, 0);
    const own = await Deno.readFile(join(whole, "ledger.sqlite"));
    const cases = [
      ...DAMAGES.map(([sql, table]) =>
        [sql, new RegExp(`a row of its table ${table} is damaged`)] as const
      ),
      ...FOREIGN.map((sql) => [sql, /in it is not emocam's|tables are missing/] as const),
    ];
    for (const [i, [sql, says]] of cases.entries()) {
      const out = join(folder, `${i}`);
      await Deno.mkdir(out);
      await Deno.writeFile(join(out, "ledger.sqlite"), own);
      const database = new DatabaseSync(join(out, "ledger.sqlite"), {
        enableForeignKeyConstraints: false,
      });
      database.exec(sql);
      database.close();
      const { status, err } = await analyze(out);
      assert.equal(status, 2, `${sql}: ${err}`);
      assert.match(err, says, sql);
      assert.doesNotMatch(err, /^\s+at |EMOCAM_DEBUG/m);
      assert.match(err, /use --fresh to start over or another --out\n$/);
      assert.equal((await analyze(out, "--fresh")).status, 0);
    }
  });
});
