/**
 * The layer rule: imports go to a lower rank, or stay in their folder; and each platform API has one home.
 */

import assert from "node:assert/strict";
import { walkFiles } from "./walk_files.ts";

/** Folders of `src/` by rank. */
const RANKS: Record<string, number> = {
  base: 0,
  onnx: 1,
  gpu: 1,
  statistics: 1,
  image: 1,
  download: 1,
  rules: 2,
  kernels: 2,
  runtime: 2,
  classifier: 3,
  detectors: 4,
  methods: 4,
  importers: 4,
  corpus: 5,
  experiments: 6,
  figures: 7,
  commands: 8,
};

/** What only one folder or file may touch. */
const HOMES: [RegExp, string][] = [
  [/from "onnxruntime-/, "src/runtime/"],
  [/navigator\.gpu\b/, "src/gpu/"],
  [/from "node:sqlite"/, "src/corpus/ledger"],
  [/console\.(log|error|warn|info)\(/, "src/commands/"],
  [/from "commander"/, "src/commands/"],
];

const root = new URL("../", import.meta.url);

/** Module specifiers that a source text imports or re-exports from relative paths. */
function relativeImports(text: string): string[] {
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+)"(\.{1,2}\/[^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1]!);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

Deno.test("imports go to a lower rank or stay in their folder", async () => {
  let checked = 0;
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const [, folder] = file.pathname.slice(root.pathname.length).split("/");
    const rank = RANKS[folder!];
    assert.ok(rank !== undefined, `${folder} has no rank: add it to RANKS in tests/layers_test.ts`);
    for (const specifier of relativeImports(await Deno.readTextFile(file))) {
      const target = new URL(specifier, file).pathname.slice(root.pathname.length);
      if (!target.startsWith("src/")) continue;
      const [, other] = target.split("/");
      checked++;
      assert.ok(
        other === folder || RANKS[other!]! < rank,
        `${file.pathname.slice(root.pathname.length)} (rank ${rank}) imports ${target} (rank ${
          RANKS[other!]
        })`,
      );
    }
  }
  assert.ok(checked > 50, `only ${checked} imports were seen: the pattern has gone blind`);
});

Deno.test("each platform API is used in its one home only", async () => {
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const path = file.pathname.slice(root.pathname.length);
    const text = withoutComments(await Deno.readTextFile(file));
    for (const [pattern, home] of HOMES) {
      assert.ok(
        path.startsWith(home) || !pattern.test(text),
        `${path} uses ${pattern}; only ${home} may`,
      );
    }
    assert.ok(!/Math\.random\(/.test(text), `${path} uses unseeded random numbers`);
  }
});
