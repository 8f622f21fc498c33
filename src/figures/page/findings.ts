/**
 * The parts of a report that show what was found: the strongest associations, the matrices, the samples.
 *
 * @module
 */

import { EMPTY, lines, type Markup, markup, trusted } from "../drawing/markup.ts";
import { coordinate, count, fixed, plural } from "../../base/number_text.ts";
import type { HeatMatrixData } from "../figure.ts";
import { heatMatrix, select } from "../heat_matrix.ts";
import { overlay } from "../overlay.ts";
import type { Association, ReportData, SampleFigure } from "./report_data.ts";

/** A column of the table of associations. */
interface Column {
  readonly head: string;
  readonly number?: boolean;
  /** Whether the column is there; without it, always. */
  readonly when?: boolean;
  cell(row: Association): Markup;
}

/** The columns of these rows, those left out that no row has anything for; and which of them is the value's. */
function columnsOf(rows: readonly Association[]): { columns: Column[]; value: Column } {
  const has = (key: keyof Association) => rows.some((row) => row[key] !== undefined);
  const methods = [...new Set(rows.map(({ method }) => method))];
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  const same = methods.length === 1 && measures.length === 1;
  const several = has("methods");
  const counted = (head: string, key: "both" | "withObject" | "withClass"): Column => ({
    head,
    number: true,
    when: has(key),
    cell: (row) => markup`${row[key] === undefined ? "–" : count(row[key])}`,
  });
  const value: Column = {
    head: several ? measures.join(", ") : same ? `${measures[0]}, ${methods[0]}` : "Value",
    number: true,
    cell: (row) => markup`${decimals(row.value)}`,
  };
  const columns: Column[] = [
    { head: "Object", cell: ({ object }) => markup`<bdi>${object}</bdi>` },
    { head: "Class", cell: (row) => markup`<bdi>${row.class}</bdi>` },
    { head: "Measure", when: !same && !several, cell: ({ measure }) => markup`${measure}` },
    { head: "Method", when: !same && !several, cell: ({ method }) => markup`${method}` },
    value,
    {
      head: "Range of methods",
      number: true,
      when: several,
      cell: ({ methods }) =>
        markup`${methods ? `${decimals(methods.least)} to ${decimals(methods.greatest)}` : "–"}`,
    },
    {
      head: "Same sign",
      number: true,
      when: several,
      cell: ({ methods }) => markup`${methods ? `${methods.agreeing} of ${methods.defined}` : "–"}`,
    },
    counted("Samples with both", "both"),
    counted("with object", "withObject"),
    counted("with class", "withClass"),
  ];
  return { columns: columns.filter(({ when }) => when !== false), value };
}

/** The table of the strongest associations. */
export function findingsSection({ associations: { rows, rule } }: ReportData): Markup {
  if (rows.length === 0) {
    return markup`<p>No cell of a matrix has a value: there were too few salient boxes or samples.</p>`;
  }
  const limit = Math.max(...rows.map(({ value }) => Number.isFinite(value) ? Math.abs(value) : 0));
  const signed = rows.some(({ value }) => value < 0);
  const { columns, value } = columnsOf(rows);
  const className = (column: Column, i: number) =>
    column.number ? markup` class="number"` : markup`${i < 2 ? markup` class="name"` : null}`;
  const head = columns.map((column) =>
    markup`<th scope="col"${column.number ? markup` class="number"` : null}>${column.head}</th>${
      column === value ? markup`<th class="bar" aria-hidden="true"></th>` : null
    }`
  );
  const body = rows.map((row) =>
    markup`<tr>${
      columns.map((column, i) =>
        markup`<td${className(column, i)}>${column.cell(row)}</td>${
          column === value
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
<p class="soft">${rule.charAt(0).toUpperCase()}${rule.slice(1)}${
    rows.some(({ methods }) => methods !== undefined)
      ? ". Values and counts are those of the method in the middle. Methods are no independent witnesses: on some networks many of them give one and the same map (see Agreement)."
      : ""
  }</p>`;
}

function decimals(value: number): string {
  return fixed(value, value % 1 === 0 && Math.abs(value) > 1 ? 0 : 2);
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

/** How far methods agree, as a heat map. */
export function agreementSection(agreement: HeatMatrixData): Markup {
  const rows = {
    objects: agreement.objects,
    rule: "Rows and columns in the order of the run's methods.",
  };
  return markup`<p>Correlations of the importances that two methods give the same boxes. High ones say that methods rank boxes alike, not that they are right: sizes and places of boxes count in all of them. A method's correlation with the controls says how much of its ranking needs no look at the model.</p>
<figure>${trusted(heatMatrix(agreement, { ink: "page", rows }))}</figure>`;
}

/** All matrices as heat maps; for several methods, a heading for each measure, and one scale and one choice of rows within it. */
export function matricesSection(data: ReportData): Markup {
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

/** The samples shown, each with map and boxes. */
export function samplesSection(data: ReportData): Markup {
  const { shown, rule, missing = [] } = data.samples;
  const gone = missing.length === 0
    ? EMPTY
    : markup`<p>${plural(missing.length, "picture")} could not be drawn:</p>
<ul>
${
      lines(
        missing.map(({ path, reason }) =>
          markup`<li><bdi class="path">${path}</bdi>: <bdi>${reason}</bdi></li>`
        ),
      )
    }
</ul>
`;
  if (shown.length === 0) return markup`${gone}<p>No sample is shown.</p>`;
  return markup`${gone}<p class="soft">${count(shown.length)} of ${
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
  }<br>predicted: <bdi>${sample.predicted}</bdi>, p = ${
    fixed(sample.probability)
  }</figcaption></figure>`;
}
