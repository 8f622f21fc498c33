import assert from "node:assert/strict";
import {
  distance,
  hasDrifted,
  placeText,
  SHOWN_DIFFERENCES,
  Tally,
} from "../../src/reproduction/drift.ts";

Deno.test("distances are absolute up to 1 and relative above, and a NaN is equal to a NaN only", () => {
  const cases: [number, number, number][] = [
    [0.25, 0.25, 0],
    [0, -0, 0],
    [NaN, NaN, 0],
    [Infinity, Infinity, 0],
    [0.25, 0.5, 0.25],
    [-0.5, 0.5, 1],
    [1000, 1001, 1 / 1001],
    [-4, -2, 0.5],
    [NaN, 0.5, Infinity],
    [0, NaN, Infinity],
    [Infinity, 1, Infinity],
    [Infinity, -Infinity, Infinity],
  ];
  for (const [a, b, expected] of cases) {
    assert.equal(distance(a, b), expected, `${a} ${b}`);
    assert.equal(distance(b, a), expected, `${b} ${a}`);
  }
});

Deno.test("a tally parts values into identical, within, drifted, missing and new, and keeps the largest and the first", () => {
  const tally = new Tally("importances", 1 / 64);
  const at = (column: string) => ({ table: "t.csv", column });
  tally.compare(at("same"), "0.5", "0.5");
  tally.compare(at("same number"), "0.5", "0.50");
  tally.compare(at("at the tolerance"), "0.25", "0.265625");
  tally.compare(at("drifted"), "0.25", "0.5");
  tally.compare(at("largest"), "0", "0.75");
  tally.compare(at("text"), "happy", "sad");
  tally.compare(at("empty"), "", "1");
  assert.equal(tally.section().largest?.place.column, "largest");
  tally.compare(at("no number"), "NaN", "0.5");
  tally.lacking("missing", { table: "t.csv", image: "a.png" }, 3);
  tally.lacking("extra", { table: "t.csv", image: "b.png" }, 2);
  tally.lacking("extra", { table: "t.csv", image: "b.png" }, 0);
  const { shown, first, largest, ...counts } = tally.section();
  assert.deepEqual(counts, {
    name: "importances",
    compared: 8,
    identical: 2,
    within: 1,
    drifted: 5,
    missing: 3,
    extra: 2,
  });
  assert.deepEqual(first, { place: at("drifted"), before: "0.25", after: "0.5", distance: 0.25 });
  assert.equal(largest?.place.column, "no number");
  assert.equal(largest?.distance, Infinity);
  assert.deepEqual(shown.map(({ place: { column, image } }) => column ?? image), [
    ...["drifted", "largest", "text", "empty", "no number", "a.png", "b.png"],
  ]);
  assert.equal(hasDrifted(tally.section()), true);
});

Deno.test("a tally lists a bounded number of differences, and nothing within the tolerance is a drift", () => {
  const tally = new Tally("boxes", 0.1);
  for (let i = 0; i < 3 * SHOWN_DIFFERENCES; i++) tally.compare({ table: "t" }, "0", "1");
  assert.equal(tally.section().shown.length, SHOWN_DIFFERENCES);
  assert.equal(tally.section().drifted, 3 * SHOWN_DIFFERENCES);
  const calm = new Tally("boxes", 0.1);
  calm.compare({ table: "t" }, "0.5", "0.55");
  assert.equal(hasDrifted(calm.section()), false);
  assert.equal(calm.section().first, undefined);
});

Deno.test("places are told from the image down to the column", () => {
  const place = { table: "boxes.csv", image: "a.png", sample: "2", method: "cam", class: "happy" };
  assert.equal(
    placeText({ ...place, object: "eye", box: 1, column: "importance" }),
    "a.png, sample 2, cam, class happy, eye (box 1): importance",
  );
  assert.equal(
    placeText({ table: "matrices/cam.phi.csv", method: "cam", object: "eye", column: "sad" }),
    "matrices/cam.phi.csv, cam, eye: sad",
  );
  assert.equal(placeText({ table: "x.csv", line: 3, column: "y" }), "x.csv, line 3: y");
  assert.equal(placeText({ table: "x.csv" }), "x.csv");
});
