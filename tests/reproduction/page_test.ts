import assert from "node:assert/strict";
import { parse } from "parse5";
import type { RunComparison } from "../../src/reproduction/compare.ts";
import { type DriftData, driftReport } from "../../src/reproduction/page.ts";
import { assertExcludes, assertIncludes } from "../assert_that.ts";

const place = {
  table: "boxes.csv",
  image: "<script>.png",
  sample: "0",
  method: "cam",
  class: "happy",
  object: "eye",
  box: 1,
  column: "importance",
};
const difference = { place, before: "0.25", after: "0.5", distance: 0.25 };

const COMPARISON: RunComparison = {
  sections: [
    {
      name: "predictions",
      compared: 1200,
      identical: 1000,
      within: 200,
      drifted: 0,
      missing: 0,
      extra: 0,
      shown: [],
    },
    {
      name: "importances",
      compared: 100,
      identical: 97,
      within: 0,
      drifted: 3,
      missing: 4,
      extra: 5,
      largest: { ...difference, distance: Infinity },
      first: difference,
      shown: [difference],
    },
  ],
  tables: [
    { name: "boxes.csv", before: "a".repeat(64), after: "b".repeat(64) },
    { name: "images.csv", before: "c".repeat(64), after: "c".repeat(64) },
    { name: "gone.csv", before: "d".repeat(64) },
  ],
  crossings: { count: 2, first: { place, before: "0.3", after: "0.300001" } },
  newColumns: [],
  newTables: [],
};

const DATA: DriftData = {
  run: "runs/<b>mine",
  verdict: "drifted",
  headline: "first at somewhere",
  tolerance: 1e-5,
  time: "2026-01-05T04:17:00.000Z",
  missing: [],
  comparison: COMPARISON,
  causes: [
    { kind: "image", what: "<img>.png", before: "sha256 1", after: "sha256 2", input: true },
    { kind: "version", what: "runtime", before: "1.30", after: "1.31", input: false },
  ],
  notes: ["a <note>"],
  before: [{ name: "runtime", value: "1.30" }, { name: "os", value: "linux" }],
  after: [{ name: "runtime", value: "1.31" }, { name: "os", value: "linux" }],
};

/** The page's text, tags left out. */
function textOf(page: string): string {
  const texts: string[] = [];
  const walk = (node: { nodeName: string; value?: string; childNodes?: unknown[] }) => {
    if (node.nodeName === "#text") texts.push(node.value!);
    if (node.nodeName !== "style") {
      for (const child of node.childNodes ?? []) walk(child as typeof node);
    }
  };
  walk(parse(page) as unknown as { nodeName: string });
  return texts.join(" ").replace(/\s+/g, " ");
}

Deno.test("the page states verdict, reasons, counts, places and circumstances", () => {
  const page = driftReport(DATA);
  const text = textOf(page);
  for (
    const expected of [
      "drifted : first at somewhere",
      "1 300 values compared",
      "1 097 identical",
      "200 within the tolerance",
      "12 outside it, missing or new",
      "1 of 3 files the same bytes",
      "Inputs With another image, model or setting it is another run",
      "image <img>.png changed from sha256 1 to sha256 2",
      "runtime changed from 1.30 to 1.31",
      "<script>.png, sample 0, cam, class happy, eye (box 1): importance",
      "0.25 0.5 0.25",
      "Largest difference: no number",
      "values outside the tolerance or in one run only: 12",
      "2 importances went to the other side of the salience threshold",
      "gone.csv only then",
      "images.csv the same bytes",
      "a <note>",
      "Made 2026-01-05T04:17:00.000Z",
    ]
  ) assert.ok(text.includes(expected), `${expected}\n${text}`);
  assertIncludes(page, "<strong>1.31</strong>");
  assertExcludes(page, "<strong>linux</strong>");
  // Names from outside are text.
  assertExcludes(page, "<script>");
  assertExcludes(page, "<img>");
  assertExcludes(page, "<b>mine");
  assert.match(page, /default-src ('none'|&#39;none&#39;)/);
  assert.equal(driftReport(DATA), page);
});

Deno.test("the page of missing inputs has no comparison, and that of equal runs says that nothing differs", () => {
  const { comparison, ...without } = DATA;
  const missing = textOf(driftReport({
    ...without,
    verdict: "missing",
    missing: ["image a.png", "image b.png"],
    causes: [],
    after: [],
  }));
  assertIncludes(missing, "Inputs that are not there image a.png image b.png");
  assertExcludes(missing, "What was compared");
  const equal = textOf(driftReport({
    ...DATA,
    verdict: "identical",
    causes: [],
    notes: [],
    comparison: { ...comparison!, sections: [comparison!.sections[0]], crossings: { count: 0 } },
  }));
  assertIncludes(equal, "Nothing that the two runs recorded is different.");
  assertIncludes(equal, "Nowhere (tolerance 0.00001)");
});

Deno.test("a drift without a recorded reason is said to have its reason elsewhere", () => {
  const text = textOf(driftReport({ ...DATA, causes: [] }));
  assert.match(text, /What is left is what is not recorded/);
});
