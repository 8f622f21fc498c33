/** What a start loads: a command line that only prints text must not wait for a runtime, an image library or a database. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The command-line parser: every start needs it. */
const LOADED_AT_START = ["commander"];

interface Graph {
  readonly modules: {
    readonly specifier: string;
    readonly dependencies?: {
      readonly isDynamic?: boolean;
      readonly code?: { specifier?: string };
    }[];
  }[];
}

/** Everything that `module` imports, and its imports import, before its first line runs: dynamic imports are not followed. */
async function loadedBy(module: string): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", module],
    cwd: root,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const start = modules.find(({ specifier }) => specifier.endsWith(`/${module}`));
  assert.ok(start, module);
  const loaded = new Set([start.specifier]);
  for (const name of loaded) {
    for (const { isDynamic, code } of byName.get(name)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) loaded.add(code.specifier);
    }
  }
  return [...loaded];
}

/** The packages and built-in modules among the specifiers, by name. */
function packages(specifiers: readonly string[]): string[] {
  return specifiers.filter((name) => /^(npm|jsr|node):/.test(name))
    .map((name) => name.replace(/^[a-z]+:\/?/, "").replace(/(?<=.)@[^/]*/, "")).sort();
}

Deno.test("a start loads the command-line parser and no other library", async () => {
  assert.deepEqual(packages(await loadedBy("main.ts")), LOADED_AT_START);
});

Deno.test("a module that imports libraries at once is seen to", async () => {
  const loaded = packages(await loadedBy("src/commands/analyze/run.ts"));
  assert.ok(loaded.length > LOADED_AT_START.length, loaded.join(", "));
});
