import assert from "node:assert/strict";
import { join } from "node:path";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { sha256 } from "../../src/base/json.ts";
import { writeImported } from "../../src/importers/imported.ts";
import { findCard } from "../../src/runtime/card.ts";

const CARD = {
  task: "classifier",
  input: { name: "input", width: 4, height: 4, channels: "rgb" },
  classes: ["a", "b"],
  source: "here",
  licence: "none",
};

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return names.sort();
}

Deno.test("a model is written with its card and further files, whole or in parts", async () => {
  await withFolder(async (folder) => {
    const onnx = Uint8Array.of(1, 2, 3, 4, 5);
    const extra = [{ name: "net.mean.npy", bytes: Uint8Array.of(9) }];
    const parts = { folder: join(folder, "a", "b"), card: CARD, extra, notices: ["a notice"] };
    const whole = await writeImported({ ...parts, name: "net", onnx });
    assert.equal(whole.sha256, sha256(onnx));
    assert.equal(whole.bytes, 5);
    assert.deepEqual(whole.notices, ["a notice"]);
    assert.deepEqual(await namesIn(parts.folder), [
      ...[RECORD_FILE, "net.json", "net.mean.npy", "net.onnx"],
    ]);
    const { card } = await findCard(whole.card);
    assert.equal(card.task === "classifier" && card.file, "net.onnx");
    const pieces = [onnx.subarray(0, 2), onnx.subarray(2, 2), onnx.subarray(2)];
    const again = await writeImported({ ...parts, name: "other", onnx: pieces });
    assert.equal(again.sha256, whole.sha256);
    assert.deepEqual(await Deno.readFile(again.file), onnx);
  });
});

Deno.test("nothing is written where the card would be none", async () => {
  await withFolder(async (folder) => {
    const onnx = Uint8Array.of(1);
    for (const [name, card] of [["../x", CARD], ["net", { ...CARD, classes: [] }]] as const) {
      await assert.rejects(writeImported({ folder, name, card, onnx }), ModelError);
    }
    assert.deepEqual(await namesIn(folder), []);
  });
});

Deno.test("a write that fails leaves no card and no temporary file", async () => {
  await withFolder(async (folder) => {
    // A folder is where the ONNX file belongs.
    await Deno.mkdir(join(folder, "net.onnx"));
    const parts = { folder, name: "net", card: CARD, onnx: Uint8Array.of(1) };
    await assert.rejects(writeImported(parts), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /^Cannot write model net into [^\n]+$/);
      return true;
    });
    assert.deepEqual(await namesIn(folder), ["net.onnx"]);
  });
});
