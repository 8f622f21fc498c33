/**
 * All association matrices, as heat maps.
 *
 * @module
 */

import type { Section } from "./section.ts";
import type { HeatMatrixData } from "../../figure.ts";
import { lines, type Markup, markup, trusted } from "../../drawing/markup.ts";
import type { ReportData } from "../report_data.ts";
import { heatMatrix, select } from "../../heat_matrix.ts";

/** All matrices as heat maps; for several methods, a heading for each measure, and one scale and one choice of rows within it. */
function matricesSection(data: ReportData): Markup {
  const groups = [...Map.groupBy(data.matrices, ({ measure }) => measure).values()];
  if (groups.length === 0) return markup`<p>This run made no association matrix.</p>`;
  // One method: the figures' own titles say enough, and they can be side by side.
  if (groups.every((group) => group.length === 1)) return figureRow(groups.flatMap(drawGroup));
  return lines(groups.map((group) =>
    markup`<h3>${group[0].measure}</h3>
${group.length > 1 ? markup`<p class="soft">The methods share one colour scale.</p>\n` : null}${
      figureRow(drawGroup(group))
    }`
  ));
}

function figureRow(figures: readonly Markup[]): Markup {
  return markup`<div class="matrices">
${lines(figures)}
</div>`;
}

/** The matrices of one measure, with one scale and the rows of the first. */
function drawGroup(matrices: readonly HeatMatrixData[]): Markup[] {
  const [first] = matrices;
  const scaleOver = matrices.flatMap(({ values }) => Array.from(values));
  const chosen = select(first).rows.map((i) => first.objects[i]);
  return matrices.map((matrix, i) => {
    const rows = i === 0 || !sameNames(matrix.objects, first.objects)
      ? {}
      : { rows: { objects: chosen, rule: `Rows: as for ${first.method}, for comparison.` } };
    return markup`<figure>${
      trusted(heatMatrix(matrix, { ink: "page", scaleOver, ...rows }))
    }</figure>`;
  });
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

/** The section. */
export const matrices: Section = {
  id: "matrices",
  short: "Matrices",
  title: "Association matrices",
  content: matricesSection,
};
