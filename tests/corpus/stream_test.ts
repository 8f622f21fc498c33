import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { createRng } from "../../src/base/rng.ts";
import type { Analysis } from "../../src/corpus/plan.ts";
import { matricesOf, parseMatrix, tablesOf } from "../commands/cli.ts";
import {
  analysisOf,
  type Calls,
  countedBoxes,
  countedClassifier,
  imagesOf,
  methodsOf,
  noCalls,
  runIn,
} from "./counted_analysis.ts";
import { makeFaces, withFolder } from "./face_corpus.ts";
import { assertAtLeast, assertAtMost, assertMore } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const COUNT = 14;

/** Makes a corpus and what an analysis of it needs; disposes of the models afterwards. */
async function withCorpus(
  use: (corpus: {
    folder: string;
    names: readonly string[];
    calls: Calls;
    analysis: (changes?: Partial<Analysis>) => Promise<Analysis>;
  }) => Promise<void>,
  count = COUNT,
): Promise<void> {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { names, boxes } = await makeFaces(pictures, count);
    const images = imagesOf(pictures, names);
    const calls = noCalls();
    const classifier = await countedClassifier("mini-xception", calls);
    const detector = await countedBoxes(boxes, images, calls);
    const analysis = (changes: Partial<Analysis> = {}) =>
      analysisOf({ images, classifier, detector }, changes);
    await use({ folder, names, calls, analysis });
    await classifier.dispose();
  });
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  const rng = createRng(seed);
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const sortedLines = (text: string) => text.trimEnd().split("\n").sort().join("\n");

Deno.test("a corpus in another order gives the same matrices byte for byte, and the same rows", async () => {
  await withCorpus(async ({ folder, analysis }) => {
    const plain = await analysis({ methods: methodsOf("grad-cam", "cam"), classes: "all" });
    await runIn(join(folder, "plain"), plain);
    const expected = await tablesOf(join(folder, "plain"));
    assertMore(expected["boxes.csv"].split("\n").length, COUNT * 2 * 7 * 2);
    for (const seed of [1, 2, 3]) {
      const out = join(folder, `shuffled${seed}`);
      await runIn(out, { ...plain, images: shuffled(plain.images, seed) });
      assert.deepEqual(await matricesOf(out), await matricesOf(join(folder, "plain")));
      for (const [name, text] of Object.entries(await tablesOf(out))) {
        assert.equal(sortedLines(text), sortedLines(expected[name]), name);
      }
    }
  });
});

Deno.test("another batch size gives the same counts, and importances within 1e-5", async () => {
  await withCorpus(async ({ folder, analysis }) => {
    const plain = await analysis();
    await runIn(join(folder, "4"), plain);
    const expected = await matricesOf(join(folder, "4"));
    for (const batch of [1, 3, 5, 32]) {
      const classifier = await countedClassifier("mini-xception", noCalls(), batch);
      const out = join(folder, String(batch));
      await runIn(out, { ...plain, classifier });
      await classifier.dispose();
      const found = await matricesOf(out);
      assert.deepEqual(Object.keys(found), Object.keys(expected));
      for (const [name, text] of Object.entries(found)) {
        if (!name.includes("importance")) {
          assert.equal(text, expected[name], `${name}, batch ${batch}`);
          continue;
        }
        const [a, b] = [parseMatrix(text), parseMatrix(expected[name])];
        for (const [object, row] of Object.entries(b)) {
          for (const [column, value] of Object.entries(row)) {
            if (Number.isNaN(value)) continue;
            assertClose(a[object][column], value, 1e-5, `${object} ${column}`);
          }
        }
      }
    }
  });
});

Deno.test("a later run computes only what its settings change, says why, and ends like a fresh run", async () => {
  await withCorpus(async ({ folder, names, calls, analysis }) => {
    const batches = Math.ceil(COUNT / 4);
    const none = noCalls();
    const other = await countedClassifier("face-expression", calls);
    const narrow = join(folder, "narrow.csv");
    await Deno.writeTextFile(
      narrow,
      "image,label,confidence,x0,y0,x1,y1\n" +
        names.map((name) => `${name},lip,1,20,50,40,60\n`).join(""),
    );
    const plain = await analysis();
    const detector = await countedBoxes(narrow, plain.images, calls);
    const both = methodsOf("grad-cam", "cam");
    const steps: {
      what: string;
      changes: Partial<Analysis>;
      threshold?: number;
      calls: Calls;
      reasons: RegExp[];
    }[] = [
      {
        what: "the first run",
        changes: {},
        calls: { ...none, detections: COUNT, forwards: batches, gradients: batches },
        reasons: [],
      },
      { what: "the same again", changes: {}, calls: none, reasons: [] },
      { what: "another threshold", changes: {}, threshold: 0.6, calls: none, reasons: [] },
      {
        what: "a second method: its maps from stored activations",
        changes: { methods: both },
        calls: { ...none, resumed: batches },
        reasons: [],
      },
      {
        what: "all classes",
        changes: { methods: both, classes: "all" },
        calls: { ...none, resumed: batches, gradients: 7 * batches },
        reasons: [],
      },
      {
        what: "predicted classes again",
        changes: { methods: both, classes: "predicted" },
        calls: none,
        reasons: [],
      },
      {
        what: "another target: maps of the method that uses it",
        changes: { methods: both, target: "probability" },
        calls: { ...none, resumed: batches, gradients: batches },
        reasons: [
          /^grad-cam maps are computed again: target changed from "logit" to "probability"$/,
          /^grad-cam importances are computed again: map was recomputed$/,
        ],
      },
      {
        what: "another mean in the boxes: scores from stored maps",
        changes: { methods: both, target: "probability", boxMean: "pixels" },
        calls: none,
        reasons: [
          /^grad-cam importances .*: boxMean changed from "exact" to "pixels"$/,
          /^cam importances .*: boxMean changed/,
        ],
      },
      {
        what: "another detector: boxes and scores, no predictions",
        changes: { methods: both, detector },
        calls: { ...none, detections: COUNT },
        reasons: [
          /^detections are computed again: detector\.sha256 changed from [0-9a-f]{7}… to [0-9a-f]{7}…$/,
          /^grad-cam importances .*: detection was recomputed$/,
          /^cam importances .*: detection was recomputed$/,
        ],
      },
      {
        what: "another classifier: all but the boxes",
        changes: { methods: both, classifier: other },
        calls: { ...none, forwards: batches, gradients: batches },
        reasons: [
          /^predictions are computed again: .*model changed from/,
          /^grad-cam maps .*forward was recomputed/,
          /^grad-cam importances .*map was recomputed/,
          /^cam maps .*forward was recomputed/,
          /^cam importances .*map was recomputed/,
        ],
      },
      {
        what: "one class, back with the first classifier",
        changes: { methods: both, classes: 3 },
        calls: none,
        reasons: [],
      },
    ];
    const out = join(folder, "run");
    for (const step of steps) {
      Object.assign(calls, none);
      const wanted = await analysis(step.changes);
      const { summary, reasons } = await runIn(out, wanted, {}, step.threshold);
      assert.deepEqual({ ...calls }, step.calls, step.what);
      assert.equal(reasons.length, step.reasons.length, `${step.what}: ${reasons.join("\n")}`);
      step.reasons.forEach((pattern, i) => assert.match(reasons[i], pattern));
      const computed = Object.values(step.calls).some((count) => count > 0) ||
        wanted.boxMean === "pixels";
      assert.equal(summary.reused, computed ? 0 : COUNT, step.what);

      const fresh = join(folder, "fresh");
      await runIn(fresh, wanted, {}, step.threshold);
      assert.deepEqual(await tablesOf(out), await tablesOf(fresh), step.what);
      await Deno.remove(fresh, { recursive: true });
    }
    await other.dispose();
  });
});

Deno.test("without room for activations a second method runs the classifier again, and finds the same", async () => {
  await withCorpus(async ({ folder, calls, analysis }) => {
    const [one, both] = [methodsOf("grad-cam"), methodsOf("grad-cam", "cam")];
    // Room for one batch of four of the four batches: 7×8×8 floats a sample.
    const activationBudget = 4 * 7 * 8 * 8 * 4;
    await runIn(join(folder, "run"), await analysis({ methods: one, activationBudget }));
    Object.assign(calls, noCalls());
    await runIn(join(folder, "run"), await analysis({ methods: both, activationBudget }));
    assert.deepEqual({ ...calls }, { ...noCalls(), forwards: 3, resumed: 1 });
    await runIn(join(folder, "fresh"), await analysis({ methods: both }));
    assert.deepEqual(await tablesOf(join(folder, "run")), await tablesOf(join(folder, "fresh")));
  });
});

Deno.test("an image that cannot be used is a row with a reason; the others are as without it", async () => {
  await withCorpus(async ({ folder, analysis }) => {
    const plain = await analysis();
    await runIn(join(folder, "good"), plain);
    const bad = join(folder, "bad");
    await Deno.mkdir(join(bad, "folder.jpg"), { recursive: true });
    await Deno.writeTextFile(join(bad, "text.jpg"), "no picture");
    const broken = ["folder.jpg", "text.jpg", "missing.jpg"];
    const images = [...plain.images, ...imagesOf(bad, broken)];
    const failures: [string, string][] = [];
    const { summary } = await runIn(
      join(folder, "run"),
      { ...plain, images: shuffled(images, 7) },
      { onFailure: (path, reason) => failures.push([path, reason]) },
    );
    assert.deepEqual(
      [summary.total, summary.done, summary.failed, summary.samples],
      [COUNT + 3, COUNT + 3, 3, COUNT],
    );
    assert.deepEqual(failures.map(([path]) => path).sort(), [...broken].sort());
    const reason = Object.fromEntries(failures);
    assert.equal(reason["missing.jpg"], "Cannot read the image: there is no such file");
    assert.equal(reason["folder.jpg"], "Cannot read the image: it is a folder");
    assert.match(reason["text.jpg"], /^Cannot decode the image: unknown format/);
    assert.deepEqual(await matricesOf(join(folder, "run")), await matricesOf(join(folder, "good")));
  });
});

Deno.test("an image of which the classifier makes no number is a row with that reason; its batch is as without it", async () => {
  await withCorpus(async ({ folder, names, analysis }) => {
    const plain = await analysis();
    const bad = names[3];
    const images = plain.images.filter(({ path }) => path !== bad);
    await runIn(join(folder, "good"), { ...plain, images });
    // The sum of its input tells the picture, wherever it lies in a batch.
    const sums: number[] = [];
    const { classifier } = plain;
    const failing = (spoil: (sum: number) => boolean): Analysis => ({
      ...plain,
      classifier: {
        ...classifier,
        async forward(input) {
          const forward = await classifier.forward(input);
          const size = input.data.length / input.shape[0];
          for (let row = 0; row < input.shape[0]; row++) {
            const own = input.data.subarray(row * size, (row + 1) * size);
            const sum = own.reduce((a, b) => a + b, 0);
            sums.push(sum);
            if (spoil(sum)) forward.probabilities.data.fill(NaN, row * 7, (row + 1) * 7);
          }
          return forward;
        },
      },
    });
    const only = plain.images.filter(({ path }) => path === bad);
    await runIn(join(folder, "only"), { ...failing(() => false), images: only });
    const own = sums[0];
    const failures: [string, string][] = [];
    const { summary } = await runIn(join(folder, "run"), failing((sum) => sum === own), {
      onFailure: (path, reason) => failures.push([path, reason]),
    });
    assert.deepEqual([summary.failed, summary.samples, summary.done], [1, COUNT - 1, COUNT]);
    assert.deepEqual(failures, [
      [bad, "Cannot use the classifier's scores: the probability of angry is NaN"],
    ]);
    assert.deepEqual(await matricesOf(join(folder, "run")), await matricesOf(join(folder, "good")));
  });
});

Deno.test("a stream that is stopped keeps what is finished and continues from there", async () => {
  await withCorpus(async ({ folder, calls, analysis }) => {
    const plain = await analysis();
    await runIn(join(folder, "whole"), plain);
    Object.assign(calls, noCalls());
    const stop = new AbortController();
    const detector = {
      ...plain.detector,
      detect(...asked: Parameters<typeof plain.detector.detect>) {
        if (calls.detections === 8) stop.abort();
        return plain.detector.detect(...asked);
      },
    };
    const out = join(folder, "run");
    const { summary } = await runIn(out, { ...plain, detector }, { signal: stop.signal });
    assert.deepEqual(
      [summary.interrupted, summary.done, calls.detections],
      [true, 8, 9],
    );
    Object.assign(calls, noCalls());
    const next = await runIn(out, plain);
    assert.deepEqual([next.summary.interrupted, next.summary.reused], [false, 8]);
    assert.deepEqual({ ...calls }, { ...noCalls(), detections: 6, forwards: 2, gradients: 2 });
    assert.deepEqual(await tablesOf(out), await tablesOf(join(folder, "whole")));
  });
});

Deno.test("equal pictures under two paths are computed alike and count twice", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { names } = await makeFaces(pictures, 3);
    await Deno.copyFile(join(pictures, names[1]), join(pictures, "twin.png"));
    const images = imagesOf(pictures, [...names, "twin.png"]);
    const calls = noCalls();
    const classifier = await countedClassifier("mini-xception", calls, 2);
    const table = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      table,
      "image,label,confidence,x0,y0,x1,y1\n" +
        images.map(({ path }) => `${path},mouth,1,20,45,50,60\n`).join(""),
    );
    const detector = await countedBoxes(table, images, calls);
    await runIn(join(folder, "run"), await analysisOf({ images, classifier, detector }));
    const rows = (await Deno.readTextFile(join(folder, "run", "boxes.csv"))).split("\n");
    const [first, twin] = [names[1], "twin.png"].map((name) =>
      rows.find((row) => row.startsWith(name))!.slice(name.length)
    );
    assert.equal(first, twin);
    const predictions = await Deno.readTextFile(join(folder, "run", "predictions.csv"));
    assert.deepEqual([rows.length, predictions.split("\n").length], [1 + 4 + 1, 1 + 4 + 1]);
    await classifier.dispose();
  });
});

Deno.test("boxes of a file stay with their path when the picture moves to another path", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { names: [name] } = await makeFaces(pictures, 1);
    await Deno.rename(join(pictures, name!), join(pictures, "a.png"));
    const table = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      table,
      "image,label,confidence,x0,y0,x1,y1\na.png,mouth,1,20,45,50,60\na.png,ear,1,0,20,9,50\nb.png,brow,1,10,20,60,30\n",
    );
    const calls = noCalls();
    const classifier = await countedClassifier("mini-xception", calls);
    const run = async (path: string, out: string, methods = methodsOf("grad-cam")) => {
      const images = imagesOf(pictures, [path]);
      const detector = await countedBoxes(table, images, calls);
      Object.assign(calls, noCalls());
      await runIn(
        join(folder, out),
        await analysisOf({ images, classifier, detector }, { methods }),
      );
      return await tablesOf(join(folder, out));
    };
    const both = methodsOf("grad-cam", "cam");
    await run("a.png", "run", both);
    await Deno.rename(join(pictures, "a.png"), join(pictures, "b.png"));
    const moved = await run("b.png", "run");
    assert.deepEqual({ ...calls }, noCalls());
    assert.deepEqual(moved, await run("b.png", "fresh"));
    // The second method's scores were of the first path's boxes: they must be made anew too.
    assert.deepEqual(await run("b.png", "run", both), await run("b.png", "fresh both", both));
    await Deno.rename(join(pictures, "b.png"), join(pictures, "c.png"));
    await assert.doesNotReject(run("c.png", "run", both));
    assert.match(await Deno.readTextFile(join(folder, "run", "boxes.csv")), /^[^\n]*\n$/);
    await classifier.dispose();
  });
});

Deno.test("a picture of one pixel and one of a single row are analysed", async () => {
  await withFolder(async (folder) => {
    const picture = (width: number, height: number) =>
      sharp({ create: { width, height, channels: 3, background: "#a05030" } });
    await picture(1, 1).png().toFile(join(folder, "pixel.png"));
    await picture(300, 1).png().toFile(join(folder, "row.png"));
    const images = imagesOf(folder, ["pixel.png", "row.png"]);
    const table = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      table,
      "image,label,confidence,x0,y0,x1,y1\npixel.png,dot,1,0,0,1,1\nrow.png,dot,1,10,0,200,1\n",
    );
    const classifier = await countedClassifier("mini-xception", noCalls());
    const detector = await countedBoxes(table, images, noCalls());
    const { summary } = await runIn(
      join(folder, "run"),
      await analysisOf({ images, classifier, detector }),
    );
    assert.deepEqual([summary.failed, summary.samples], [0, 2]);
    for (
      const line of (await Deno.readTextFile(join(folder, "run", "boxes.csv"))).trimEnd().split(
        "\n",
      ).slice(1)
    ) {
      const [importance, share] = line.split(",").slice(-2).map(Number);
      assertAtLeast(importance!, 0, line);
      assertAtMost(importance!, 1, line);
      assert.equal(share, 1);
    }
    await classifier.dispose();
  });
});
