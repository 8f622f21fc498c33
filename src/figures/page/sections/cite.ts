/**
 * References and credits.
 *
 * @module
 */

import type { Section } from "./section.ts";
import { lines, type Markup, markup } from "../../drawing/markup.ts";
import type { ReportData } from "../report_data.ts";

/** References and credits. */
function creditsSection(data: ReportData): Markup {
  const list = (items: readonly string[]) =>
    markup`<ul>
${lines(items.map((text) => markup`<li>${text}</li>`))}
</ul>`;
  return markup`${
    data.cite.length > 0 ? list(data.cite) : markup`<p class="soft">No references were given.</p>`
  }${data.credits.length > 0 ? markup`\n<h3>Photographs</h3>\n${list(data.credits)}` : null}`;
}

/** The section. */
export const cite: Section = {
  id: "cite",
  short: "Cite",
  title: "How to cite",
  content: creditsSection,
};
