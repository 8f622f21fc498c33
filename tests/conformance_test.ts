/** Every addable thing has its file, its line in the list, and its test; names on the command line follow the file's. */

import assert from "node:assert/strict";
import { flag } from "../src/base/flag.ts";
import { AXIOMS } from "../src/experiments/axioms/mod.ts";
import { FAMILIES, METHODS } from "../src/methods/mod.ts";
import { OPTIONS } from "../src/run/options/mod.ts";
import { MEASURES } from "../src/statistics/measures/mod.ts";
import { readDocuments } from "./docs/documents.ts";
import { assertIncludes, assertMore } from "./assert_that.ts";

const root = new URL("../", import.meta.url);

/** Stems of the files of a folder that hold one thing each: no lists, no helpers, no types. */
async function stems(folder: string, others: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isFile } of Deno.readDir(new URL(folder, root))) {
    const stem = name.replace(/\.ts$/, "");
    if (
      isFile && name.endsWith(".ts") && stem !== "mod" && !stem.startsWith("_") &&
      !others.includes(stem)
    ) {
      found.push(stem);
    }
  }
  return found.sort();
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(new URL(path, root))).isFile;
  } catch {
    return false;
  }
}

Deno.test("every method has a file of its name, a test, a source and a family", async () => {
  const names = METHODS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const listed = names.map((name) => name.replaceAll("-", "_")).sort();
  assert.deepEqual(await stems("src/methods/", ["method"]), listed);
  for (const { name, source, title, family } of METHODS) {
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assertMore(source.length, 10, name);
    assertMore(title.length, 0, name);
    assertIncludes(FAMILIES, family, name);
    assert.ok(
      await exists(`tests/methods/${name.replaceAll("-", "_")}_test.ts`),
      `${name} has no test`,
    );
  }
});

Deno.test("every axiom has a file and a test", async () => {
  const files = await stems("src/experiments/axioms/", ["axiom"]);
  assert.equal(files.length, AXIOMS.length);
  for (const stem of files) {
    assert.ok(await exists(`tests/experiments/axioms/${stem}_test.ts`), `${stem} has no test`);
  }
});

Deno.test("every measure has a file of its name, and is called so", async () => {
  for (const [name, measure] of Object.entries(MEASURES)) {
    assert.equal(measure.name, name);
    assert.ok(
      await exists(`src/statistics/measures/${name.replaceAll("-", "_")}.ts`),
      `${name} has no file`,
    );
  }
});

Deno.test("README and docs name every command and every option", async () => {
  const documents = (await readDocuments()).map(({ text }) => text).join("\n");
  const sources = [
    "analyze/mod.ts",
    "explain/mod.ts",
    "check/mod.ts",
    "detect/mod.ts",
    "models/mod.ts",
    "models/import.ts",
    "models/fetch.ts",
    "corpus/mod.ts",
    "reproduce/mod.ts",
    "cache/mod.ts",
  ];
  let options = 0;
  for (const { name } of OPTIONS) {
    options++;
    assert.ok(documents.includes(flag(name)), `no document mentions ${flag(name)}`);
  }
  for (const file of sources) {
    const text = await Deno.readTextFile(new URL(`src/commands/${file}`, root));
    for (const [, option] of text.matchAll(/(?:\.option|new Option)\(\s*"(--[a-z-]+)/g)) {
      options++;
      assert.ok(
        documents.includes(option!),
        `neither README nor docs mention ${option} of ${file}`,
      );
    }
    for (const [, command] of text.matchAll(/new Command\("([a-z]+)"\)/g)) {
      assert.ok(
        documents.includes(command!),
        `neither README nor docs mention the command ${command}`,
      );
    }
  }
  assert.ok(options > 20, `only ${options} options were seen: the pattern has gone blind`);
});
