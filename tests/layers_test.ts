/**
 * The layer rule: imports go to a lower rank, or stay in their folder; nothing goes round in circles; private files stay private; and
 * each platform API has one home.
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { walkFiles } from "./walk_files.ts";

/** Folders of `src/` by rank. */
const RANKS: Record<string, number> = {
  base: 0,
  algebra: 0.5,
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
  published: 4,
  attribution: 5,
  corpora: 5,
  ledger: 6,
  corpus: 7,
  association: 7,
  experiments: 8,
  figures: 8,
  outputs: 9,
  run: 10,
  reproduction: 11,
  commands: 12,
};

/** What only one folder or file may touch. */
const HOMES: [RegExp, string][] = [
  [/from "onnxruntime-/, "src/runtime/"],
  [/navigator\.gpu\b/, "src/gpu/"],
  [/from "node:sqlite"/, "src/ledger/"],
  [/console\.(log|error|warn|info)\(/, "src/commands/"],
  [/from "commander"/, "src/commands/"],
];

/** What a folder may not touch: pictures and models go into attribution, results come out; where they are kept is others' concern. */
const FORBIDDEN: [string, RegExp][] = [
  ["src/attribution/", /\bDeno\.|from "node:(fs|sqlite)|image_file\.ts"/],
];

const root = new URL("../", import.meta.url);

/** Module specifiers that a source text imports or re-exports from relative paths. */
function relativeImports(text: string): string[] {
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+)"(\.{1,2}\/[^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1]);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/** What each file of `src/` imports of `src/`, by paths from the root; types and dynamic imports too. */
async function importsOfSources(): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const targets = relativeImports(withoutComments(await Deno.readTextFile(file)))
      .map((specifier) => new URL(specifier, file).pathname.slice(root.pathname.length))
      .filter((target) => target.startsWith("src/"));
    imports.set(file.pathname.slice(root.pathname.length), targets);
  }
  return imports;
}

/** The edges of a graph, one list a node; a circle in it as the nodes along it, or `undefined`. */
function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>(), path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = visit(node);
    if (circle) return circle;
  }
  return undefined;
}

/** The folder right below `src/` that holds a file, and the folder right below that one, if any. */
function roomOf(path: string): { folder: string; room: string | undefined } {
  const [, folder, ...rest] = path.split("/");
  return { folder: folder!, room: rest.length > 1 ? rest[0] : undefined };
}

Deno.test("imports go to a lower rank or stay in their folder", async () => {
  let checked = 0;
  for (const [file, targets] of await importsOfSources()) {
    const { folder } = roomOf(file);
    const rank = RANKS[folder];
    assert.ok(rank !== undefined, `${folder} has no rank: add it to RANKS in tests/layers_test.ts`);
    for (const target of targets) {
      const other = roomOf(target).folder;
      checked++;
      assert.ok(
        other === folder || RANKS[other] < rank,
        `${file} (rank ${rank}) imports ${target} (rank ${RANKS[other]})`,
      );
    }
  }
  assert.ok(checked > 50, `only ${checked} imports were seen: the pattern has gone blind`);
});

Deno.test("no file imports itself by way of others, not even for a type", async () => {
  const circle = circleIn(await importsOfSources());
  assert.equal(circle, undefined, `a circle of imports: ${circle?.join(" → ")}`);
});

Deno.test("a file whose name begins with _ is imported from its own folder only", async () => {
  let checked = 0;
  for (const [file, targets] of await importsOfSources()) {
    for (const target of targets.filter((target) => /\/_[^/]+$/.test(target))) {
      checked++;
      const home = dirname(target);
      assert.ok(
        dirname(file) === home || dirname(file).startsWith(`${home}/`),
        `${file} imports ${target}, which is private to ${home}`,
      );
    }
  }
  assert.ok(checked > 10, `only ${checked} private imports were seen: the pattern has gone blind`);
});

Deno.test("the check for circles finds one", () => {
  const graph = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", ["c"]]]);
  assert.deepEqual(circleIn(graph), ["d", "c", "d"]);
  graph.set("d", []);
  assert.equal(circleIn(graph), undefined);
});

Deno.test("each platform API is used in its one home only", async () => {
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const path = file.pathname.slice(root.pathname.length);
    const text = withoutComments(await Deno.readTextFile(file));
    for (const [folder, pattern] of FORBIDDEN) {
      assert.ok(!path.startsWith(folder) || !pattern.test(text), `${path} uses ${pattern}`);
    }
    for (const [pattern, home] of HOMES) {
      assert.ok(
        path.startsWith(home) || !pattern.test(text),
        `${path} uses ${pattern}; only ${home} may`,
      );
    }
    assert.ok(!/Math\.random\(/.test(text), `${path} uses unseeded random numbers`);
  }
});
