/** Every addable thing has its file, its line in the list, and its test; names on the command line follow the file's. */

import assert from "node:assert/strict";
import { Command } from "commander";
import { CORPORA } from "../src/corpora/mod.ts";
import { AXIOMS } from "../src/experiments/axioms/mod.ts";
import { IMPORTERS } from "../src/importers/mod.ts";
import { FAMILIES, METHODS } from "../src/methods/mod.ts";
import { MEASURES } from "../src/statistics/measures/mod.ts";
import { createProgram } from "../src/commands/mod.ts";
import { optionsNamed, shownIn } from "./docs/command_lines.ts";
import { type Document, readDocuments } from "./docs/documents.ts";
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

Deno.test("every importer and every kind of corpus has a file of its name", async () => {
  for (const [folder, list] of [["importers", IMPORTERS], ["corpora", CORPORA]] as const) {
    const names = list.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) {
      assert.ok(await exists(`src/${folder}/${name}.ts`), `${folder}: ${name} has no file`);
    }
  }
});

/** What documents do not show: commands that no shown command line runs, and options that none has and no prose names. */
async function unshown(program: Program, documents: readonly Document[]): Promise<string[]> {
  const shown = (await Promise.all(documents.map(shownIn))).flat();
  const run = new Set(shown.map(({ args = [] }) => pathOf(program, args)));
  const named = new Set([
    ...documents.flatMap(optionsNamed),
    ...shown.flatMap(({ args = [] }) => args.filter((word) => word.startsWith("--"))),
  ]);
  return leaves(program).flatMap(({ path, command }) => [
    ...run.has(path) ? [] : [path],
    ...command.options.filter(({ long, hidden }) => !hidden && long && !named.has(long))
      .map(({ long }) => `${path} ${long}`),
  ]);
}

type Program = ReturnType<typeof createProgram>;

/** The commands that do something, by what is typed for them. */
function leaves(command: Program, path = command.name()): { path: string; command: Program }[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leaves(child as Program, `${path} ${child.name()}`));
}

/** What is typed for the command that arguments lead to. */
function pathOf(command: Program, [word, ...rest]: readonly string[]): string {
  const child = command.commands.find((child) => child.name() === word);
  return child ? `${command.name()} ${pathOf(child as Program, rest)}` : command.name();
}

Deno.test("README and docs show every command, and name every option", async () => {
  const program = createProgram(() => {});
  const commands = leaves(program);
  const options = commands.flatMap(({ command }) => command.options);
  assert.ok(commands.length > 10, `only ${commands.length} commands were seen`);
  assert.ok(options.length > 60, `only ${options.length} options were seen`);
  assert.deepEqual(await unshown(program, await readDocuments()), []);
});

Deno.test("a command or option that no document shows is found, also where its name is an English word", async () => {
  const program = new Command("emocam");
  program.command("check").option("--out <folder>");
  program.command("models").command("list").option("--json");
  const missing = async (text: string) => await unshown(program, [{ path: "made.md", text }]);
  assert.deepEqual(await missing("We check models; a list goes out as `--json-lines`."), [
    "emocam check",
    "emocam check --out",
    "emocam models list",
    "emocam models list --json",
  ]);
  const shown = "`emocam check --out x` and `deno task emocam models list`, with `--json`";
  assert.deepEqual(await missing(shown), []);
});
