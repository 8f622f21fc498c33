import assert from "node:assert/strict";
import { Accumulator } from "../../src/association/accumulator.ts";
import { strongestAssociations } from "../../src/association/strongest.ts";
import { associationMatrix } from "../../src/association/matrices.ts";
import type { MethodOutput } from "../../src/association/count_run.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import { assertClose } from "../assert_close.ts";

const CLASSES = ["joy", "fear"];

/** Samples as [predicted class, salient objects]; objects b and a are in all of them. */
type Samples = readonly (readonly [number, string])[];

function output(method: string, samples: Samples, control = false): MethodOutput {
  const counts = new Accumulator({ classes: CLASSES, threshold: .3 });
  for (const [predicted, salient] of samples) {
    counts.add({
      predicted,
      targets: [predicted],
      scores: ["b", "a"].map((label) => ({
        label,
        class: predicted,
        importance: salient.includes(label) ? .75 : .25,
      })),
    });
  }
  const matrices = Object.values(MEASURES).map((measure) =>
    associationMatrix(counts, measure, method)
  );
  return { method, control, counts, matrices, boxes: 0, undefinedBoxes: 0 };
}

// By hand, for a: a = 2, b = 0, c = 0, d = 2 (phi 1) with joy; for b: 1, 1, 1, 1 (phi 0).
const CLEAR: Samples = [[0, "ab"], [0, "a"], [1, "b"], [1, ""]];
// For a: 2, 1, 0, 1, phi = 2/√(3·1·2·2) = .577; for b: 1, 0, 1, 2, phi = 2/√(1·3·2·2) = .577.
const WEAKER: Samples = [[0, "ab"], [0, "a"], [1, "a"], [1, ""]];
// For a: 0, 2, 2, 0 (phi −1); b is salient nowhere: phi is not defined.
const OPPOSITE: Samples = [[0, ""], [0, ""], [1, "a"], [1, "a"]];

const WEAK = 2 / Math.sqrt(12);

Deno.test("strongest cells of one method: by |phi|, equal ones by object and class, with their counts", () => {
  const { rule, rows } = strongestAssociations([output("m", CLEAR)]);
  assert.equal(rule, "largest |phi| between “object salient” and “class predicted”");
  assert.deepEqual(rows.map((row) => [row.object, row.class, row.value]), [
    ["a", "joy", 1],
    ["a", "fear", -1],
    ["b", "joy", 0],
    ["b", "fear", 0],
  ]);
  assert.deepEqual(rows[0], {
    object: "a",
    class: "joy",
    measure: "phi",
    method: "m",
    value: 1,
    importance: .75,
    both: 2,
    withObject: 2,
    withClass: 2,
  });
  assert.equal(strongestAssociations([output("m", CLEAR)], new Set(), 3).rows.length, 3);
});

Deno.test("of several methods a cell appears once, with the value in the middle and how far they agree", () => {
  const outputs = [output("x", OPPOSITE), output("y", CLEAR), output("z", WEAKER)];
  const { rule, rows } = strongestAssociations(outputs);
  assert.equal(
    rule,
    "largest |phi| between “object salient” and “class predicted”, the median of 3 methods",
  );
  const cell = rows.find((row) => row.object === "a" && row.class === "joy")!;
  assert.equal(cell.method, "z");
  assertClose(cell.value, WEAK, 1e-12);
  assert.deepEqual([cell.both, cell.withObject, cell.withClass], [2, 3, 2]);
  assert.deepEqual(cell.methods, { least: -1, greatest: 1, agreeing: 2, defined: 3 });
  // b has values by two of three methods, 0 and .577: of two, the one nearer to 0.
  const other = rows.find((row) => row.object === "b" && row.class === "joy")!;
  assert.equal(other.value, 0);
  assert.deepEqual(other.methods!.defined, 2);
  assert.equal(rows.length, 4);
});

Deno.test("cells that fewer than half of the methods give a value are left out", () => {
  const outputs = [output("x", OPPOSITE), output("y", OPPOSITE), output("z", CLEAR)];
  assert.deepEqual(
    strongestAssociations(outputs).rows.map(({ object, class: name }) => [object, name]),
    [["a", "joy"], ["a", "fear"]],
  );
});

Deno.test("controls do not count, nor methods that fail an axiom, unless there are no others", () => {
  const outputs = [output("x", OPPOSITE), output("y", CLEAR), output("z", WEAKER, true)];
  const without = strongestAssociations(outputs, new Set(["x"]));
  assert.equal(without.rows[0].method, "y");
  assert.equal(without.rows[0].methods, undefined);
  const both = strongestAssociations([...outputs, output("w", WEAKER)], new Set(["x"]));
  assert.match(both.rule, /of 2 methods, those that fail an axiom and controls left out$/);
  const all = strongestAssociations(outputs, new Set(["x", "y"]));
  assert.match(all.rule, /of 2 methods, controls left out$/);
  const only = strongestAssociations([output("z", WEAKER, true)], new Set());
  assertClose(only.rows[0].value, WEAK, 1e-12);
});

Deno.test("where phi is defined nowhere the mean importance ranks; no rows without any value", () => {
  const { rule, rows } = strongestAssociations([output("m", [[0, "a"], [0, "a"]])]);
  assert.match(rule, /mean importance/);
  assert.deepEqual(rows.map((row) => [row.object, row.value]), [["a", .75], ["b", .25]]);
  assert.deepEqual(strongestAssociations([output("m", [])]).rows, []);
});
