import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import { writeNpy } from "../../src/base/npy.ts";
import { floats } from "../../src/base/tensor.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import type { Shape } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { netOn, noise, output } from "../onnx/native.ts";
import { assertExcludes } from "../assert_that.ts";

const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));

/** Writes a model: input of the shape given → global pooling → logits of as many classes as channels. */
async function writeNet(path: string, shape: Shape): Promise<void> {
  const b = netOn(shape);
  await Deno.writeFile(
    path,
    writeModel(output(b, b.op("Flatten", [b.op("GlobalAveragePool", ["x"])]))),
  );
}

Deno.test("a shipped classifier comes with its card and bytes", async () => {
  const { card, bytes, notices } = await findClassifier("mini-xception");
  assert.equal(card.classes.length, 7);
  assert.deepEqual(bytes, await Deno.readFile(join(MODELS, "mini-xception.onnx")));
  assert.deepEqual(notices, []);
});

Deno.test("a bare ONNX file gets numbered classes, its own sizes and a remark on what was assumed", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "My Net (v2).onnx");
    await writeNet(path, ["N", 3, 10, 12]);
    const { card, notices } = await findClassifier(path);
    assert.equal(card.name, "my-net-v2-");
    assert.deepEqual(card.classes, ["0", "1", "2"]);
    assert.deepEqual(
      [card.input.name, card.input.width, card.input.height, card.input.channels, card.placement],
      ["x", 12, 10, "rgb", "half-pixel"],
    );
    assert.equal(notices.length, 1);
    assert.match(notices[0], /has no card: classes are numbered, .* resized to 12×10/);
    await writeNet(path, ["N", 1, 10, 12]);
    assert.equal((await findClassifier(path)).card.input.channels, "grey");
  });
});

Deno.test("extents that a bare model leaves open are those of the inputs, or must be in a card", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "net.onnx");
    await writeNet(path, ["N", 3, "H", "W"]);
    const { card } = await findClassifier(path, [3, 20, 30]);
    assert.deepEqual([card.input.width, card.input.height], [30, 20]);
    await assert.rejects(
      findClassifier(path),
      /without a model card: its input has shape \[N,3,H,W\]/,
    );
  });
});

Deno.test("what is not a classifier of pictures is refused", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "net.onnx");
    const refused = async (pattern: RegExp, kind: typeof ModelError | typeof UsageError) =>
      await assert.rejects(findClassifier(path), (error: unknown) => {
        assert.ok(error instanceof kind, String(error));
        assert.match(error.message, pattern);
        assertExcludes(error.message, "\n");
        return true;
      });
    await refused(/Cannot read classifier .*net\.onnx/, UsageError);
    await writeNet(path, ["N", 5, 10, 12]);
    await refused(/its input has 5 channels, not 1 or 3/, ModelError);
    const flat = netOn(["N", 12]);
    await Deno.writeFile(path, writeModel(output(flat, flat.op("Relu", ["x"]))));
    await refused(/./, ModelError);
    const two = netOn(["N", 3, 4, 4]);
    two.graph.inputs.push({ name: "y", type: "float32", shape: ["N", 3, 4, 4] });
    two.known.set("y", { type: "float32", shape: ["N", 3, 4, 4] });
    const sum = two.op("Add", ["x", "y"]);
    await Deno.writeFile(
      path,
      writeModel(output(two, two.op("Flatten", [two.op("GlobalAveragePool", [sum])]))),
    );
    await refused(/it has 2 inputs \(x, y\), not one/, ModelError);
  });
});

Deno.test("a card's mean image is read from beside it, and refused if it has another shape", async () => {
  await withFolder(async (folder) => {
    const card = JSON.parse(await Deno.readTextFile(join(MODELS, "mini-xception.json")));
    await Deno.copyFile(join(MODELS, "mini-xception.onnx"), join(folder, "mini-xception.onnx"));
    const path = join(folder, "own.json");
    card.input.meanImage = "mean.npy";
    await Deno.writeTextFile(path, JSON.stringify(card));
    await assert.rejects(findClassifier(path), /Cannot use the mean image mean\.npy/);
    const mean = noise([1, 64, 64], 3);
    await Deno.writeFile(join(folder, "mean.npy"), writeNpy(mean));
    assert.deepEqual((await findClassifier(path)).meanImage, mean.data);
    await Deno.writeFile(join(folder, "mean.npy"), writeNpy(floats([64, 64], mean.data)));
    await assert.rejects(
      findClassifier(path),
      /float32 of shape \[64,64\], not float32 of \[1,64,64\]/,
    );
  });
});
