/**
 * The layer rule: imports go to a lower rank, or stay in their folder; nothing goes round in circles, neither files nor sub-folders; private
 * files stay private; and each platform API has one home.
 */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { circleIn, importsOfSources, withoutComments } from "./import_graph.ts";
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
  [/Deno\.(chdir|exit|exitCode|addSignalListener)\b/, "src/commands/"],
];

/** What a folder may not touch: pictures and models go into attribution, results come out; where they are kept is others' concern. */
const FORBIDDEN: [string, RegExp][] = [
  ["src/attribution/", /\bDeno\.|from "node:(fs|sqlite)|image_file\.ts"/],
];

const root = new URL("../", import.meta.url);

type Imports = ReadonlyMap<string, readonly string[]>;

/** Imports that do not go down, one a line. */
function misranked(imports: Imports, ranks: Readonly<Record<string, number>>): string[] {
  return [...imports].flatMap(([file, targets]) => {
    const folder = folderOf(file), rank = ranks[folder];
    if (rank === undefined) {
      return [`${folder} has no rank: add it to RANKS in tests/layers_test.ts`];
    }
    return targets.filter((target) =>
      folderOf(target) !== folder && !(ranks[folderOf(target)] < rank)
    ).map((target) => `${file} (rank ${rank}) imports ${target} (rank ${ranks[folderOf(target)]})`);
  });
}

/** The folder right below `src/` that holds a file. */
function folderOf(path: string): string {
  return path.split("/")[1];
}

/** Imports of private files from elsewhere, one a line. */
function intrusions(imports: Imports): string[] {
  return [...imports].flatMap(([file, targets]) =>
    targets.filter((target) =>
      /\/_[^/]+$/.test(target) && !`${dirname(file)}/`.startsWith(`${dirname(target)}/`)
    ).map((target) => `${file} imports ${target}, which is private to ${dirname(target)}`)
  );
}

/** Sub-folders of one folder that import each other in a circle, if any do: at every depth. */
function circleOfSubfolders(imports: Imports): string[] | undefined {
  const graphs = new Map<string, Map<string, Set<string>>>();
  for (const [file, targets] of imports) {
    const from = dirname(file).split("/");
    for (const target of targets) {
      const to = dirname(target).split("/");
      const depth = from.findIndex((part, i) => part !== to[i]);
      // The first folder in which they differ; both have one.
      if (depth < 0 || depth >= to.length) continue;
      const parent = from.slice(0, depth).join("/");
      const graph = graphs.get(parent) ?? new Map<string, Set<string>>();
      graphs.set(parent, graph);
      const [a, b] = [from[depth], to[depth]].map((name) => `${parent}/${name}`);
      graph.set(a, (graph.get(a) ?? new Set()).add(b));
    }
  }
  for (const graph of graphs.values()) {
    const circle = circleIn(new Map([...graph].map(([name, others]) => [name, [...others]])));
    if (circle) return circle;
  }
  return undefined;
}

/** What a source uses that it must not. */
function strays(path: string, text: string): string[] {
  const code = withoutComments(text);
  return [
    ...HOMES.filter(([pattern, home]) => !path.startsWith(home) && pattern.test(code))
      .map(([pattern, home]) => `${path} uses ${pattern}; only ${home} may`),
    ...FORBIDDEN.filter(([folder, pattern]) => path.startsWith(folder) && pattern.test(code))
      .map(([, pattern]) => `${path} uses ${pattern}`),
    ...code.includes("Math.random(") ? [`${path} uses unseeded random numbers`] : [],
  ];
}

const IMPORTS: Imports = await importsOfSources();

Deno.test("the imports of sources are seen", () => {
  const seen = [...IMPORTS.values()].flat();
  assert.ok(seen.length > 500, `only ${seen.length} imports were seen: the pattern has gone blind`);
  const hidden = seen.filter((target) => /\/_[^/]+$/.test(target));
  assert.ok(hidden.length > 10, `only ${hidden.length} private imports were seen`);
});

Deno.test("imports go to a lower rank or stay in their folder", () => {
  assert.deepEqual(misranked(IMPORTS, RANKS), []);
});

Deno.test("no file imports itself by way of others, not even for a type", () => {
  const circle = circleIn(IMPORTS);
  assert.equal(circle, undefined, `a circle of imports: ${circle?.join(" → ")}`);
});

Deno.test("a file whose name begins with _ is imported from its own folder only", () => {
  assert.deepEqual(intrusions(IMPORTS), []);
});

Deno.test("sub-folders of one folder have an order: none of two imports the other", () => {
  const circle = circleOfSubfolders(IMPORTS);
  assert.equal(circle, undefined, `a circle of sub-folders: ${circle?.join(" → ")}`);
});

Deno.test("each platform API is used in its one home only", async () => {
  const found: string[] = [];
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const path = file.pathname.slice(root.pathname.length);
    found.push(...strays(path, await Deno.readTextFile(file)));
  }
  assert.deepEqual(found, []);
});

Deno.test("the check for circles finds one", () => {
  const graph = new Map([["a", ["b", "c"]], ["b", ["d"]], ["c", ["d"]], ["d", ["c"]]]);
  assert.deepEqual(circleIn(graph), ["d", "c", "d"]);
  graph.set("d", []);
  assert.equal(circleIn(graph), undefined);
});

Deno.test("the checks of ranks, private files, sub-folders and homes each find a fault", () => {
  const made = (imports: Record<string, string[]>): Imports => new Map(Object.entries(imports));
  const ranks = { low: 0, high: 1 };
  assert.deepEqual(misranked(made({ "src/high/a.ts": ["src/low/b.ts"] }), ranks), []);
  assert.deepEqual(misranked(made({ "src/low/b.ts": ["src/high/a.ts"] }), ranks), [
    "src/low/b.ts (rank 0) imports src/high/a.ts (rank 1)",
  ]);
  assert.match(misranked(made({ "src/new/a.ts": [] }), ranks)[0], /^new has no rank/);
  assert.match(misranked(made({ "src/low/a.ts": ["src/new/a.ts"] }), ranks)[0], /rank undefined/);

  assert.deepEqual(intrusions(made({ "src/a/b.ts": ["src/a/_c.ts"] })), []);
  assert.deepEqual(intrusions(made({ "src/a/deep/b.ts": ["src/a/_c.ts"] })), []);
  assert.deepEqual(intrusions(made({ "src/a/b.ts": ["src/a/deep/_c.ts"] })), [
    "src/a/b.ts imports src/a/deep/_c.ts, which is private to src/a/deep",
  ]);

  const rooms = {
    "src/a/mod.ts": ["src/a/one/x.ts", "src/a/two/x.ts"],
    "src/a/one/x.ts": ["src/a/two/x.ts", "src/a/types.ts"],
    "src/a/two/y.ts": ["src/a/types.ts"],
  };
  assert.equal(circleOfSubfolders(made(rooms)), undefined);
  assert.deepEqual(
    circleOfSubfolders(made({ ...rooms, "src/a/two/y.ts": ["src/a/one/z.ts"] })),
    ["src/a/one", "src/a/two", "src/a/one"],
  );
  const deep = {
    "src/a/in/one/x.ts": ["src/a/in/two/x.ts"],
    "src/a/in/two/x.ts": ["src/a/in/one/y.ts"],
  };
  assert.deepEqual(circleOfSubfolders(made(deep)), [
    "src/a/in/one",
    "src/a/in/two",
    "src/a/in/one",
  ]);

  assert.deepEqual(strays("src/commands/a.ts", 'console.log("x")'), []);
  assert.deepEqual(strays("src/corpus/a.ts", '// console.log("x")'), []);
  assert.equal(strays("src/corpus/a.ts", 'console.log("x")').length, 1);
  assert.equal(strays("src/corpus/a.ts", "const x = Math.random();").length, 1);
  assert.equal(strays("src/attribution/a.ts", "await Deno.readFile(path)").length, 1);
});
