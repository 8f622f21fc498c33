/** `report`: a finished run is read from its folder alone. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { MODELS_FOLDER } from "../../src/runtime/card.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, type Outcome } from "./cli.ts";
import { assertAtMost, assertSome } from "../assert_that.ts";

/** A folder with pictures, boxes and a classifier's files, none of them emocam's own. */
interface Belongings {
  readonly folder: string;
  readonly pictures: string;
  readonly boxes: string;
  readonly models: string;
  readonly run: string;
  /** Analyses the pictures into `run`. */
  analyze(...options: string[]): Promise<Outcome>;
}

async function withBelongings(use: (own: Belongings) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const [pictures, models, run] = ["pictures", "models", "run"].map((name) => join(folder, name));
    const { boxes } = await makeFaces(pictures, 5);
    await Deno.mkdir(models);
    for (const file of ["mini-xception.json", "mini-xception.onnx"]) {
      await Deno.copyFile(join(MODELS_FOLDER, file), join(models, file));
    }
    const card = join(models, "mini-xception.json");
    await use({
      ...{ folder, pictures, boxes, models, run },
      analyze: (...options) =>
        emocam(
          ...["analyze", pictures, "--classifier", card, "--detector", boxes, "--samples", "image"],
          ...["--backend", "native", "--out", run, ...options],
        ),
    });
  });
}

/** All files below a folder with their bytes, but for its lock, its record of times and its databases. */
async function filesOf(folder: string, prefix = ""): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name, isDirectory } of Deno.readDir(join(folder, prefix))) {
    const path = `${prefix}${name}`;
    if (isDirectory) {
      for (const [below, bytes] of await filesOf(folder, `${path}/`)) files.set(below, bytes);
    } else if (!/sqlite|lock$/.test(name) && name !== RECORD_FILE) {
      files.set(path, await Deno.readFile(join(folder, path)));
    }
  }
  return files;
}

/** Removes all outputs of a run but for its manifest. */
async function removeOutputs(run: string): Promise<void> {
  for (const path of (await filesOf(run)).keys()) {
    if (path !== "run.json") await Deno.remove(join(run, path));
  }
}

function assertSameFiles(
  after: ReadonlyMap<string, Uint8Array>,
  before: ReadonlyMap<string, Uint8Array>,
): void {
  assert.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
  for (const [path, bytes] of before) assert.deepEqual(after.get(path), bytes, path);
}

Deno.test("report rebuilds the report and all tables byte for byte without the models and the boxes", () =>
  withBelongings(async ({ run, models, boxes, analyze }) => {
    const made = await analyze("--methods", "grad-cam,cam,centre", "--class", "all", "--maps");
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    assert.ok(before.has("agreement.csv"), [...before.keys()].join());
    assert.ok(before.has("report.html"), [...before.keys()].join());
    await Deno.remove(models, { recursive: true });
    await Deno.remove(boxes);
    await removeOutputs(run);
    const { status, out, err } = await emocam("report", run);
    assert.equal(status, 0, err);
    assert.match(out, /^5 images, 5 samples, \d+ boxes; written again/);
    assert.equal(err, "");
    assertSameFiles(await filesOf(run), before);
  }));

Deno.test("report writes the paper's tables again, and what they note is in the report once", () =>
  withBelongings(async ({ run, models, analyze }) => {
    const made = await analyze("--preset", "paper", "--methods", "grad-cam", "--objects", "nose");
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    assertSome([...before.keys()], (path) => path.startsWith("paper/"), "no tables of the paper");
    await Deno.remove(models, { recursive: true });
    await removeOutputs(run);
    assert.equal((await emocam("report", run)).status, 0);
    assertSameFiles(await filesOf(run), before);
  }));

Deno.test("with pictures gone or changed, the tables are the same and the report names the pictures", () =>
  withBelongings(async ({ run, pictures, analyze }) => {
    const made = await analyze();
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    const [first, second] = [...Deno.readDirSync(pictures)].map(({ name }) => name).sort();
    await Deno.remove(join(pictures, first));
    await Deno.copyFile(join(MODELS_FOLDER, "photos", "hopper.jpg"), join(pictures, second));
    const { status, err } = await emocam("report", run);
    assert.equal(status, 0, err);
    const after = await filesOf(run);
    const page = new TextDecoder().decode(after.get("report.html"));
    for (
      const [picture, why] of [[first, "there is no such file"], [second, "has changed since"]]
    ) {
      assert.match(page, new RegExp(`${picture.replaceAll(".", "\\.")}</bdi>: <bdi>[^<]*${why}`));
      assert.match(err, new RegExp(`note: 2 pictures .*${picture}`));
    }
    after.delete("report.html");
    before.delete("report.html");
    assertSameFiles(after, before);
  }));

Deno.test("report --out writes elsewhere and leaves the run as it is", () =>
  withBelongings(async ({ run, folder, analyze }) => {
    const made = await analyze();
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    const elsewhere = join(folder, "elsewhere");
    assert.equal((await emocam("report", run, "--out", elsewhere)).status, 0);
    assertSameFiles(await filesOf(run), before);
    before.delete("run.json");
    assertSameFiles(await filesOf(elsewhere), before);
  }));

Deno.test("a run in a shared cache keeps in its own folder what report needs", () =>
  withBelongings(async ({ folder, run, pictures, models, boxes, analyze }) => {
    const cache = join(folder, "cache");
    const made = await analyze("--cache", cache);
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    const mine = Deno.statSync(join(run, "run.sqlite")).size;
    // A later run with other pictures of the same names, then no cache at all.
    const others = join(folder, "others");
    await Deno.mkdir(others);
    for (const { name } of Deno.readDirSync(pictures)) {
      await Deno.copyFile(join(MODELS_FOLDER, "photos", "hopper.jpg"), join(others, name));
    }
    const later = await emocam(
      ...["analyze", others, "--classifier", join(models, "mini-xception.json"), "--samples"],
      ...["image", "--detector", boxes, "--cache", cache],
      ...["--out", join(folder, "later")],
    );
    assert.equal(later.status, 0, later.err);
    await Deno.remove(cache, { recursive: true });
    await removeOutputs(run);
    const { status, err } = await emocam("report", run);
    assert.equal(status, 0, err);
    assertSameFiles(await filesOf(run), before);
    assert.equal(Deno.statSync(join(run, "run.sqlite")).size, mine);
  }));

Deno.test("a run whose results were pruned is refused, naming what its ledger no longer holds", () =>
  withBelongings(async ({ run, analyze }) => {
    const made = await analyze();
    assert.equal(made.status, 0, made.err);
    const before = await filesOf(run);
    assert.equal((await emocam("cache", "prune", run, "--older-than", "0h")).status, 0);
    const { status, out, err } = await emocam("report", run);
    assert.equal(status, 2, out);
    assert.match(err, /^Cannot read the run/);
    assert.match(err, /ledger .*(samples|predictions)/);
    assert.match(err, /give the command again: deno task analyze /);
    assert.equal(err.trim().split("\n").length, 1, err);
    assertSameFiles(await filesOf(run), before);
  }));

Deno.test("a folder without a run, a damaged manifest, and a ledger that is gone are one line each", () =>
  withBelongings(async ({ folder, run, analyze }) => {
    const refusal = async (pattern: RegExp) => {
      const { status, err } = await emocam("report", run);
      assert.equal(status, 2, err);
      assert.match(err, pattern);
      assert.equal(err.trim().split("\n").length, 1, err);
    };
    await refusal(/^Cannot find a run: there is no .*run\.json; give the folder/);
    const made = await analyze();
    assert.equal(made.status, 0, made.err);
    const manifest = join(run, "run.json");
    const text = await Deno.readTextFile(manifest);
    const ledger = join(run, "ledger.sqlite");
    await Deno.rename(ledger, join(folder, "away.sqlite"));
    await refusal(
      /^Cannot read the run of .*: its ledger .*ledger\.sqlite is missing; give the command again: /,
    );
    await Deno.writeTextFile(manifest, text.slice(0, -20));
    await refusal(/^Cannot read .*run\.json: /);
    const { analysis: _, ...older } = JSON.parse(text);
    await Deno.writeTextFile(manifest, JSON.stringify(older));
    await refusal(/^Cannot read the run of .*run\.json: analysis: .*older version/);
  }));

Deno.test("verdicts of a check after the run are in the report that is made again", () =>
  withBelongings(async ({ run, models, pictures, boxes, analyze }) => {
    const made = await analyze();
    assert.equal(made.status, 0, made.err);
    const page = async () => await Deno.readTextFile(join(run, "report.html"));
    assert.doesNotMatch(await page(), /Grad-CAM against CAM|grad-cam \(fails/);
    const card = join(models, "mini-xception.json");
    const check = await emocam(
      ...["check", pictures, "--classifier", card, "--detector", boxes, "--samples", "image"],
      ...["--batch", "4", "--backend", "native", "--out", run],
    );
    assertAtMost(check.status, 1, check.err);
    await Deno.remove(models, { recursive: true });
    assert.equal((await emocam("report", run)).status, 0);
    assert.match(await page(), /holds|fails/);
    const verdicts = JSON.parse(await Deno.readTextFile(join(run, "axioms.json")));
    assert.ok(verdicts.length > 3, `${verdicts.length} verdicts`);
  }));
