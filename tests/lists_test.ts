/** Every file of a plural folder is in the folder's list: what is added cannot be forgotten, and what is not listed is machinery by name. */

import assert from "node:assert/strict";
import { importsOfSources, relativeValues } from "./import_graph.ts";

/** A folder to which things are added by adding a file, or a folder with a `mod.ts`. */
interface PluralFolder {
  /** Below `src/`. */
  readonly folder: string;
  /** The file that lists them, below `src/`; by default the folder's `mod.ts`. */
  readonly list?: string;
  /** What is in the folder without being one of them: types that all share, and what they are made of. */
  readonly machinery: readonly string[];
}

const PLURAL: readonly PluralFolder[] = [
  { folder: "association/evidence", machinery: ["evidence", "names"] },
  { folder: "classifier/layer_forms", machinery: ["layer_form"] },
  { folder: "commands", machinery: ["options", "terminal"] },
  { folder: "corpora", machinery: ["corpus_kind", "find_images"] },
  { folder: "detectors", machinery: ["detector", "network"] },
  { folder: "detectors/box_files", machinery: ["match", "open"] },
  { folder: "experiments/axioms", machinery: [] },
  { folder: "figures", machinery: ["drawing", "figure"] },
  { folder: "figures/page/sections", machinery: ["section"] },
  { folder: "importers", machinery: ["imported", "importer", "model_name", "torch"] },
  { folder: "kernels", machinery: [] },
  { folder: "methods", machinery: [] },
  { folder: "methods/modifiers", machinery: ["modifier"] },
  { folder: "onnx/shape_rules", machinery: [] },
  { folder: "outputs", machinery: ["read", "sample_figure", "table"] },
  { folder: "rules/gradient", machinery: [] },
  { folder: "rules/lift", machinery: ["contributions", "rule"] },
  { folder: "rules/lrp", machinery: ["linear_rules", "relevance"] },
  { folder: "rules/pieces", machinery: ["piece_graph"] },
  { folder: "run/options", machinery: ["again", "kinds", "markdown", "settings"] },
  { folder: "runtime/backends", list: "runtime/open.ts", machinery: ["no_telemetry", "ort"] },
  { folder: "statistics/cell_measures", machinery: [] },
  { folder: "statistics/corrections", machinery: ["correction"] },
  { folder: "statistics/intervals", machinery: ["log_odds", "proportion_interval"] },
  { folder: "statistics/measures", machinery: ["measure"] },
  { folder: "statistics/rdm/comparisons", machinery: ["comparison"] },
  { folder: "statistics/rdm/distances", machinery: ["distance"] },
  { folder: "statistics/similarity", machinery: ["similarity"] },
];

/** Folders whose `mod.ts` is not a list of things to be added: one command each, and what represents a whole. */
const SINGULAR =
  /^commands\/\w+$|^experiments\/paper$|^importers\/torch$|^rules\/guided$|^statistics\/stratified$/;

/** Folders with a `mod.ts` of which {@linkcode PLURAL} says nothing, below `src/`. */
function unknownLists(paths: Iterable<string>, plural: readonly PluralFolder[]): string[] {
  return [...paths].flatMap((path) => /^src\/(.+)\/mod\.ts$/.exec(path)?.[1] ?? [])
    .filter((folder) => !SINGULAR.test(folder) && !plural.some((one) => one.folder === folder));
}

/** What is wrong with a folder: things that its list does not import (types do not count), and machinery that is not there any more. */
function faultsOf(
  { folder, list = `${folder}/mod.ts`, machinery }: PluralFolder,
  values: ReadonlyMap<string, readonly string[]>,
): string[] {
  const place = `src/${folder}/`;
  /** The thing that a path is of: `yolo` of `yolo.ts`, and of all in `yolo/`. */
  const thing = (path: string) =>
    path.startsWith(place) ? path.slice(place.length).split("/")[0].replace(/\.ts$/, "") : "";
  const things = new Set([...values.keys()].map(thing));
  const listed = new Set((values.get(`src/${list}`) ?? []).map(thing));
  return [
    ...[...things].filter((name) =>
      name !== "" && name !== "mod" && !name.startsWith("_") && !listed.has(name) &&
      !machinery.includes(name)
    ).map((name) => `${place}${name} is not in src/${list}`),
    ...things.size > 1 ? [] : [`${place} is empty`],
    ...machinery.filter((name) => !things.has(name)).map((name) => `${place}${name} is not there`),
    ...machinery.filter((name) => listed.has(name)).map((name) => `${place}${name} is listed`),
  ];
}

const VALUES = await importsOfSources(relativeValues);

for (const plural of PLURAL) {
  Deno.test(`every file of src/${plural.folder} is in its list`, () => {
    assert.deepEqual(faultsOf(plural, VALUES), []);
  });
}

Deno.test("every folder with a list is checked here", () => {
  assert.deepEqual(unknownLists(VALUES.keys(), PLURAL), []);
});

Deno.test("the check of lists finds what is not listed, and machinery that is gone or listed", () => {
  const plural = { folder: "things", machinery: ["thing"] };
  const faults = (mod: string[], more: Record<string, string[]> = {}) =>
    faultsOf(
      plural,
      new Map(Object.entries({
        "src/things/mod.ts": mod,
        "src/things/thing.ts": [],
        "src/things/_parts.ts": [],
        "src/things/one.ts": ["src/things/one/part.ts", "src/things/two.ts"],
        "src/things/one/part.ts": [],
        "src/things/two.ts": [],
        ...more,
      })),
    );
  const all = ["src/things/one.ts", "src/things/two.ts"];
  assert.deepEqual(faults(all), []);
  assert.deepEqual(faults(["src/things/one.ts"]), ["src/things/two is not in src/things/mod.ts"]);
  assert.deepEqual(faults(all, { "src/things/three/run.ts": [] }), [
    "src/things/three is not in src/things/mod.ts",
  ]);
  assert.deepEqual(faults([...all, "src/things/thing.ts"]), ["src/things/thing is listed"]);
  const gone = faultsOf({ folder: "other", machinery: ["thing"] }, new Map());
  assert.deepEqual(gone, ["src/other/ is empty", "src/other/thing is not there"]);
  assert.deepEqual(unknownLists(["src/things/mod.ts", "src/new/mod.ts", "src/a.ts"], [plural]), [
    "new",
  ]);
});

Deno.test("an import of types lists nothing", () => {
  const text = `import type { A } from "./a.ts";
    import { type B, type Bb } from "./b.ts";
    import { type C, c } from "./c.ts";
    import * as d from "./d.ts";
    export { e } from "./e.ts";
    export * from "./f.ts";
    export type { G } from "./g.ts";
    import "./h.ts";
    const i = await import("./i.ts");
    import {
      j,
    } from "./j.ts";
    import k, { type K } from "./k.ts";`;
  assert.deepEqual(relativeValues(text).sort(), [..."cdefhijk"].map((name) => `./${name}.ts`));
});
