/**
 * The images that could not be used.
 *
 * @module
 */

import { count, plural } from "../../../base/number_text.ts";
import type { Section } from "./section.ts";
import { lines, type Markup, markup } from "../../drawing/markup.ts";
import type { ReportData } from "../report_data.ts";

const FAILURES_SHOWN = 200;

/** The images that could not be used; folded when there are many. */
function failuresSection(data: ReportData): Markup {
  const { failures } = data;
  if (failures.length === 0) {
    return markup`<p>${
      data.counts.failed === 0
        ? "All images could be used."
        : `${plural(data.counts.failed, "image")} failed; their reasons are not in this report.`
    }</p>`;
  }
  const rows = failures.slice(0, FAILURES_SHOWN).map(({ path, reason }) =>
    markup`<tr><td><bdi class="path">${path}</bdi></td><td><bdi>${reason}</bdi></td></tr>`
  );
  const table =
    markup`<div class="scroll"><table><thead><tr><th scope="col">Image</th><th scope="col">Why</th></tr></thead>
<tbody>
${lines(rows)}
</tbody></table></div>`;
  const rest = failures.length - rows.length;
  return markup`${
    failures.length > 10
      ? markup`<details><summary>${
        plural(failures.length, "image")
      } with the reason</summary>\n${table}</details>`
      : table
  }${rest > 0 ? markup`<p class="soft">${count(rest)} more are in the ledger.</p>` : null}`;
}

/** The section. */
export const failures: Section = {
  id: "failures",
  short: "Failures",
  title: "Images that could not be used",
  content: failuresSection,
};
