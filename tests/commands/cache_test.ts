import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, emocamProcess, type Outcome, permissionsOf, tablesOf } from "./cli.ts";
import { assertMore } from "../assert_that.ts";

/** Three pictures, and a way to analyse them into a separate folder. */
async function withCorpus(
  use: (
    place: (name: string) => string,
    analyze: (out: string, ...args: string[]) => Promise<Outcome>,
  ) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const place = (name: string) => join(folder, name);
    await makeFaces(place("faces"), 3, { size: 200, margin: 0.3 });
    await use(
      place,
      (out, ...args) =>
        emocam("analyze", place("faces"), "--backend", "native", "--out", place(out), ...args),
    );
  });
}

const computed = ({ out }: Outcome) => Number(/(\d+) images were computed before/.exec(out)?.[1]);

Deno.test("runs that share a cache compute nothing twice, and give what they give by themselves", async () => {
  await withCorpus(async (place, analyze) => {
    const alone = await analyze("alone");
    const cache = ["--cache", place("cache")];
    const first = await analyze("first", ...cache);
    assert.equal(first.status, 0, first.err);
    assert.equal(computed(first), 0);
    const second = await analyze("second", ...cache);
    assert.equal(computed(second), 3, second.out);
    const own = await tablesOf(place("alone"));
    assert.equal(alone.status, 0);
    assert.deepEqual(await tablesOf(place("first")), own);
    assert.deepEqual(await tablesOf(place("second")), own);
    // The ledger is in the cache alone.
    await assert.rejects(Deno.stat(place("second/ledger.sqlite")), Deno.errors.NotFound);
    // Other methods continue from its activations.
    const more = await analyze("more", ...cache, "--methods", "grad-cam,hires-cam");
    assert.equal(more.status, 0, more.err);
    const { err } = await analyze("fresh", ...cache, "--fresh");
    assert.doesNotMatch(err, /again/);
    assert.ok((await Deno.stat(place("fresh/ledger.sqlite"))).isFile, "a fresh run has its own");
  });
});

Deno.test("why something is computed again is said: settings, a model, a picture", async () => {
  await withCorpus(async (place, analyze) => {
    const cache = ["--cache", place("cache")];
    await analyze("run", ...cache);
    const { err } = await analyze("run", ...cache, "--target", "margin");
    assert.match(
      err,
      /^grad-cam maps are computed again: target changed from "logit" to "margin"$/m,
    );
    const models = fileURLToPath(new URL("../../models/", import.meta.url));
    const card = JSON.parse(await Deno.readTextFile(join(models, "mini-xception.json")));
    await Deno.copyFile(join(models, card.file), place(card.file));
    await Deno.writeTextFile(
      place("card.json"),
      JSON.stringify({ ...card, input: { ...card.input, resize: "pillow-lanczos" } }),
    );
    const other = await analyze("run", ...cache, "--classifier", place("card.json"));
    assert.match(
      other.err,
      /^predictions are computed again: .*resize changed from "\S+" to "pillow-lanczos"/m,
    );
    // In its own ledger, a run also knows its pictures.
    await analyze("own");
    await makeFaces(place("faces"), 1, { size: 200, margin: 0.3, seed: 99 });
    const changed = await analyze("own");
    assert.match(
      changed.err,
      /^face000\.png was computed again: sha256 changed from [0-9a-f]{7}… to [0-9a-f]{7}…$/m,
    );
    assert.equal(computed(changed), 2);
  });
});

Deno.test("a cache has one run at a time, and a named holder", async () => {
  await withCorpus(async (place, analyze) => {
    const { lockFolder } = await import("../../src/run/folder_lock.ts");
    await Deno.mkdir(place("cache"));
    using _lock = lockFolder(place("cache"), "analyze");
    const { status, err } = await analyze("run", "--cache", place("cache"));
    assert.equal(status, 2);
    assert.match(
      err,
      /^Cannot write to .*cache: process \d+ on \S+ \(analyze, since .*\) is using it; wait/,
    );
  });
});

Deno.test("a cache over its limit is brought below it before a run", async () => {
  await withCorpus(async (place, analyze) => {
    const cache = ["--cache", place("cache")];
    await analyze("first", ...cache);
    const before = (await Deno.stat(place("cache/ledger.sqlite"))).size;
    const { status, err } = await analyze("second", ...cache, "--cache-limit", "0.1");
    assert.equal(status, 0, err);
    assert.match(
      err,
      /^note: the cache was over --cache-limit 0\.1 MiB: \d\.\d MiB became 0\.1 MiB$/m,
    );
    assertMore(before, 0.1 * 2 ** 20);
    assert.deepEqual(await tablesOf(place("second")), await tablesOf(place("first")));
  });
});

Deno.test("EMOCAM_CACHE names a cache for all runs, under the task's own permissions; pruning gives its space back", async () => {
  await withCorpus(async (place) => {
    const env = { EMOCAM_CACHE: place("cache") };
    const flags = permissionsOf("emocam");
    const run = async (...args: string[]): Promise<Outcome> => {
      const { code, stdout, stderr } = await emocamProcess(args, { env }, [], flags).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { status: code, out: text(stdout), err: text(stderr) };
    };
    const analyzed = await run(
      "analyze",
      place("faces"),
      "--backend",
      "native",
      "--out",
      place("run"),
    );
    assert.equal(analyzed.status, 0, analyzed.err);
    const tables = await tablesOf(place("run"));
    const listed = await run("cache", "list", place("cache"), "--json");
    const [{ path, runs, pictures, stages }] = JSON.parse(listed.out);
    assert.deepEqual([path, runs, pictures], [place("cache/ledger.sqlite"), 1, 3]);
    const forward = stages.find(({ name }: { name: string }) => name === "predictions");
    assert.equal(forward.activationBytes, forward.rows * 7 * 8 * 8 * 4);
    const text = await run("cache", "list", place("cache"));
    assert.match(text.out, /^predictions +[0-9a-f]{7} +\d+ +0\.\d\d +0\.\d\d +\d{4}-\d\d-\d\d$/m);
    assert.match(text.out, /^1 ledger, \d\.\d\d MiB\n$/m);
    // Nothing is old yet.
    const kept = await run("cache", "prune", place("cache"), "--older-than", "30d");
    assert.match(kept.out, /ledger\.sqlite: nothing to drop; /);
    const database = new DatabaseSync(place("cache/ledger.sqlite"));
    database.exec("UPDATE run SET started = '2020-01-01T00:00:00.000Z'");
    database.close();
    const pruned = await run("cache", "prune", "--older-than", "30d", place("cache"));
    assert.equal(pruned.status, 0, pruned.err);
    assert.match(
      pruned.out,
      /dropped \d+ activations, \d+ maps, \d+ scored maps, \d+ predictions, 3 detections/,
    );
    assert.match(pruned.out, /^1 ledger, 0\.\d\d MiB freed$/m);
    assert.deepEqual(await tablesOf(place("run")), tables, "a run's tables stay");
    const again = await run(
      "analyze",
      place("faces"),
      "--backend",
      "native",
      "--out",
      place("run"),
    );
    assert.equal(computed(again), 0);
    assert.deepEqual(await tablesOf(place("run")), tables);
  });
});

Deno.test("a run is repeated without the cache that it was made with", async () => {
  await withCorpus(async (place, analyze) => {
    await analyze("run", "--cache", place("cache"));
    const before = await Deno.readFile(place("cache/ledger.sqlite"));
    const { status, out } = await emocam("reproduce", place("run"), "--out", place("again"));
    assert.equal(status, 0, out);
    assert.match(out, /^identical: /);
    assert.deepEqual(await Deno.readFile(place("cache/ledger.sqlite")), before);
  });
});

Deno.test("what cannot be listed or pruned is one line", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "text.sqlite"), "hello");
    const cases: [string[], RegExp][] = [
      [
        ["prune", folder],
        /^Cannot prune: neither an age nor a size was given; give --older-than 30d/,
      ],
      [
        ["prune", folder, "--older-than", "3"],
        /^Cannot use --older-than "3": give a number and h, d or w/,
      ],
      [["prune", folder, "--larger-than", "x"], /^Cannot use --larger-than "x"/],
      [
        ["list", join(folder, "nothing")],
        /^Cannot look into ".*nothing": there is no such file or folder/,
      ],
    ];
    for (const [args, says] of cases) {
      const { status, err } = await emocam("cache", ...args);
      assert.equal(status, 2, err);
      assert.match(err, says);
    }
    const named = await emocam("cache", "list", join(folder, "text.sqlite"));
    assert.match(named.err, /^Cannot use .*text\.sqlite: it is not a ledger\n$/);
    const none = await emocam("cache", "list", folder);
    assert.deepEqual([none.status, none.out, none.err], [0, "0 ledgers, 0.00 MiB\n", ""]);
  });
});
