/** The table of folders in docs/develop.md is that of tests/layers_test.ts. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ROOT } from "./documents.ts";

Deno.test("docs/develop.md lists every folder of src/ with its rank", async () => {
  const layers = await Deno.readTextFile(join(ROOT, "tests", "layers_test.ts"));
  const ranks = /^const RANKS[^{]*\{([^}]*)\};/m.exec(layers)![1];
  const expected = [...ranks.matchAll(/(\w+): ([\d.]+),/g)].map(([, name, rank]) => [name, rank]);
  const document = await Deno.readTextFile(join(ROOT, "docs", "develop.md"));
  const listed = [...document.matchAll(/^\| ([\d.]+) +\| `src\/(\w+)` /gm)]
    .map(([, rank, name]) => [name, rank]);
  assert.ok(expected.length > 20, `only ${expected.length} folders were seen in RANKS`);
  assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(expected));
  const order = listed.map(([, rank]) => Number(rank));
  assert.deepEqual(order, order.toSorted((a, b) => a - b), "the table is sorted by rank");
});
