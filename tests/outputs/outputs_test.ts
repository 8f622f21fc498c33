import assert from "node:assert/strict";
import { join } from "node:path";
import { readNpy } from "../../src/base/npy.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { writeMaps } from "../../src/outputs/maps.ts";
import { OUTPUTS, writeOutputs } from "../../src/outputs/mod.ts";
import type { RunOutput } from "../../src/association/count_run.ts";
import { writeWhole } from "../../src/base/files.ts";
import { OwnedFolder, RECORD_FILE } from "../../src/base/owned_folder.ts";
import { type Analysis, registerStages } from "../../src/corpus/plan.ts";
import { streamCorpus } from "../../src/corpus/stream.ts";
import { matricesOf, parseMatrix } from "../commands/cli.ts";
import {
  analysisOf,
  countedBoxes,
  countedClassifier,
  finishedRun,
  imagesOf,
  methodsOf,
  noCalls,
  toWrite,
} from "../corpus/counted_analysis.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";

/** Streams three pictures with two boxes each, and gives what is needed to write outputs. */
async function withRun(
  changes: Partial<Analysis>,
  use: (run: {
    folder: string;
    write: (threshold: number) => Promise<RunOutput>;
    maps: () => Promise<number>;
    analysis: Analysis;
  }) => Promise<void>,
  rename: (name: string) => string = (name) => name,
): Promise<void> {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const made = await makeFaces(pictures, 3);
    const names: string[] = [];
    for (const name of made.names) {
      names.push(rename(name));
      await Deno.mkdir(join(pictures, rename(name), ".."), { recursive: true });
      await Deno.rename(join(pictures, name), join(pictures, rename(name)));
    }
    const images = imagesOf(pictures, names);
    const table = join(folder, "boxes.csv");
    await Deno.writeTextFile(
      table,
      "image,label,confidence,x0,y0,x1,y1\n" +
        names.map((name) => `"${name}",mouth,1,20,45,50,60\n"${name}","a, ""b""",0.5,10,10,60,30\n`)
          .join(""),
    );
    const classifier = await countedClassifier("mini-xception", noCalls());
    const detector = await countedBoxes(table, images, noCalls());
    const analysis = await analysisOf({ images, classifier, detector }, changes);
    const out = join(folder, "out");
    await Deno.mkdir(out);
    using ledger = Ledger.open(":memory:");
    const stages = registerStages(ledger, analysis);
    const run = ledger.startRun({});
    await streamCorpus(analysis, ledger, run, stages);
    await use({
      folder: out,
      analysis,
      async write(threshold) {
        const written = toWrite(finishedRun(ledger, run, analysis, stages, threshold));
        await writeOutputs(out, written, OUTPUTS);
        return written.counted;
      },
      maps: () => writeMaps(join(out, "maps"), finishedRun(ledger, run, analysis, stages)),
    });
    await classifier.dispose();
  });
}

const listed = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("tables and matrices are written, the same again, and those of an earlier run are removed", async () => {
  await withRun({ methods: methodsOf("grad-cam", "cam") }, async ({ folder, write }) => {
    await new OwnedFolder(folder).write("matrices/old.dice.csv", "old");
    const { methods } = await write(0.3);
    const first = await matricesOf(folder);
    assert.deepEqual(Object.keys(first), [
      ...["count", "dice", "mean-importance", "phi"].map((measure) => `cam.${measure}.csv`),
      ...["count", "dice", "mean-importance", "phi"].map((measure) => `grad-cam.${measure}.csv`),
    ]);
    assert.deepEqual(await listed(folder), [
      ...[RECORD_FILE, "agreement.csv", "boxes.csv", "images.csv", "matrices", "predictions.csv"],
      "report.html",
    ]);
    assert.deepEqual(
      methods.map(({ method, boxes, undefinedBoxes }) => [method, boxes, undefinedBoxes]),
      [
        ["grad-cam", 6, 0],
        ["cam", 6, 0],
      ],
    );
    await write(0.3);
    assert.deepEqual(await matricesOf(folder), first);
    // Commas and quotes in a label are quoted.
    assert.match(first["cam.dice.csv"], /^"a, ""b""",/m);
  });
});

Deno.test("a box is salient over the threshold: at 1 none is, below 0 all are", async () => {
  await withRun({}, async ({ folder, write }) => {
    const salient = async (threshold: number) => {
      await write(threshold);
      const { mouth } = parseMatrix((await matricesOf(folder))["grad-cam.count.csv"]);
      return Object.values(mouth!).reduce((a, b) => a + b, 0);
    };
    assert.equal(await salient(1), 0);
    assert.equal(await salient(-1), 3);
  });
});

Deno.test("a run of one class has that class's column only", async () => {
  await withRun({ classes: 3 }, async ({ folder, write }) => {
    await write(0.3);
    for (const text of Object.values(await matricesOf(folder))) {
      assert.match(text, /^object,happy\n/);
    }
  });
});

Deno.test("maps have a file an image, named after its path without anything that a file system minds", async () => {
  const awkward: Record<string, string> = {
    "face000.png": "a/b.png",
    "face001.png": "a_b.png",
    "face002.png": "é 中/'x'.png",
  };
  await withRun({ classes: "all", methods: methodsOf("cam") }, async ({ folder, maps }) => {
    assert.equal(await maps(), 3);
    assert.deepEqual(await listed(join(folder, "maps", "cam")), [
      "a_b.png.npy",
      "a_b.png~2.npy",
      "é_中_x_.png.npy",
    ]);
    const { shape } = readNpy(await Deno.readFile(join(folder, "maps/cam/a_b.png.npy")));
    assert.deepEqual(shape, [1, 7, 8, 8]);
  }, (name) => awkward[name]);
});

Deno.test("a file is written whole or not at all", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "table.csv");
    await writeWhole(file, "old");
    await writeWhole(file, "new");
    await writeWhole(join(folder, "bytes"), Uint8Array.of(1, 2));
    assert.equal(await Deno.readTextFile(file), "new");
    await Deno.mkdir(join(folder, "taken"));
    await Deno.writeTextFile(join(folder, "taken", "x"), "");
    await assert.rejects(writeWhole(join(folder, "taken"), "text"));
    assert.deepEqual(await listed(folder), ["bytes", "table.csv", "taken"]);
  });
});
