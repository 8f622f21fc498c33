import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withFolder } from "../importers/darknet/files.ts";
import { emocam } from "./cli.ts";
import { assertAtMost, assertIncludes } from "../assert_that.ts";

const golden = (path: string) => fileURLToPath(new URL(`../golden/${path}`, import.meta.url));
const CFG = golden("darknet/odd.cfg"), WEIGHTS = golden("darknet/odd.weights");

/** Runs with another user's model folder, which goes afterwards. */
function withModels(run: (models: string, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const before = Deno.env.get("EMOCAM_MODELS");
    const models = join(folder, "models");
    Deno.env.set("EMOCAM_MODELS", models);
    try {
      await run(models, folder);
    } finally {
      if (before === undefined) Deno.env.delete("EMOCAM_MODELS");
      else Deno.env.set("EMOCAM_MODELS", before);
    }
  });
}

Deno.test("models import darknet writes into the user's folder, says how to use the model, and models list shows it", async () => {
  await withModels(async (models, folder) => {
    const names = join(folder, "odd.names");
    await Deno.writeTextFile(names, "cup\ntree\nface\n");
    const made = await emocam(
      "models",
      "import",
      "darknet",
      "--cfg",
      CFG,
      "--weights",
      WEIGHTS,
      "--names",
      names,
      "--name",
      "objects",
    );
    assert.equal(made.status, 0, made.err);
    assert.equal(made.err, "");
    assert.match(made.out, /^model +objects \(detector\)$/m);
    assert.match(made.out, /^classes +3: cup, tree, face$/m);
    assert.match(made.out, /^use +--detector objects$/m);
    const bytes = (await Deno.stat(join(models, "objects.onnx"))).size;
    assertIncludes(made.out, `${join(models, "objects.onnx")}, ${bytes} bytes`);
    assert.match(made.out, /^sha256 +[0-9a-f]{64}$/m);
    const list = await emocam("models", "list");
    assert.match(list.out, /^objects +detector +3 +user folder +present +not stated$/m);
    await Deno.remove(join(models, "objects.onnx"));
    const rows = JSON.parse((await emocam("models", "list", "--json")).out) as { name: string }[];
    const row = rows.find(({ name }) => name === "objects");
    assert.deepEqual(row, {
      name: "objects",
      task: "detector",
      classes: 3,
      licence: "not stated",
      where: "user folder",
      present: false,
      source: "Darknet: odd.cfg, odd.weights",
    });
  });
});

Deno.test("models import onnx takes a bare classifier into a folder, and inspect reads it by its card", async () => {
  await withModels(async (_models, folder) => {
    const into = join(folder, "here");
    const made = await emocam(
      "models",
      "import",
      "onnx",
      golden("onnx/mobile.onnx"),
      "--into",
      into,
    );
    assert.equal(made.status, 0, made.err);
    assert.match(made.err, /^note: no card was given: classes are numbered/);
    assert.match(made.out, /^classes +20: 0, 1, 2, 3, 4, 5, 6, 7, …$/m);
    assert.match(made.out, /^layer +last_act$/m);
    const card = join(into, "mobile.json");
    assertIncludes(made.out, `--classifier ${card}`);
    assert.equal((await emocam("models", "inspect", card)).status, 0);
  });
});

Deno.test("an import that cannot be is one line and status 2", async () => {
  await withModels(async (models, folder) => {
    const none = join(folder, "none");
    const cases: [string[], RegExp][] = [
      [["darknet", "--cfg", CFG, "--weights", none], /^Cannot read weights .*none/],
      [["darknet", "--cfg", none, "--weights", WEIGHTS], /^Cannot read cfg .*none/],
      [["darknet", "--cfg", CFG, "--weights", CFG], /^Cannot use weights odd\.cfg/],
      [
        ["darknet", "--cfg", golden("darknet/tiny.cfg"), "--weights", WEIGHTS],
        /it ends in layer 6 /,
      ],
      [["darknet", "--cfg", CFG, "--weights", WEIGHTS, "--name", "Ä"], /^Cannot name a model/],
      [["darknet", "--cfg", CFG, "--weights", WEIGHTS, "--into", ""], /the name is empty/],
      [["darknet", "--cfg", CFG], /required option '--weights <file>' not specified/],
      [["onnx", WEIGHTS], /^Cannot read the ONNX model/],
      [["onnx", none], /^Cannot read model .*none/],
      [["emonet", none], /^Cannot .*none/],
      [["emonet", golden("onnx/mobile.onnx"), "--name", "../x"], /^Cannot name a model/],
      [["keras", none], /unknown command|too many arguments/],
    ];
    for (const [args, message] of cases) {
      const { status, out, err } = await emocam("models", "import", ...args);
      assert.deepEqual([status, out], [2, ""], args.join(" "));
      assert.match(err, message);
      assertAtMost(err.split("\n").filter((line) => line.startsWith("Cannot")).length, 1, err);
    }
    await assert.rejects(Deno.stat(join(models, "odd.json")), Deno.errors.NotFound);
  });
});

Deno.test("without a home folder the user is asked for one", async () => {
  const kept = ["EMOCAM_MODELS", "HOME", "XDG_DATA_HOME", "LOCALAPPDATA"]
    .map((name) => [name, Deno.env.get(name)] as const);
  for (const [name] of kept) Deno.env.delete(name);
  try {
    const { status, err } = await emocam(
      "models",
      "import",
      "darknet",
      "--cfg",
      CFG,
      "--weights",
      WEIGHTS,
    );
    assert.equal(status, 2);
    assert.match(err, /^Cannot find your model folder: .*--into, or set EMOCAM_MODELS$/m);
  } finally {
    for (const [name, value] of kept) if (value !== undefined) Deno.env.set(name, value);
  }
});
