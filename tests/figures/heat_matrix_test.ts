import assert from "node:assert/strict";
import { interpolateRdBu, interpolateViridis } from "d3-scale-chromatic";
import { rgb } from "d3-color";
import type { AssociationMatrix } from "../../src/association/matrices.ts";
import { MISSING } from "../../src/figures/drawing/colour.ts";
import type { HeatMatrixData } from "../../src/figures/figure.ts";
import { heatMatrix, select } from "../../src/figures/heat_matrix.ts";
import { all, number, parseSvg, titleOf } from "./parse_svg.ts";
import {
  assertAtLeast,
  assertAtMost,
  assertEvery,
  assertExcludes,
  assertIncludes,
  assertLess,
  assertSome,
} from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const PHI: HeatMatrixData = {
  measure: "phi",
  signed: true,
  method: "Grad-CAM",
  objects: ["mouth", "nose"],
  classes: ["happy", "sad", "calm"],
  values: [0.1, -0.5, NaN, 0.25, 0, 0.3],
  n: 22,
  threshold: 0.3,
};

/** The cells by their titles. */
function cells(svg: string): Map<string, { x: number; y: number; fill: string | null }> {
  const entries = all(parseSvg(svg), "rect").flatMap((rect) => {
    const title = titleOf(rect);
    return title === undefined
      ? []
      : [[title, { x: number(rect, "x"), y: number(rect, "y"), fill: rect.getAttribute("fill") }]];
  });
  return new Map(entries as [string, { x: number; y: number; fill: string | null }][]);
}

function texts(svg: string): string[] {
  return all(parseSvg(svg), "text").map((text) => text.textContent ?? "");
}

Deno.test("heatMatrix colours each cell as the library's scale does, and a NaN cell grey", () => {
  const found = cells(heatMatrix(PHI));
  // Domain −0.5..0.5, so 0.1 lies at 0.6 of the scale, which runs from blue to red.
  const expected = (t: number) => rgb(interpolateRdBu(1 - t)).formatHex();
  assert.deepEqual([...found].map(([title, { fill }]) => [title, fill]).sort(), [
    ["mouth × calm: n/a", MISSING.fill],
    ["mouth × happy: 0.100", expected(0.6)],
    ["mouth × sad: −0.500", expected(0)],
    ["nose × calm: 0.300", expected(0.8)],
    ["nose × happy: 0.250", expected(0.75)],
    ["nose × sad: 0.000", expected(0.5)],
  ]);
});

Deno.test("heatMatrix takes viridis from 0 for a measure without a sign", () => {
  const found = cells(
    heatMatrix({ ...PHI, measure: "dice", signed: false, values: [0, 0.5, 1, 0.25, 0, 0] }),
  );
  assert.equal(found.get("mouth × sad: 0.500")?.fill, rgb(interpolateViridis(0.5)).formatHex());
  assert.equal(found.get("mouth × happy: 0.000")?.fill, rgb(interpolateViridis(0)).formatHex());
});

Deno.test("heatMatrix sorts rows by strength, keeps the order of columns, and lays cells on a grid", () => {
  const svg = heatMatrix({ ...PHI, values: [0.1, 0.2, NaN, 0.25, 0, 0.3] });
  const found = cells(svg);
  const at = (title: string) => found.get(title)!;
  // "nose" (0.3) is stronger than "mouth" (0.2), so it is the upper row.
  assertLess(at("nose × happy: 0.250").y, at("mouth × happy: 0.100").y);
  assert.equal(at("nose × happy: 0.250").x, at("mouth × happy: 0.100").x);
  assertLess(at("nose × happy: 0.250").x, at("nose × sad: 0.000").x);
  const step = at("nose × sad: 0.000").x - at("nose × happy: 0.250").x;
  assertClose(at("nose × calm: 0.300").x - at("nose × sad: 0.000").x, step, 0.011);
});

Deno.test("heatMatrix names quantity and method, states n and threshold, prints numbers and labels", () => {
  const found = texts(heatMatrix(PHI));
  for (
    const text of [
      "phi of object × class, Grad-CAM",
      "n = 22 samples; 2 objects × 3 classes; salient: importance over 0.30.",
      "Rows: all 2 objects, sorted by the largest |phi| for any class.",
      "no value: 1 cell",
      "mouth",
      "calm",
      "−0.50",
      "0.25",
    ]
  ) {
    assert.ok(found.includes(text), `${text} is not among ${found.join(" | ")}`);
  }
});

Deno.test("heatMatrix keeps everything inside its sheet", () => {
  const root = parseSvg(heatMatrix(PHI));
  const [width, height] = [number(root, "width"), number(root, "height")];
  for (const rect of all(root, "rect").slice(1)) {
    assertAtLeast(number(rect, "x"), 0);
    assertAtMost(number(rect, "x") + number(rect, "width"), width);
    assertAtLeast(number(rect, "y"), 0);
    assertAtMost(number(rect, "y") + number(rect, "height"), height);
  }
  for (const text of all(root, "text")) {
    assertAtMost(number(text, "y"), height);
    assertAtLeast(number(text, "y"), number(text, "font-size") * 0.7);
  }
});

Deno.test("heatMatrix of 601 objects and 20 classes shows the 40 strongest rows without numbers, and says so", () => {
  const objects = Array.from({ length: 601 }, (_, i) => `object ${i}`);
  const classes = Array.from({ length: 20 }, (_, j) => `class ${j}`);
  // Row i's largest value is (i + 1) / 601, in column i % 20: the last 40 rows are the strongest.
  const values = new Float64Array(601 * 20);
  objects.forEach((_, i) => values[i * 20 + (i % 20)] = (i + 1) / 601);
  const data = { measure: "dice", method: "Grad-CAM", objects, classes, values, n: 25869 };
  const svg = heatMatrix(data);
  const found = cells(svg);
  assert.equal(found.size, 40 * 20);
  const rows = [...new Set([...found.keys()].map((title) => title.split(" × ")[0]))];
  assert.deepEqual(rows, objects.slice(561).toReversed());
  assertIncludes(
    texts(svg).join(" "),
    "Rows: the first 40 of 601 objects, sorted by the largest dice for any class.",
  );
  assertExcludes(texts(svg), "1.00");
  assertLess(svg.length, 200_000);
});

Deno.test("select breaks ties by name, puts rows without a value last, and can cut columns too", () => {
  const data = {
    measure: "dice",
    method: "m",
    objects: ["b", "none", "a", "c"],
    classes: ["x", "y", "z"],
    values: [0.5, 0, 0, NaN, NaN, NaN, 0, 0.5, 0, 0, 0, 0.9],
  };
  assert.deepEqual(select(data).rows, [3, 2, 0, 1]);
  // Strength of the columns: x .5, y .5, z .9; kept in the order of the matrix.
  const cut = select(data, { maxColumns: 2 });
  assert.deepEqual(cut.columns, [0, 2]);
  assert.equal(
    cut.notes[1],
    "Columns: the 2 of 3 classes with the largest dice for any object.",
  );
});

Deno.test("heatMatrix draws given rows in their order with their reason, and a shared scale", () => {
  const rows = { objects: ["nose", "unknown", "mouth"], rule: "Rows: as in figure 1." };
  const svg = heatMatrix(PHI, { rows, scaleOver: [-1, 1] });
  assertIncludes(texts(svg), "Rows: as in figure 1.");
  const found = cells(svg);
  assertLess(found.get("nose × sad: 0.000")!.y, found.get("mouth × sad: −0.500")!.y);
  assert.equal(
    found.get("mouth × sad: −0.500")!.fill,
    rgb(interpolateRdBu(0.75)).formatHex(),
  );
});

Deno.test("heatMatrix hatches every cell when no cell has a value, and states it", () => {
  const svg = heatMatrix({ ...PHI, values: new Array(6).fill(NaN) });
  const found = cells(svg);
  assert.equal(found.size, 6);
  assertEvery([...found.values()], ({ fill }) => fill === MISSING.fill);
  assertIncludes(texts(svg), "no value: 6 cells");
  const hatching = all(parseSvg(svg), "path").filter((path) =>
    path.getAttribute("stroke") === MISSING.line
  );
  // One path for the cells, one for the legend.
  assert.equal(hatching.length, 2);
});

Deno.test("heatMatrix of one cell and of none are figures too", () => {
  const one = heatMatrix({ ...PHI, objects: ["a"], classes: ["b"], values: [0.4] });
  assert.deepEqual([...cells(one).keys()], ["a × b: 0.400"]);
  for (const [objects, classes] of [[[], ["b"]], [["a"], []], [[], []]] as string[][][]) {
    const none = heatMatrix({ ...PHI, objects, classes, values: [] });
    assert.equal(cells(none).size, 0);
    assertSome(texts(none), (text) => text.startsWith("Empty:"));
  }
});

Deno.test("heatMatrix prints counts without decimals and infinite values as such", () => {
  assertIncludes(
    texts(heatMatrix({ ...PHI, measure: "count", values: [3, 0, 12, 1, 2, NaN] })),
    "12",
  );
  const odds = heatMatrix({
    ...PHI,
    measure: "log-odds",
    values: [Infinity, -Infinity, 1.5, 0, 0, 0],
  });
  assertIncludes(texts(odds), "∞");
  assertIncludes(texts(odds), "−∞");
  assertIncludes(texts(odds), "1.50");
});

Deno.test("heatMatrix shortens extreme labels, keeps the whole label as title, and escapes all of them", () => {
  const long = "Ω".repeat(5000),
    evil = `</svg><script>alert("1")</script>\n'&`,
    rtl = "a\u202eשלום😀";
  const svg = heatMatrix({
    ...PHI,
    objects: [long, evil],
    classes: [rtl, evil, long],
    method: evil,
  });
  const root = parseSvg(svg);
  assert.equal(all(root, "script").length, 0);
  assertLess(number(root, "width"), 900);
  const titles = [...cells(svg).keys()];
  assertSome(titles, (title) => title.startsWith(long));
  assertSome(titles, (title) => title.includes(`</svg><script>alert("1")</script>⟨U+000A⟩'&`));
  assertSome(titles, (title) => title.includes("a⟨U+202E⟩שלום😀"));
});

Deno.test("heatMatrix gives the same bytes for the same data and takes an AssociationMatrix as it is", () => {
  const matrix: AssociationMatrix = {
    measure: "dice",
    units: "Dice, 0..1",
    signed: false,
    method: "grad-cam",
    threshold: 0.3,
    objects: ["a"],
    classes: ["b", "c"],
    values: Float64Array.of(0.5, NaN),
  };
  assert.equal(heatMatrix(matrix), heatMatrix(structuredClone(matrix)));
  assertIncludes(texts(heatMatrix(matrix)), "Dice, 0..1");
});

Deno.test("heatMatrix in outlines holds no text element but the same cells", () => {
  const outlined = heatMatrix(PHI, { text: "outlines" });
  assert.equal(all(parseSvg(outlined), "text").length, 0);
  assert.deepEqual(cells(outlined), cells(heatMatrix(PHI)));
});

Deno.test("heatMatrix on a page has no ground and takes the page's colour", () => {
  const print = parseSvg(heatMatrix(PHI)), page = parseSvg(heatMatrix(PHI, { ink: "page" }));
  assert.equal(all(print, "rect")[0].getAttribute("fill"), "#ffffff");
  assert.equal(all(page, "rect").length, all(print, "rect").length - 1);
  assert.equal(all(page, "text")[0].getAttribute("fill"), "currentColor");
});

Deno.test("heatMatrix refuses values that do not fit the names", () => {
  assert.throws(
    () => heatMatrix({ ...PHI, values: [1] }),
    new RangeError("Cannot draw a matrix of 2 objects and 3 classes: 1 values"),
  );
});
