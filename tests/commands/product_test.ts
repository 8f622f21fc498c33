import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, emocamProcess, tablesOf } from "./cli.ts";
import { assertExcludes, assertIncludes, assertLess, assertMore } from "../assert_that.ts";

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const FACES = { size: 160, noise: 3, margin: 0.3 };
const COUNT = 4;

/** Runs with two corpora of faces and a user's model folder with a small YOLO, `objects`. */
function withCorpora(
  use: (made: {
    folder: string;
    one: string;
    two: string;
    boxes: string;
    analyze(out: string, ...args: string[]): ReturnType<typeof emocam>;
  }) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const before = Deno.env.get("EMOCAM_MODELS");
    Deno.env.set("EMOCAM_MODELS", join(folder, "models"));
    try {
      const { status, err } = await emocam(
        ...["models", "import", "darknet", "--name", "objects"],
        ...["--cfg", golden("darknet/odd.cfg"), "--weights", golden("darknet/odd.weights")],
      );
      assert.equal(status, 0, err);
      const one = join(folder, "one"), two = join(folder, "two");
      const { boxes } = await makeFaces(one, COUNT, FACES);
      await makeFaces(two, COUNT - 1, { ...FACES, seed: 2 });
      const analyze = (out: string, ...args: string[]) =>
        emocam("analyze", ...args, "--backend", "native", "--out", join(folder, out));
      await use({ folder, one, two, boxes, analyze });
    } finally {
      if (before === undefined) Deno.env.delete("EMOCAM_MODELS");
      else Deno.env.set("EMOCAM_MODELS", before);
    }
  });
}

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

const readRows = async (...path: string[]): Promise<Record<string, string>[]> =>
  parse(await Deno.readTextFile(join(...path)), { columns: true });

const readRun = async (...path: string[]) =>
  JSON.parse(await Deno.readTextFile(join(...path, "run.json")));

Deno.test("corpora × classifiers × detectors: each run's tables are those of a run by itself, byte for byte", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    const corpora = { first: one, "second.b": two };
    const classifiers = ["mini-xception", "face-expression"], detectors = ["face-parts", "objects"];
    const { status, err, out } = await analyze(
      "product",
      ...Object.entries(corpora).flatMap(([name, path]) => ["--corpus", `${name}=${path}`]),
      ...classifiers.flatMap((name) => ["--classifier", name]),
      ...detectors.flatMap((name) => ["--detector", name]),
    );
    assert.equal(status, 0, err);
    const expected = Object.keys(corpora).flatMap((corpus) =>
      classifiers.flatMap((classifier) =>
        detectors.map((detector) => ({
          corpus,
          classifier,
          detector,
          folder: `${corpus}.${classifier}.${detector}`,
          status: "0",
        }))
      )
    );
    assert.deepEqual(await readRows(folder, "product/product.csv"), expected);
    const folders = expected.map((row) => row.folder);
    assert.deepEqual(
      (await namesIn(join(folder, "product"))).filter((name) => !/^\.|-(wal|shm)$/.test(name)),
      [...folders, "ledger.sqlite", "product.csv"].sort(),
    );
    assert.deepEqual(
      err.match(/^\[\d\/8\] .*$/gm),
      folders.map((name, i) => `[${i + 1}/8] ${name}`),
    );
    for (const name of folders) assertIncludes(out, `${name}:\n`);
    for (const { corpus, classifier, detector, folder: own } of expected) {
      const alone = await analyze(
        `alone ${own}`,
        ...[corpora[corpus as "first"], "--classifier", classifier, "--detector", detector],
      );
      assert.equal(alone.status, 0, alone.err);
      assert.deepEqual(
        await tablesOf(join(folder, "product", own)),
        await tablesOf(join(folder, `alone ${own}`)),
        own,
      );
      assert.deepEqual((await readRun(folder, "product", own)).classifier.card.name, classifier);
      assert.deepEqual((await readRun(folder, "product", own)).detector.name, detector);
    }
  }));

Deno.test("a picture is looked at once by each detector, whatever the number of classifiers; a second time nothing is computed", () =>
  withCorpora(async ({ folder, one, analyze }) => {
    const args = ["--classifier", "mini-xception", "--classifier", "face-expression"];
    const run = async (...more: string[]) => {
      const { status, err } = await analyze("product", one, ...args, ...more);
      assert.equal(status, 0, err);
      const summaries = [];
      for (const name of ["mini-xception", "face-expression"]) {
        summaries.push((await readRun(folder, "product", name)).summary);
      }
      return summaries;
    };
    const [first, second] = await run();
    assertMore(first.milliseconds.detect, 0);
    assertLess(second.milliseconds.detect, first.milliseconds.detect / 20);
    assert.deepEqual([first.reused, second.reused], [0, 0]);
    assert.deepEqual((await run()).map(({ reused }) => reused), [COUNT, COUNT]);
    // One fresh start, not one for each run: detections are shared again.
    const [fresh, other] = await run("--fresh");
    assert.deepEqual([fresh.reused, other.reused], [0, 0]);
    assertLess(other.milliseconds.detect, fresh.milliseconds.detect / 20);
  }));

Deno.test("one named corpus is a run without a separate folder; several paths of one are separated by commas", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    const named = await analyze("named", "--corpus", `both=${one},${two}`);
    assert.equal(named.status, 0, named.err);
    const plain = await analyze("plain", one, two);
    assert.equal(plain.status, 0, plain.err);
    assert.deepEqual(await tablesOf(join(folder, "named")), await tablesOf(join(folder, "plain")));
    assertExcludes(await namesIn(join(folder, "named")), "product.csv");
    assert.equal((await readRows(folder, "named/images.csv")).length, 2 * COUNT - 1);
  }));

Deno.test("models given as files, or of one name, have separate folders", () =>
  withCorpora(async ({ folder, one, boxes, analyze }) => {
    const card = fileURLToPath(new URL("../../models/mini-xception.json", import.meta.url));
    const { status, err } = await analyze(
      "product",
      ...[one, "--samples", "image", "--methods", "grad-cam"],
      ...["--classifier", card, "--classifier", "mini-xception"],
      ...["--detector", boxes, "--detector", "face-parts"],
    );
    assert.equal(status, 0, err);
    const rows = await readRows(folder, "product/product.csv");
    assert.deepEqual(rows.map((row) => [row.classifier, row.detector, row.folder]), [
      [card, boxes, "mini-xception.one.boxes"],
      [card, "face-parts", "mini-xception.face-parts"],
      ["mini-xception", boxes, "mini-xception.one.boxes~2"],
      ["mini-xception", "face-parts", "mini-xception.face-parts~2"],
    ]);
    for (const kind of ["one.boxes", "face-parts"]) {
      assert.deepEqual(
        await tablesOf(join(folder, `product/mini-xception.${kind}`)),
        await tablesOf(join(folder, `product/mini-xception.${kind}~2`)),
      );
    }
  }));

Deno.test("what a product cannot be made of stops it before any work, with one line", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    const cases: [string[], RegExp][] = [
      [[two, "--corpus", `a=${one}`], /^Cannot analyse .*two together with --corpus: give all/],
      [["--corpus", `a=${one}`, "--corpus", `a=${two}`], /^Cannot use --corpus a twice/],
      [["--corpus", one], /^Cannot use --corpus ".*": give NAME=PATH/],
      [["--corpus", "a="], /^Cannot use --corpus "a=": give NAME=PATH/],
      [["--corpus", `=${one}`], /^Cannot use --corpus "=.*": give NAME=PATH/],
      [["--corpus", `a/b=${one}`], /^Cannot use --corpus "a\/b=.*": give NAME=PATH/],
      [["--corpus", "a=,"], /^Cannot use --corpus "a=,": give NAME=PATH/],
      [["--corpus", `a=${one}`, "--corpus", "b=nothing-here"], /no file or folder "nothing-here"/],
      // Found although another run would come first.
      [[one, "--classifier", "mini-xception", "--classifier", "emonett"], /^Cannot .*emonett/],
      [[one, "--detector", "face-parts", "--detector", "yolo9"], /^Cannot .*yolo9/],
      [
        [one, "--classifier", "mini-xception", "--classifier", "tiny-face"],
        /^Cannot .*tiny-face/,
      ],
      [
        [
          one,
          "--classifier",
          "mini-xception",
          "--classifier",
          "face-expression",
          "--class",
          "happy,",
        ],
        /^Cannot explain class "happy,"/,
      ],
    ];
    for (const [args, message] of cases) {
      const { status, out, err } = await analyze("none", ...args);
      assert.deepEqual([status, out], [2, ""], args.join(" "));
      assert.match(err, message);
      assert.equal(err.trimEnd().split("\n").length, 1, err);
    }
    await assert.rejects(Deno.stat(join(folder, "none")), Deno.errors.NotFound);
    for (const command of ["explain", "check"]) {
      for (const option of ["--classifier", "--detector"]) {
        const { status, out, err } = await emocam(command, one, option, "a", option, "b");
        assert.deepEqual([status, out], [2, ""]);
        assert.match(
          err,
          new RegExp(`^Cannot use ${option} 2 times: give one here; analyze takes`),
        );
        assert.equal(err.trimEnd().split("\n").length, 1, err);
      }
    }
  }));

Deno.test("corpora may be called like the product's own files, and in any script", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    const names = ["ledger.sqlite", "product.csv", "..", "Über"];
    const { status, err } = await analyze(
      "product",
      ...names.flatMap((name, i) => ["--corpus", `${name}=${i === 1 ? two : one}`]),
    );
    assert.equal(status, 0, err);
    const rows = await readRows(folder, "product/product.csv");
    assert.deepEqual(rows.map(({ corpus }) => corpus), names);
    for (const { folder: own, corpus } of rows) {
      const images = await readRows(folder, "product", own!, "images.csv");
      assert.equal(images.length, corpus === "product.csv" ? COUNT - 1 : COUNT);
    }
  }));

Deno.test("--labels folders: the first sub-folder is the annotation, in every run of a product", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    await Deno.mkdir(join(one, "glücklich/innen"), { recursive: true });
    await Deno.mkdir(join(one, "traurig"));
    await Deno.rename(join(one, "face000.png"), join(one, "glücklich/innen/a.png"));
    await Deno.rename(join(one, "face001.png"), join(one, "traurig/b.png"));
    const { status, err } = await analyze(
      "product",
      ...["--corpus", `x=${one}`, "--corpus", `y=${two}`, "--labels", "folders"],
    );
    assert.equal(status, 0, err);
    const labels = (await readRows(folder, "product/x/images.csv"))
      .map(({ path, label }) => [path, label]);
    assert.deepEqual(labels, [
      ["face002.png", ""],
      ["face003.png", ""],
      ["glücklich/innen/a.png", "glücklich"],
      ["traurig/b.png", "traurig"],
    ]);
    const [row] = await readRows(folder, "product/y/images.csv");
    assert.ok(!("label" in row!), Object.keys(row!).join());
    const refused = await analyze("other", one, "--labels", "names");
    assert.deepEqual([refused.status, refused.out], [2, ""]);
  }));

Deno.test("--strict and failed images: every run is made, and the highest status is the product's", () =>
  withCorpora(async ({ folder, one, two, analyze }) => {
    await Deno.writeTextFile(join(one, "broken.png"), "no picture");
    const args = ["--corpus", `bad=${one}`, "--corpus", `good=${two}`];
    assert.equal((await analyze("lax", ...args)).status, 0);
    assert.equal((await analyze("strict", ...args, "--strict")).status, 1);
    const rows = await readRows(folder, "strict/product.csv");
    assert.deepEqual(rows.map(({ corpus, status }) => [corpus, status]), [["bad", "1"], [
      "good",
      "0",
    ]]);
  }));

Deno.test("an interrupted product ends there, says so, and continues with the same command", () =>
  withFolder(async (folder) => {
    const one = join(folder, "one");
    const { boxes } = await makeFaces(one, 150, { size: 48 });
    await Deno.writeTextFile(join(one, "a.png"), "no picture");
    const args = (out: string) => [
      ...["analyze", one, "--samples", "image", "--detector", boxes, "--backend", "native"],
      ...["--classifier", "mini-xception", "--classifier", "face-expression"],
      ...["--batch", "1", "--out", join(folder, out)],
    ];
    const child = emocamProcess(args("stopped"), { stdout: "null" }).spawn();
    let text = "", sent = false;
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      text += part;
      // The first picture fails: from then on pictures stream.
      if (sent || !/^failed: a\.png/m.test(text)) continue;
      sent = true;
      child.kill("SIGINT");
    }
    const { code } = await child.status;
    assert.equal(code, 130, text);
    assert.match(
      text,
      /interrupted after \d+ of 151 images; the same command continues from there/,
    );
    const [row, ...others] = await readRows(folder, "stopped/product.csv");
    assert.deepEqual([row!.folder, row!.status], ["mini-xception", "130"]);
    assert.deepEqual(others, []);
    const resumed = await emocam(...args("stopped"));
    assert.equal(resumed.status, 0, resumed.err);
    const whole = await emocam(...args("whole"));
    assert.equal(whole.status, 0, whole.err);
    for (const name of ["mini-xception", "face-expression"]) {
      assert.deepEqual(
        await tablesOf(join(folder, "stopped", name)),
        await tablesOf(join(folder, "whole", name)),
      );
    }
  }));
