/**
 * The strongest associations, as a table.
 *
 * @module
 */

import type { AssociationRow, ReportData } from "../report_data.ts";
import { coordinate, count, fixed } from "../../../base/number_text.ts";
import type { Section } from "./section.ts";
import { lines, type Markup, markup, trusted } from "../../drawing/markup.ts";

/** A column of the table of associations. */
interface Column {
  readonly head: string;
  readonly number?: boolean;
  /** Whether the column is there; without it, always. */
  readonly when?: boolean;
  cell(row: AssociationRow): Markup;
}

/** The columns of these rows, those left out that no row has anything for; and which of them is the value's. */
function columnsOf(rows: readonly AssociationRow[]): { columns: Column[]; value: Column } {
  const has = (key: keyof AssociationRow) => rows.some((row) => row[key] !== undefined);
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
function findingsSection({ associations: { rows, rule } }: ReportData): Markup {
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
      ? ". Values and counts are those of the median method. Methods are not independent witnesses: on some networks many of them give one and the same map (see Agreement)."
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

/** The section. */
export const associations: Section = {
  id: "associations",
  short: "Associations",
  title: "Strongest associations",
  content: findingsSection,
};
