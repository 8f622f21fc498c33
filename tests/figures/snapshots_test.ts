/** Each figure as it is drawn, byte for byte; tests/golden/figures/README.md says how the stored ones are renewed. */

import assert from "node:assert/strict";
import type { HeatMatrixData, OverlayData } from "../../src/figures/figure.ts";
import { heatMatrix } from "../../src/figures/heat_matrix.ts";
import { overlay } from "../../src/figures/overlay.ts";
import type { ReportData } from "../../src/figures/mod.ts";
import { associations } from "../../src/figures/page/sections/associations.ts";

const FOLDER = new URL("../golden/figures/", import.meta.url);

/** Signed values, one of them missing, with nearly the largest of both signs and a label that must be escaped. */
const PHI: HeatMatrixData = {
  measure: "phi",
  signed: true,
  method: "Grad-CAM",
  objects: ["mouth", "nose", "<eye> & brow"],
  classes: ["happy", "sad", "calm"],
  values: [0.62, -0.5, NaN, 0.25, 0, -0.08, 0.02, 0.31, -0.61],
  units: "phi, −1..1",
  n: 22,
  threshold: 0.3,
};

/** Values of one sign, of which only the strongest rows are drawn. */
const DICE: HeatMatrixData = {
  measure: "dice",
  method: "LRP-CAM",
  objects: ["car", "tree", "dog", "person"],
  classes: ["joy", "fear"],
  values: [0.1, 0.05, 0.2, 0.4, 0.9, 0, 0.55, 1],
  units: "Dice, 0..1",
  n: 1034,
  threshold: 0.3,
};

/** Two of three boxes are within the picture: one salient, one without an importance. */
const OVERLAY: OverlayData = {
  title: "Grad-CAM: happy (p = 0.98)",
  subtitle: "face 1 of group1.jpg",
  width: 300,
  height: 200,
  map: { region: { x0: 60, y0: 40, x1: 240, y1: 190 } },
  boxes: [
    { label: "mouth", x0: 100, y0: 120, x1: 180, y1: 160, importance: 0.42, salient: true },
    { label: "nose", x0: 20, y0: 50, x1: 60, y1: 90, importance: NaN, salient: false },
    { label: "hat", x0: 20, y0: -50, x1: 60, y1: -10, importance: 0.1, salient: false },
  ],
  threshold: 0.3,
};

/** The bars of the report's table of associations, one below the other; their colours are the page's, here three plain ones. */
function associationBars(values: readonly number[]): string {
  const rows = values.map((value, i) => ({
    ...{ object: `object ${i}`, class: "happy", measure: "phi", method: "Grad-CAM" },
    value,
  }));
  const data = { associations: { rule: "All.", rows } } as unknown as ReportData;
  const bars = associations.content(data).markup.match(/<svg.*?<\/svg>/g) ?? [];
  const placed = bars.map((bar, i) => bar.replace("<svg ", `<svg y="${16 * i}" `));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="${16 * bars.length}">` +
    "<style>.plus{fill:#b2182b}.minus{fill:#2166ac}.one{fill:#555}.axis{stroke:#888}</style>" +
    `${placed.join("")}</svg>`;
}

const FIGURES: Record<string, () => string> = {
  "association_bars": () => associationBars([0.8, 0.4, 0, NaN, 1]),
  "association_bars_signed": () => associationBars([0.8, -0.6, 0.05, -Infinity]),
  "heat_matrix_signed": () => heatMatrix(PHI),
  "heat_matrix_strongest_rows": () => heatMatrix(DICE, { maxRows: 3, ink: "page" }),
  "overlay": () => overlay(OVERLAY),
  "overlay_outlines": () => overlay(OVERLAY, { text: "outlines", legend: false, maxLabels: 1 }),
};

/** Where two texts part, line by line (a line an element), or `undefined`. */
function firstDifference(found: string, stored: string): string | undefined {
  if (found === stored) return undefined;
  const split = (text: string) => text.replaceAll("><", ">\n<").split("\n");
  const [ours, theirs] = [split(found), split(stored)];
  const at = ours.findIndex((line, i) => line !== theirs[i]);
  if (at < 0) return `element ${ours.length + 1} is missing: ${theirs[ours.length]}`;
  return `element ${at + 1} is\n  ${ours[at]}\nand not, as stored,\n  ${theirs[at] ?? "the end"}`;
}

for (const [name, draw] of Object.entries(FIGURES)) {
  Deno.test(`the figure ${name} is drawn as it is stored`, async () => {
    const file = new URL(`${name}.svg`, FOLDER), svg = `${draw()}\n`;
    if (Deno.env.get("EMOCAM_UPDATE") === "1") {
      assert.equal(
        Deno.env.get("CI"),
        undefined,
        "stored figures are renewed by hand, never in CI",
      );
      await Deno.writeTextFile(file, svg);
    }
    const difference = firstDifference(svg, await Deno.readTextFile(file));
    assert.equal(difference, undefined, `${name}: ${difference}`);
  });
}

Deno.test("a changed figure is told by its first different element", () => {
  assert.equal(firstDifference("<a><b/></a>", "<a><b/></a>"), undefined);
  assert.equal(
    firstDifference("<a><b/></a>", "<a><c/></a>"),
    "element 2 is\n  <b/>\nand not, as stored,\n  <c/>",
  );
  assert.equal(firstDifference("<a>", "<a><c/>"), "element 2 is missing: <c/>");
  assert.match(firstDifference("<a><c/>", "<a>")!, /as stored,\n {2}the end$/);
});

Deno.test("every stored figure is one that is drawn", async () => {
  const stored = (await Array.fromAsync(Deno.readDir(FOLDER))).map(({ name }) => name);
  assert.deepEqual(
    stored.toSorted(),
    ["README.md", ...Object.keys(FIGURES).map((name) => `${name}.svg`)].toSorted(),
  );
});
