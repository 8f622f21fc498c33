/** The worked examples in docs/develop.md: each is type-checked at the place that it names, and does what it says. */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { DecoderKind } from "../../src/detectors/detector.ts";
import type { Method } from "../../src/methods/method.ts";
import { parseCard } from "../../src/runtime/card.ts";
import { madeLayer, rawMapsOf } from "../methods/made_layer.ts";
import { blocksOf, ROOT } from "./documents.ts";
import { assertIncludes } from "../assert_that.ts";

/** Examples by the path in their first line. */
const EXAMPLES = new Map(
  blocksOf(await Deno.readTextFile(join(ROOT, "docs", "develop.md")))
    .flatMap(({ language, text }) => {
      const path = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1];
      return language === "ts" && path ? [[path, text] as const] : [];
    }),
);

const METHOD = "src/methods/max_grad_cam.ts";
const RULE = "src/rules/gradient/trigonometric.ts";
const RULE_TEST = "tests/rules/gradient/trigonometric_test.ts";
const DETECTOR = "src/detectors/grid.ts";

/** Where the copy of an example goes: a name without folders. */
const copyOf = (path: string) => path.replaceAll("/", "_");

/** An example with its relative imports leading where they would from the place that it names. */
function placed(path: string): string {
  const text = EXAMPLES.get(path);
  if (text === undefined) throw new Error(`docs/develop.md shows no ${path}`);
  const folder = `${pathToFileURL(join(ROOT, dirname(path)))}/`;
  return text.replaceAll(
    /from "(\.{1,2}\/[^"]+)"/g,
    (_, target) => `from "${new URL(target, folder)}"`,
  );
}

/** Runs with all examples as files in a folder. */
async function withExamples(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-examples-" });
  try {
    for (const path of EXAMPLES.keys()) {
      await Deno.writeTextFile(join(folder, copyOf(path)), placed(path));
    }
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs Deno with the project's configuration. @throws with what it printed when it fails */
async function deno(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [command, "--quiet", "--config", join(ROOT, "deno.json"), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  assert.ok(success, `deno ${command} ${args.join(" ")}:\n${printed}`);
  return printed;
}

Deno.test("docs/develop.md shows how to add a method, a rule and a detector", () => {
  const found = [...EXAMPLES.keys()];
  for (const path of [METHOD, RULE, RULE_TEST, DETECTOR]) assertIncludes(found, path);
  for (const [path, text] of EXAMPLES) {
    assert.ok(text.split("\n").length <= 50, `${path} has ${text.split("\n").length} lines`);
  }
});

Deno.test("the examples have the types that their places ask for", () =>
  withExamples(async (folder) => {
    await deno("check", ...[...EXAMPLES.keys()].map((path) => join(folder, copyOf(path))));
  }));

Deno.test("the example of a method takes each channel's largest gradient", () =>
  withExamples(async (folder) => {
    const file = pathToFileURL(join(folder, copyOf(METHOD)));
    const { maxGradCam } = await import(file.href) as { maxGradCam: Method };
    // Weights 8 and 1.
    const layer = madeLayer([[[1, 3]], [[2, 2]]], [[[4, 8]], [[1, -3]]]);
    assert.deepEqual(await rawMapsOf(maxGradCam, layer), [[8 + 2, 24 + 2]]);
  }));

Deno.test("the example of a rule passes the test that is shown for it", () =>
  withExamples(async (folder) => {
    const table = new URL("../../src/rules/gradient/mod.ts", import.meta.url);
    const listed = [
      `import { GRADIENT_RULES } from "${table}";`,
      `import { tan } from "./${copyOf(RULE)}";`,
      `Object.assign(GRADIENT_RULES, { Tan: tan });`,
      `await import("./${copyOf(RULE_TEST)}");`,
    ];
    const file = join(folder, "listed_test.ts");
    await Deno.writeTextFile(file, listed.join("\n"));
    assert.match(await deno("test", "--no-check", "-A", file), /ok \| [1-9]\d* passed/);
  }));

Deno.test("the example of a detector divides a picture into the grid that its card asks for", () =>
  withExamples(async (folder) => {
    const { grid } = await import(pathToFileURL(join(folder, copyOf(DETECTOR))).href) as {
      grid: DecoderKind;
    };
    const develop = await Deno.readTextFile(join(ROOT, "docs", "develop.md"));
    const shown = blocksOf(develop).find(({ language }) => language === "json")!.text;
    const card = parseCard(shown, "docs/develop.md");
    assert.ok(card.task === "detector", card.task);
    const detector = await grid.open({ card, folder }, "native", {});
    const picture = { width: 90, height: 60, data: new Uint8Array(90 * 60 * 3) };
    const { boxes } = await detector.detect(picture, "picture.png");
    assert.equal(boxes.length, 9);
    assert.deepEqual(boxes[5], {
      ...{ label: "row 2, column 3", confidence: 1 },
      ...{ x0: 60, y0: 20, x1: 90, y1: 40 },
    });
    await detector.dispose();
    const wrong = { ...card, decoder: { kind: "grid", rows: 0, columns: 3 } };
    assert.throws(() => grid.open({ card: wrong, folder }, "native", {}), /decoder\.rows/);
  }));
