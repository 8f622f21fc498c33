import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { RECORD_FILE } from "../../../src/base/owned_folder.ts";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { findClassifier } from "../../../src/classifier/source.ts";
import { importEmonet } from "../../../src/importers/emonet/import.ts";
import { openClassifier } from "../../../src/classifier/open.ts";
import { floats } from "../../../src/base/tensor.ts";
import { GOLDEN } from "./cases.ts";
import { tinyInput } from "./generator.ts";
import { assertClose } from "../../assert_close.ts";

const TINY = fileURLToPath(new URL("tiny/", GOLDEN));
const PTH = fileURLToPath(new URL("tiny.pth", GOLDEN));
const REFERENCE = JSON.parse(Deno.readTextFileSync(new URL("tiny.json", GOLDEN)));

/** A mean image whose values tell their place: 10 y + x / 10, and 1000 more in each plane. */
const meanAt = (c: number, y: number, x: number) => Math.fround(1000 * c + 10 * y + x / 10);

/** Runs with an empty folder and a mean image. */
async function withFolder(use: (folder: string, mean: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const mean = join(folder, "some_mean.txt");
    const side = Array.from({ length: 227 }, (_, i) => i);
    const rows = side.map((y) =>
      [0, 1, 2].flatMap((c) => side.map((x) => 1000 * c + 10 * y + x / 10)).join(",")
    );
    await Deno.writeTextFile(mean, rows.join("\n") + "\n");
    await use(folder, mean);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(folder)) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names.sort();
}

Deno.test("EmoNet from a .pth and from its MATLAB export is one and the same file", async () => {
  await withFolder(async (folder, mean) => {
    const target = join(folder, "models");
    const one = await importEmonet(PTH, { mean, folder: target });
    const two = await importEmonet(TINY, { mean, folder: target, name: "from-matlab" });
    assert.equal(one.sha256, two.sha256);
    assert.deepEqual(await Deno.readFile(one.file), await Deno.readFile(two.file));
    assert.equal(one.card, join(target, "emonet.json"));
    assert.deepEqual(await namesIn(target), [
      RECORD_FILE,
      "emonet.json",
      "emonet.mean.npy",
      "emonet.onnx",
      "from-matlab.json",
      "from-matlab.mean.npy",
      "from-matlab.onnx",
    ]);
  });
});

Deno.test("an imported EmoNet is found by its card, cut at conv5 and gives the published scores", async () => {
  await withFolder(async (folder, mean) => {
    const { card } = await importEmonet(PTH, { mean, folder });
    const source = await findClassifier(card);
    const expected = new Float32Array(3 * 227 * 227);
    let i = 0;
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < 227; y++) for (let x = 0; x < 227; x++) expected[i++] = meanAt(c, y, x);
    }
    assert.deepEqual(source.meanImage, expected);
    const classifier = await openClassifier(source, { backend: "native", batch: 1 });
    try {
      const { name, channels, height, width } = classifier.layer;
      assert.deepEqual([name, channels, height, width], ["conv5", 6, 13, 13]);
      assert.equal(classifier.classes[19], "Surprise");
      const forward = await classifier.forward(floats([1, 3, 227, 227], tinyInput()));
      assertClose(forward.logits!.data, REFERENCE.forward.logits, 5e-5);
      forward.dispose();
    } finally {
      await classifier.dispose();
    }
  });
});

Deno.test("the mean image is taken from beside the weights, and missed if there is none", async () => {
  await withFolder(async (folder, mean) => {
    const pth = join(folder, "a.pth");
    await Deno.copyFile(PTH, pth);
    const target = join(folder, "models");
    await assert.rejects(importEmonet(pth, { folder: target }), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /img_mean\.txt; name it with --mean/);
      return true;
    });
    assert.deepEqual(await namesIn(target), []);
    await Deno.rename(mean, join(folder, "img_mean.txt"));
    await importEmonet(pth, { folder: target });
    assert.deepEqual(await namesIn(target), [
      ...[RECORD_FILE, "emonet.json", "emonet.mean.npy", "emonet.onnx"],
    ]);
  });
});

Deno.test("what is not an EmoNet is refused, and nothing is written", async () => {
  await withFolder(async (folder, mean) => {
    const target = join(folder, "models");
    const text = join(folder, "text.pth");
    await Deno.writeTextFile(text, "<!DOCTYPE html>\n");
    for (
      const [source, options, kind] of [
        [join(folder, "absent.pth"), { mean }, UsageError],
        [folder, { mean }, UsageError],
        [text, { mean }, ModelError],
        [PTH, { mean: text }, ModelError],
        [PTH, { mean: join(folder, "absent.txt") }, UsageError],
        [PTH, { mean, name: "../x" }, ModelError],
      ] as const
    ) {
      await assert.rejects(importEmonet(source, { ...options, folder: target }), (error) => {
        assert.ok(error instanceof kind, String(error));
        assert.match(error.message, /^Cannot [^\n]+$/);
        return true;
      });
    }
    assert.deepEqual(await namesIn(target), []);
  });
});
