import assert from "node:assert/strict";
import { join } from "node:path";
import { RECORD_FILE } from "../../../src/base/owned_folder.ts";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { sha256 } from "../../../src/base/json.ts";
import { importDarknet } from "../../../src/importers/darknet/import.ts";
import { readModel } from "../../../src/onnx/model_file.ts";
import { findCard } from "../../../src/runtime/card.ts";
import { importFiles, NETWORKS, withFolder } from "./files.ts";

const cfg = await Deno.readFile(new URL("odd.cfg", NETWORKS));
const weights = await Deno.readFile(new URL("odd.weights", NETWORKS));

async function namesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

Deno.test("an import leaves a card and an ONNX file that belong together", async () => {
  await withFolder(async (folder) => {
    const made = await importFiles(folder, {
      cfg,
      weights,
      names: "cat\r\ntraffic light \nÄpfel\n\n",
    });
    assert.deepEqual(made.notices, []);
    const { card } = await findCard(made.card);
    const bytes = await Deno.readFile(made.file);
    assert.deepEqual(
      [made.sha256, made.bytes, card.file, card.bytes],
      [sha256(bytes), bytes.length, "made.onnx", bytes.length],
    );
    assert.ok(card.task === "detector", card.task);
    assert.deepEqual(card.classes, ["cat", "traffic light", "Äpfel"]);
    const { name, width, height, channels, fit, resize, scale } = card.input!;
    assert.deepEqual(
      [name, width, height, channels, fit, resize, scale],
      ["input", 90, 70, "rgb", "letterbox", "pillow-bicubic", 1 / 255],
    );
    assert.deepEqual(card.decoder, {
      kind: "yolo",
      profile: "darknet",
      heads: [{ output: "yolo0", anchors: [[5, 8], [12, 9], [30, 22]] }],
    });
    const graph = readModel(bytes);
    assert.deepEqual(graph.outputs, [{ name: "yolo0", type: "float32", shape: ["N", 24, 5, 6] }]);
    // Both epsilons are still possible.
    assert.equal(graph.nodes.filter(({ op }) => op === "BatchNormalization").length, 4);
    assert.deepEqual(await namesIn(folder), [
      RECORD_FILE,
      "made.cfg",
      "made.json",
      "made.names",
      "made.onnx",
      "made.weights",
    ]);
  });
});

Deno.test("class names that occur twice are told", async () => {
  await withFolder(async (folder) => {
    const made = await importFiles(folder, { cfg, weights, names: "cat\ndog\ncat\n" });
    assert.deepEqual(made.notices, ['made.names: "cat" occurs twice: both classes have one label']);
  });
});

Deno.test("class names in windows-1252 and UTF-16 are read; what else they are is refused", async () => {
  const names = "cat\r\ntraffic light\r\n\u00c4pfel\r\n";
  const latin1 = Uint8Array.from(names, (letter) => letter.charCodeAt(0));
  const utf16 = new Uint8Array(new Uint16Array([0xfeff, ...latin1]).buffer);
  const inferred = /^made\.names: read as windows-1252, since it is not UTF-8 \("\u00c4pfel"\)$/;
  for (const [bytes, notice] of [[latin1, inferred], [utf16, /^$/]] as const) {
    await withFolder(async (folder) => {
      const made = await importFiles(folder, { cfg, weights, names: bytes });
      assert.match(made.notices.join(), notice);
      const { card } = await findCard(join(folder, "made.json"));
      assert.deepEqual(card.classes, ["cat", "traffic light", "\u00c4pfel"]);
    });
  }
  // "коты" in windows-1251.
  const russian = new Uint8Array([0xea, 0xee, 0xf2, 0xfb, 0x0a, 0x62, 0x0a, 0x63, 0x0a]);
  await withFolder(async (folder) => {
    await assert.rejects(
      importFiles(folder, { cfg, weights, names: russian }),
      /Cannot read names .*made\.names: its encoding cannot be told/,
    );
  });
});

Deno.test("the same files give the same bytes, over an earlier import", async () => {
  await withFolder(async (folder) => {
    const first = await importFiles(folder, { cfg, weights });
    const second = await importFiles(folder, { cfg, weights });
    assert.equal(first.sha256, second.sha256);
    assert.match(first.notices.join(), /^made\.cfg names no classes: they are numbered/);
    assert.deepEqual((await findCard(second.card)).card.classes, ["0", "1", "2"]);
  });
});

Deno.test("a byte order mark and CR are passed over", async () => {
  await withFolder(async (folder) => {
    const text = new TextDecoder().decode(cfg).replaceAll("\n", "\r\n");
    const plain = await importFiles(folder, { cfg, weights });
    const marked = await importFiles(folder, { cfg: `\ufeff${text}`, weights });
    assert.equal(plain.sha256, marked.sha256);
  });
});

Deno.test("nothing is written when anything is wrong", async () => {
  const cases: [Parameters<typeof importFiles>[1], RegExp][] = [
    [{ cfg, weights: weights.subarray(1) }, /weights/],
    [{ cfg: "[net]", weights }, /width is missing/],
    [{ cfg: weights, weights: cfg }, /is not text \(a zero byte at 0\); give a Darknet \.cfg file/],
    [{ cfg, weights, names: "a\nb\n" }, /has 2 names, the cfg 3 classes/],
    [{ cfg, weights, names: "a\n\nb" }, /line 2 is empty/],
    [{ cfg, weights, names: "" }, /line 1 is empty/],
  ];
  for (const [files, message] of cases) {
    await withFolder(async (folder) => {
      await assert.rejects(importFiles(folder, files), (error: Error) => {
        assert(error instanceof ModelError || error instanceof UsageError, `${error.stack}`);
        assert.match(error.message, message);
        return true;
      });
      assert.deepEqual((await namesIn(folder)).filter((name) => /json|onnx|tmp/.test(name)), []);
    });
  }
});

Deno.test("names that cannot be, ship already or belong to another file are refused", async () => {
  await withFolder(async (folder) => {
    await importFiles(folder, { cfg, weights });
    const options = {
      cfg: join(folder, "made.cfg"),
      weights: join(folder, "made.weights"),
      folder,
    };
    await Deno.writeTextFile(join(folder, "deno.json"), "{}");
    for (
      const [name, message] of [
        ["../up", /Cannot name a model "\.\.\/up"; use/],
        ["", /Cannot name a model ""/],
        ["mini-xception", /ships with emocam/],
        ["deno", /exists and is not a model card/],
      ] as const
    ) {
      await assert.rejects(importDarknet({ ...options, name }), (error: Error) => {
        assert(error instanceof UsageError, `${error.stack}`);
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(await Deno.readTextFile(join(folder, "deno.json")), "{}");
    const made = await importDarknet({
      ...options,
      name: "my-net.v2",
      licence: "MIT",
      citation: "me",
    });
    const { card } = await findCard(made.card);
    assert.deepEqual([card.name, card.licence, card.citation], ["my-net.v2", "MIT", "me"]);
  });
});

Deno.test("a cfg that is a pipe, a folder or far too long is refused at once", async () => {
  await withFolder(async (folder) => {
    const long = join(folder, "long.cfg");
    await Deno.writeFile(long, new Uint8Array(5 * 2 ** 20).fill(35));
    const pipe = join(folder, "pipe.cfg");
    const { success } = Deno.build.os === "windows"
      ? { success: false }
      : await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const paths = [folder, long, join(folder, "none.cfg"), ...success ? [pipe] : []];
    for (const path of paths) {
      await assert.rejects(
        importDarknet({ cfg: path, weights: long, folder, name: "made" }),
        (error: Error) =>
          error instanceof UsageError &&
          /^Cannot read cfg [^\n]+; give a Darknet \.cfg file$/.test(error.message),
      );
    }
  });
});
