import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { rgb } from "d3-color";
import { interpolateRdBu } from "d3-scale-chromatic";
import { type DefaultTreeAdapterTypes as Html, parse } from "parse5";
import { report, type ReportData } from "../../src/figures/mod.ts";
import { assertExcludes, assertIncludes } from "../assert_that.ts";

const MATRIX = {
  measure: "phi",
  signed: true,
  method: "Grad-CAM",
  objects: ["mouth", "nose"],
  classes: ["happy", "sad"],
  values: [0.5, -0.7, NaN, 0.1],
  n: 22,
};

const ASSOCIATION = {
  object: "mouth",
  class: "sad",
  measure: "phi",
  method: "Grad-CAM",
  value: -0.7,
};

const DATA: ReportData = {
  title: "Six photographs",
  question: "Which parts of a face carry the prediction?",
  command: "emocam analyze photos",
  counts: { images: 8, failed: 1, samples: 22, boxes: 154, duplicates: 1, undefinedImportances: 3 },
  settings: [{ name: "Seed", value: "1" }],
  matrices: [
    MATRIX,
    { ...MATRIX, method: "Layer-CAM", values: [0.4, 0.6, NaN, 0] },
    { ...MATRIX, measure: "dice", signed: false, values: [0.5, 0.7, 0, 0.1] },
  ],
  associations: { rule: "The largest.", rows: [ASSOCIATION] },
  models: [{
    role: "classifier",
    name: "net",
    sha256: "ab".repeat(32),
    licence: "MIT",
    source: "npm somewhere 1.0.0",
  }],
  runtime: {
    backend: "native",
    reason: "no graphics adapter was found",
    versions: [{ name: "Deno", value: "2.9.6" }],
  },
  stages: [{ name: "decode", seconds: 3 }, { name: "score", seconds: 1 }],
  failures: [{ path: "photos/broken.jpg", reason: "Cannot decode an image: premature end" }],
  samples: {
    rule: "All of them.",
    shown: [{
      path: "photos/a.jpg",
      part: "face 1 of 2",
      predicted: "happy",
      probability: 0.981,
      overlay: {
        title: "Grad-CAM: happy",
        width: 100,
        height: 100,
        boxes: [{ label: "mouth", x0: 10, y0: 10, x1: 50, y1: 50, importance: 0.4, salient: true }],
      },
    }],
  },
  cite: ["A paper."],
  credits: ["a.jpg: public domain"],
};

const EMPTY_DATA: ReportData = {
  title: "",
  question: "",
  counts: { images: 0, failed: 0, samples: 0, boxes: 0 },
  settings: [],
  matrices: [],
  associations: { rule: "", rows: [] },
  models: [],
  runtime: { backend: "wasm", reason: "asked for", versions: [] },
  stages: [],
  failures: [],
  samples: { rule: "", shown: [] },
  cite: [],
  credits: [],
};

/** All elements of a page, in order. */
function elements(html: string): Html.Element[] {
  const found: Html.Element[] = [];
  const walk = (node: Html.Node) => {
    if ("tagName" in node) found.push(node);
    if ("childNodes" in node) node.childNodes.forEach(walk);
  };
  walk(parse(html));
  return found;
}

function text(node: Html.Node): string {
  if (node.nodeName === "#text") return (node as Html.TextNode).value;
  return "childNodes" in node ? node.childNodes.map(text).join("") : "";
}

const attribute = (element: Html.Element, name: string) =>
  element.attrs.find((attr) => attr.name === name)?.value;

function named(html: string, name: string): Html.Element[] {
  return elements(html).filter(({ tagName }) => tagName === name);
}

/** The rows of the table in a section, cell by cell. */
function table(html: string, section: string, which = 0): string[][] {
  const root = elements(html).find((element) => attribute(element, "id") === section)!;
  const inside = (node: Html.Node, name: string): Html.Element[] =>
    "childNodes" in node
      ? node.childNodes.flatMap((child) => [
        ...("tagName" in child && child.tagName === name ? [child] : []),
        ...inside(child, name),
      ])
      : [];
  return inside(inside(root, "tbody")[which], "tr").map((row) => inside(row, "td").map(text));
}

Deno.test("report has its sections, a figure for each matrix and each sample, and states the counts", () => {
  const html = report(DATA);
  assert.deepEqual(
    named(html, "section").map((section) => attribute(section, "id")).filter(Boolean),
    ["associations", "matrices", "samples", "run", "models", "failures", "cite"],
  );
  assert.equal(named(html, "figure").length, 4);
  assert.deepEqual(named(html, "h3").map(text).slice(0, 2), ["phi", "dice"]);
  assert.deepEqual(
    named(html, "li").slice(0, 6).map(text),
    ["8images", "1of them could not be used", "22samples", "154boxes", "2objects", "2classes"],
  );
  const facts = named(html, "dt").map((dt, i) => [text(dt), text(named(html, "dd")[i])]);
  for (
    const fact of [
      ["Images", "8: 7 used, 1 failed"],
      ["Duplicate files", "1"],
      ["Importances without a value (NaN)", "3"],
      ["Seed", "1"],
      ["Backend", "native: no graphics adapter was found"],
      ["SHA-256", "ab".repeat(32)],
    ]
  ) {
    assert.ok(facts.some((found) => found.join() === fact.join()), fact.join());
  }
});

Deno.test("report lists associations with the method's name in the head, and says when there are none", () => {
  // Object, class, value, bar.
  assert.deepEqual(table(report(DATA), "associations"), [["mouth", "sad", "−0.70", ""]]);
  assertIncludes(named(report(DATA), "th").map(text), "phi, Grad-CAM");
  const none = report({ ...DATA, associations: { rule: "", rows: [] } });
  assertIncludes(none, "No cell of a matrix has a value");
});

Deno.test("report shows of several methods the range and how many have the sign", () => {
  const html = report({
    ...DATA,
    associations: {
      rule: "The middle one",
      rows: [{
        ...ASSOCIATION,
        methods: { least: -0.9, greatest: 0.1, agreeing: 5, defined: 7 },
      }],
    },
  });
  assert.deepEqual(table(html, "associations"), [
    ["mouth", "sad", "−0.70", "", "−0.90 to 0.10", "5 of 7"],
  ]);
  assertIncludes(html, "The middle one. Values and counts are those of the median method");
});

Deno.test("report shows the agreement of methods if there is one", () => {
  const names = ["grad-cam", "sobel (control)"];
  const html = report({
    ...DATA,
    agreement: {
      name: "Correlation, method × method",
      facts: "2 methods over 9 boxes.",
      measure: "correlation",
      signed: true,
      method: "all",
      objects: names,
      classes: names,
      values: [1, -0.25, -0.25, 1],
    },
  });
  const section = elements(html).find((element) => attribute(element, "id") === "agreement")!;
  for (const said of ["Correlation, method × method", "2 methods over 9 boxes.", "−0.25"]) {
    assertIncludes(text(section), said);
  }
  assertIncludes(text(section), "grad-cam × sobel (control): −0.250");
});

Deno.test("report shows given associations with their evidence", () => {
  const html = report({
    ...DATA,
    associations: {
      rule: "Those that passed.",
      rows: [{
        object: "nose",
        class: "sad",
        measure: "phi",
        method: "Grad-CAM",
        value: 0.1,
        both: 1234,
      }],
    },
  });
  assert.deepEqual(table(html, "associations"), [
    ["nose", "sad", "0.10", "", "1\u202f234"],
  ]);
  assertIncludes(html, "Those that passed.");
});

Deno.test("the methods of one measure share rows and colours", () => {
  const html = report(DATA);
  const cell = (title: string) =>
    attribute(
      elements(html).find((element) =>
        element.tagName === "rect" && element.childNodes.some((child) => text(child) === title)
      )!,
      "fill",
    );
  // Grad-CAM's −0.7 makes the scale ±0.7 for Layer-CAM too, whose own largest value is 0.6.
  const colour = (limit: number) =>
    rgb(interpolateRdBu(1 - (0.4 + limit) / (2 * limit))).formatHex();
  assert.equal(cell("mouth × happy: 0.400"), colour(0.7));
  assert.notEqual(colour(0.7), colour(0.6));
  assertIncludes(html, "Rows: as for Grad-CAM, for comparison.");
});

Deno.test("report is one file that forbids scripts, requests and any style but its own", () => {
  const html = report(DATA);
  const policy = named(html, "meta").map((meta) => attribute(meta, "content") ?? "")
    .find((content) => content.startsWith("default-src"))!;
  const style = text(named(html, "style")[0]);
  const hash = createHash("sha256").update(style).digest("base64");
  assert.equal(
    policy,
    `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
  );
  assert.doesNotMatch(style, /url\(|@import/);
  for (const element of elements(html)) {
    assertExcludes(["script", "link", "iframe", "object", "embed", "base"], element.tagName);
    for (const { name, value } of element.attrs) {
      assert.ok(!name.startsWith("on"), `${name}=${value}`);
      assert.ok(name !== "style", `${name}=${value}`);
      assert.ok(name !== "src", `${name}=${value}`);
      if (name === "href") assert.match(value, /^(#|data:image\/(png|jpeg);base64,)/);
    }
  }
});

Deno.test("report escapes everything that comes from outside", () => {
  const evil = `</title></style><script>alert(1)</script>"'&\n\u202e`;
  const shown = `</title></style><script>alert(1)</script>"'&⟨U+000A⟩⟨U+202E⟩`;
  const poison = <T>(value: T): T =>
    typeof value === "string"
      ? value + evil as T
      : Array.isArray(value)
      ? value.map(poison) as T
      : value !== null && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, v]) => [key, poison(v)])) as T
      : value;
  const html = report(poison(DATA));
  assertExcludes(html, "<script");
  assert.equal(text(named(html, "h1")[0]), `Six photographs${shown}`);
  assert.equal(text(named(html, "title")[0]), `Six photographs${shown} – emocam report`);
  assert.deepEqual(table(html, "failures")[0], [
    `photos/broken.jpg${shown}`,
    `Cannot decode an image: premature end${shown}`,
  ]);
  // The structure is that of the harmless page; only the lines of wrapped text in figures differ.
  const structure = (page: string) =>
    elements(page).map(({ tagName }) => tagName).filter((name) =>
      !["text", "rect", "path"].includes(name)
    );
  assert.deepEqual(
    structure(html).filter((n) => n !== "title"),
    structure(report(DATA)).filter((n) => n !== "title"),
  );
});

Deno.test("report of a run without anything is a page that says so", () => {
  const html = report(EMPTY_DATA);
  const content = text(named(html, "main")[0]);
  for (
    const part of [
      "This run made no association matrix.",
      "No sample is shown.",
      "Not measured.",
      "No model was used.",
      "All images could be used.",
    ]
  ) {
    assertIncludes(content, part);
  }
  assert.doesNotMatch(text(parse(html)).replaceAll("(NaN)", ""), /NaN|undefined|null|Infinity/);
});

Deno.test("report with matrices that are empty, NaN only or 0 only does not fail", () => {
  for (
    const matrix of [
      { ...MATRIX, objects: [], values: [] },
      { ...MATRIX, values: [NaN, NaN, NaN, NaN] },
      { ...MATRIX, values: [0, 0, 0, 0] },
    ]
  ) {
    const html = report({ ...DATA, matrices: [matrix], associations: { rule: "", rows: [] } });
    assertIncludes(html, "No cell of a matrix has a value");
    assertIncludes(html, "phi of object × class, Grad-CAM");
  }
});

Deno.test("report folds long lists of failures, shows 200, and counts the rest", () => {
  const failures = Array.from({ length: 1234 }, (_, i) => ({ path: `p${i}`, reason: "r" }));
  const html = report({ ...DATA, failures });
  assert.equal(text(named(html, "summary")[0]), "1\u202f234 images with the reason");
  assert.equal(table(html, "failures").length, 200);
  assertIncludes(html, "1\u202f034 more are in the ledger.");
});

Deno.test("equal data give equal bytes, and no time is in them", () => {
  assert.equal(report(DATA), report(structuredClone(DATA)));
  assertExcludes(report(DATA), "Made ");
});
