/**
 * The parts of a report that show what was found: the strongest associations, the matrices, the samples.
 *
 * @module
 */

import { compareCodePoints } from "../../base/code_points.ts";
import { lines, type Markup, markup, trusted } from "../drawing/markup.ts";
import { coordinate, count, fixed, plural, probability } from "../drawing/number_text.ts";
import type { HeatMatrixData } from "../figure.ts";
import { heatMatrix, select } from "../heat_matrix.ts";
import { overlay } from "../overlay.ts";
import type { Association, Associations, ReportData, SampleFigure } from "./report_data.ts";

const STRONGEST = 10;

/**
 * The ten cells of a matrix with the largest |value|, ties by object and class; NaN is left out. With a sign, so a strong absence of an
 * association is found too.
 */
export function strongestAssociations(matrix: HeatMatrixData): Associations {
  const { objects, classes, values } = matrix;
  const rows: Association[] = objects.flatMap((object, i) =>
    classes.map((name, j) => ({
      object,
      class: name,
      measure: matrix.measure,
      method: matrix.method,
      value: values[i * classes.length + j],
    }))
  ).filter(({ value }) => !Number.isNaN(value) && value !== 0);
  rows.sort((a, b) =>
    Math.abs(b.value) - Math.abs(a.value) || compareCodePoints(a.object, b.object) ||
    compareCodePoints(a.class, b.class)
  );
  const shown = rows.slice(0, STRONGEST);
  return {
    rule: `The ${
      plural(shown.length, "cell")
    } with the largest |${matrix.measure}| by ${matrix.method}; ties by name; cells without a value or at 0 are left out.`,
    rows: shown,
  };
}

/** The table of the strongest associations; the other methods' values of the same cells stand beside. */
export function findingsSection(data: ReportData): Markup {
  const found = data.associations ??
    (data.matrices.length > 0 ? strongestAssociations(data.matrices[0]) : undefined);
  if (!found) return markup`<p>This run made no association matrix.</p>`;
  if (found.rows.length === 0) {
    return markup`<p>No cell of the matrix has a value other than 0: there were too few salient boxes or samples.</p>
<p class="soft">${found.rule}</p>`;
  }
  const { rows } = found;
  const limit = Math.max(...rows.map(({ value }) => Number.isFinite(value) ? Math.abs(value) : 0));
  const signed = rows.some(({ value }) => value < 0);
  const has = (key: keyof Association) => rows.some((row) => row[key] !== undefined);
  const methods = [...new Set(rows.map(({ method }) => method))];
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  const same = methods.length === 1 && measures.length === 1;
  const others = same
    ? data.matrices.filter((m) => m.measure === measures[0] && m.method !== methods[0])
    : [];
  // Columns that no row has anything for are not there at all.
  const columns: { head: string; number?: boolean; cell: (row: Association) => Markup }[] = [
    { head: "Object", cell: (row) => markup`<bdi>${row.object}</bdi>` },
    { head: "Class", cell: (row) => markup`<bdi>${row.class}</bdi>` },
    ...(same ? [] : [
      { head: "Measure", cell: (row: Association) => markup`${row.measure}` },
      { head: "Method", cell: (row: Association) => markup`${row.method}` },
    ]),
    {
      head: same ? `${measures[0]}, ${methods[0]}` : "Value",
      number: true,
      cell: (row) => markup`${decimals(row.value)}`,
    },
    ...(has("interval")
      ? [{
        head: "Interval",
        number: true,
        cell: ({ interval }: Association) =>
          markup`${interval ? `${decimals(interval[0])} to ${decimals(interval[1])}` : "–"}`,
      }]
      : []),
    ...(["p", "q"] as const).filter(has).map((key) => ({
      head: key,
      number: true,
      cell: (row: Association) => markup`${row[key] === undefined ? "–" : probability(row[key])}`,
    })),
    ...([["both", "Samples with both"], ["withObject", "with object"], [
      "withClass",
      "with class",
    ]] as const)
      .filter(([key]) => has(key))
      .map(([key, head]) => ({
        head,
        number: true,
        cell: (row: Association) => markup`${row[key] === undefined ? "–" : count(row[key])}`,
      })),
    ...others.map((matrix) => ({
      head: matrix.method,
      number: true,
      cell: (row: Association) => markup`${decimals(valueIn(matrix, row))}`,
    })),
  ];
  const valueColumn = columns.findIndex(({ head }) =>
    head === "Value" || head === `${measures[0]}, ${methods[0]}`
  );
  const className = (column: { number?: boolean }, i: number) =>
    column.number ? markup` class="number"` : markup`${i < 2 ? markup` class="name"` : null}`;
  const head = columns.map((column, i) =>
    markup`<th scope="col"${column.number ? markup` class="number"` : null}>${column.head}</th>${
      i === valueColumn ? markup`<th class="bar" aria-hidden="true"></th>` : null
    }`
  );
  const body = rows.map((row) =>
    markup`<tr>${
      columns.map((column, i) =>
        markup`<td${className(column, i)}>${column.cell(row)}</td>${
          i === valueColumn
            ? markup`<td class="bar" aria-hidden="true">${bar(row.value, limit, signed)}</td>`
            : null
        }`
      )
    }</tr>`
  );
  return markup`<div class="scroll"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${lines(body)}
</tbody></table></div>
<p class="soft">${found.rule}${
    others.length > 0
      ? " The columns on the right hold the same cells by the other methods: a finding that only one method shows is weak."
      : ""
  }</p>`;
}

function decimals(value: number): string {
  return fixed(value, value % 1 === 0 && Math.abs(value) > 1 ? 0 : 2);
}

function valueIn(matrix: HeatMatrixData, row: Association): number {
  const i = matrix.objects.indexOf(row.object), j = matrix.classes.indexOf(row.class);
  return i < 0 || j < 0 ? NaN : matrix.values[i * matrix.classes.length + j];
}

/** A value as a bar from 0, in the middle where signs occur. */
function bar(value: number, limit: number, signed: boolean): Markup {
  const width = 120, zero = signed ? width / 2 : 0;
  const share = Math.min(1, Math.abs(value) / (limit || 1)) || 0;
  const length = share * (signed ? width / 2 : width);
  const x = value < 0 ? zero - length : zero;
  const kind = !signed ? "one" : value < 0 ? "minus" : "plus";
  return trusted(
    `<svg width="${width}" height="13" viewBox="0 0 ${width} 13"><rect class="${kind}" x="${
      coordinate(x)
    }" y="1.5" width="${coordinate(length)}" height="10"/><path class="axis" d="M${
      Math.max(0.5, zero)
    } 0v13"/></svg>`,
  );
}

/** All matrices as heat maps; where there are several methods, a heading for each measure, and one scale and one choice of rows within it. */
export function matricesSection(data: ReportData): Markup {
  const groups = [...Map.groupBy(data.matrices, ({ measure }) => measure).values()];
  if (groups.length === 0) return markup`<p>This run made no association matrix.</p>`;
  // One method: the figures' own titles say enough, and they can stand side by side.
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

/** The samples shown, each with map and boxes. */
export function samplesSection(data: ReportData): Markup {
  const { shown, rule } = data.samples;
  if (shown.length === 0) return markup`<p>No sample is shown.</p>`;
  return markup`<p class="soft">${count(shown.length)} of ${
    count(data.counts.samples)
  } samples. ${rule}</p>
<p class="soft">The map is relative to its own picture: its lowest value there is 0, its highest 1. A box's number is the mean of the map in it.</p>
<div class="samples">
${lines(shown.map(sampleFigure))}
</div>`;
}

function sampleFigure(sample: SampleFigure): Markup {
  return markup`<figure>${
    trusted(overlay(sample.overlay, { ink: "page" }))
  }<figcaption><bdi class="path">${sample.path}</bdi>${
    sample.part ? `, ${sample.part}` : null
  }<br>predicted: <bdi>${sample.predicted}</bdi>, p = ${fixed(sample.probability)}${
    sample.annotation === undefined ? null : markup`<br>annotated: <bdi>${sample.annotation}</bdi>`
  }</figcaption></figure>`;
}
