import assert from "node:assert/strict";
import { join } from "node:path";
import { RECORD_FILE } from "../../../src/base/owned_folder.ts";
import { fileURLToPath } from "node:url";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { createRng } from "../../../src/base/rng.ts";
import { writeNpy } from "../../../src/base/npy.ts";
import { openClassifier } from "../../../src/classifier/open.ts";
import { findClassifier } from "../../../src/classifier/source.ts";
import { importOnnx } from "../../../src/importers/onnx/import.ts";
import { copyGraph, type Graph } from "../../../src/onnx/graph.ts";
import { readModel, writeModel } from "../../../src/onnx/model_file.ts";
import { findCard } from "../../../src/runtime/card.ts";
import { noise, runNative } from "../../onnx/native.ts";
import { withFolder } from "../darknet/files.ts";

const MOBILE = fileURLToPath(new URL("../../golden/onnx/mobile.onnx", import.meta.url));
const CLASSES = Array.from({ length: 20 }, (_, k) => `emotion ${k}`);
/** What a user would write about it. */
const CARD = {
  task: "classifier",
  input: { name: "x", width: 72, height: 56, channels: "rgb", scale: 0.5 },
  classes: CLASSES,
  targetLayer: "last_act",
};

const model = readModel(await Deno.readFile(MOBILE));
const input = model.inputs[0].name;

/** Imports changed bytes with a card, in a separate folder. */
function imported(
  run: (made: Awaited<ReturnType<typeof importOnnx>>, folder: string) => Promise<void>,
  { graph = model, card }: { graph?: Graph; card?: Record<string, unknown> } = {},
) {
  return withFolder(async (folder) => {
    const [file, path] = [join(folder, "My Net.onnx"), join(folder, "about.json")];
    await Deno.writeFile(file, writeModel(graph));
    if (card) await Deno.writeTextFile(path, JSON.stringify(card));
    await run(await importOnnx(file, { folder, ...card ? { card: path } : {} }), folder);
  });
}

function refused(
  options: { graph?: Graph; card?: Record<string, unknown> },
  message: RegExp,
): Promise<void> {
  return assert.rejects(imported(() => Promise.resolve(), options), (error: Error) => {
    assert(error instanceof ModelError || error instanceof UsageError, `${error.stack}`);
    assert.match(error.message, message);
    assert.match(error.message, /^Cannot [^\n]+$/);
    return true;
  });
}

const withInput = (more: Record<string, unknown>) => ({
  ...CARD,
  input: { ...CARD.input, name: input, ...more },
});

Deno.test("a bare classifier gets a card: numbered classes, the target layer written down, half-pixel placement", async () => {
  await withFolder(async (folder) => {
    const made = await importOnnx(MOBILE, { folder });
    assert.deepEqual(await Deno.readFile(made.file), await Deno.readFile(MOBILE));
    const { card } = await findCard(made.card);
    assert.ok(card.task === "classifier", card.task);
    assert.deepEqual(
      [
        card.name,
        card.file,
        card.classes.length,
        card.classes[19],
        card.targetLayer,
        card.placement,
      ],
      ["mobile", "mobile.onnx", 20, "19", "last_act", "half-pixel"],
    );
    assert.deepEqual([card.input.width, card.input.height, card.input.scale], [72, 56, 1 / 255]);
    assert.equal(made.notices.length, 1);
    const source = await findClassifier(made.card);
    const classifier = await openClassifier(source, { backend: "native", batch: 1 });
    assert.equal(classifier.layer.name, "last_act");
    await classifier.dispose();
  });
});

Deno.test("a card that is given is kept, with what follows from the file filled in, and its mean image copied", async () => {
  await withFolder(async (folder) => {
    const file = join(folder, "My Net.onnx"), path = join(folder, "about.json");
    await Deno.copyFile(MOBILE, file);
    const mean = writeNpy(noise([3, 56, 72], 5));
    await Deno.writeFile(join(folder, "mean image.npy"), mean);
    const card = {
      ...withInput({ meanImage: "mean image.npy" }),
      licence: "MIT",
      file: "else.onnx",
    };
    await Deno.writeTextFile(path, JSON.stringify(card));
    const into = join(folder, "models");
    const made = await importOnnx(file, { folder: into, card: path });
    assert.deepEqual(made.notices, []);
    const names = await Array.fromAsync(Deno.readDir(into), ({ name }) => name);
    assert.deepEqual(names.sort(), [
      ...[RECORD_FILE, "my-net.json", "my-net.mean.npy", "my-net.onnx"],
    ]);
    assert.deepEqual(await Deno.readFile(join(into, "my-net.mean.npy")), mean);
    const source = await findClassifier(made.card);
    assert.deepEqual(
      [
        source.card.name,
        source.card.file,
        source.card.licence,
        source.card.source,
        source.card.sha256,
      ],
      ["my-net", "my-net.onnx", "MIT", "My Net.onnx", made.sha256],
    );
    assert.deepEqual(source.card.classes, CLASSES);
    assert.deepEqual(source.meanImage, noise([3, 56, 72], 5).data);
    const named = await importOnnx(file, { folder: into, card: path, name: "other" });
    assert.equal((await findCard(named.card)).card.name, "other");
  });
});

Deno.test("what does not fit the card is refused", async () => {
  const card = withInput({});
  await imported(() => Promise.resolve(), { card });
  await refused(
    { card: withInput({ name: "pixels" }) },
    /its input is called .*, its card says pixels/,
  );
  await refused({ card: withInput({ width: 71 }) }, /its card says \[N, 3, 56, 71\]/);
  await refused({ card: { ...card, classes: ["a", "b"] } }, /20 classes, its card names 2/);
  await refused({ card: { ...card, targetLayer: "conv9" } }, /Cannot use target layer "conv9"/);
  await refused({ card: { ...card, output: { name: "scores" } } }, /"scores"/);
  await refused({ card: { ...card, sha256: "0".repeat(64) } }, /it says sha256 0000/);
  await refused({ card: { ...card, task: "painter" } }, /about\.json: task/);
  await refused({ card: { ...card, name: "Big Name" } }, /Cannot name a model "Big Name"/);
  await refused({ card: withInput({ meanImage: "none.npy" }) }, /Cannot read mean image/);
  const detector = {
    task: "detector",
    classes: ["cup"],
    input: card.input,
    decoder: { kind: "yolo", heads: [{ output: "yolo0", anchors: [[1, 2]] }] },
  };
  await refused({ card: detector }, /its card names the output yolo0; the model has/);
  await imported(() => Promise.resolve(), {
    card: { ...detector, decoder: { kind: "yolo", heads: [{ output: model.outputs[0].name }] } },
  });
});

Deno.test("operator sets 9 to 21 are taken, others not", async () => {
  for (const opset of [9, 21]) {
    await imported(() => Promise.resolve(), { graph: { ...model, opset } });
  }
  for (const opset of [7, 8, 22]) {
    await refused({ graph: { ...model, opset } }, new RegExp(`operator set ${opset}, not 9 to 21`));
  }
});

Deno.test("a broken graph, and one whose scores cannot be told, are refused", async () => {
  const unmade = copyGraph(model);
  unmade.nodes.splice(3, 1);
  await refused({ graph: unmade }, /which nothing makes/);
  const headless = copyGraph(model);
  headless.outputs = [{ name: "last_act", type: "float32" }];
  await refused({ graph: headless }, /Cannot tell which output holds the scores/);
  const open = copyGraph(model);
  open.inputs[0].shape = ["N", 3, "H", "W"];
  await refused({ graph: open }, /write a card that states width and height/);
});

Deno.test("an operator without a backward rule is not an obstacle, but said", async () => {
  const graph = copyGraph(model);
  const gemm = graph.nodes.findIndex(({ inputs }) => inputs.includes("last_act"));
  const reader = graph.nodes[gemm];
  reader.inputs = reader.inputs.map((name) => name === "last_act" ? "hardened" : name);
  graph.nodes.splice(gemm, 0, {
    name: "odd",
    op: "Hardmax",
    domain: "",
    inputs: ["last_act"],
    outputs: ["hardened"],
    attributes: {},
  });
  await runNative(graph, { [input]: noise([1, 3, 56, 72]) });
  const notices: string[] = [];
  await imported((made) => Promise.resolve(void notices.push(...made.notices)), {
    graph,
    card: withInput({}),
  });
  assert.match(notices.join("\n"), /operator Hardmax \(node odd\)/);
});

Deno.test("bytes that are not an ONNX file are refused, and nothing is written", async () => {
  await withFolder(async (folder) => {
    const bytes = await Deno.readFile(MOBILE);
    const file = join(folder, "cut.onnx");
    for (const part of [new Uint8Array(), bytes.subarray(0, 5000), bytes.subarray(100)]) {
      await Deno.writeFile(file, part);
      await assert.rejects(importOnnx(file, { folder }), ModelError);
    }
    await assert.rejects(importOnnx(join(folder, "none.onnx"), { folder }), UsageError);
    await assert.rejects(importOnnx(folder, { folder }), UsageError);
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(names, ["cut.onnx"]);
  });
});

Deno.test("300 damaged files give a model or one line that says why not", async () => {
  const sources = await Promise.all(
    ["mobile", "mobile_dynamo"].map((name) =>
      Deno.readFile(new URL(`../../golden/onnx/${name}.onnx`, import.meta.url))
    ),
  );
  const seen = { made: 0, refused: 0 };
  await withFolder(async (folder) => {
    const file = join(folder, "damaged.onnx");
    for (let seed = 0; seed < 300; seed++) {
      const rng = createRng(seed);
      const source = sources[seed % sources.length];
      const bytes = source.slice(
        0,
        seed % 10 ? source.length : Math.floor(rng.uniform() * source.length),
      );
      for (let i = 0; i <= seed % 6; i++) {
        // The graph's structure lies mostly at the beginning; weights fill the rest.
        const reach = rng.uniform() < 0.6 ? 6000 : bytes.length;
        bytes[Math.floor(rng.uniform() * reach)] ^= 1 << Math.floor(rng.uniform() * 8);
      }
      await Deno.writeFile(file, bytes);
      try {
        await importOnnx(file, { folder });
        seen.made++;
      } catch (error) {
        assert(
          error instanceof ModelError || error instanceof UsageError,
          `${seed}: ${(error as Error).stack}`,
        );
        assert.match(error.message, /^Cannot [^\n]+$/, `seed ${seed}`);
        seen.refused++;
      }
    }
  });
  assert(seen.made > 20, JSON.stringify(seen));
  assert(seen.refused > 100, JSON.stringify(seen));
});
