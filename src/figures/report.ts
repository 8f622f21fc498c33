/**
 * The report of a run: one HTML file that works offline and without scripts.
 *
 * @module
 */

import { markup } from "./drawing/markup.ts";
import { SECTIONS } from "./page/sections/mod.ts";
import { cautionBox, tiles } from "./page/head.ts";
import { page, type PageSection } from "./page/page.ts";
import type { ReportData } from "./page/report_data.ts";

/**
 * Makes the page: question and counts, cautions, strongest associations, matrices, agreement of methods, samples, axioms, facts of the run, models, failures,
 * references. Equal data give equal bytes. All text is escaped, and the page's own policy forbids scripts, requests and
 * any style but its own, so that nothing in a foreign path or label can act.
 *
 * @throws {RangeError} when a matrix does not fit its names or an overlay has no size.
 */
export function report(data: ReportData): string {
  const sections = SECTIONS.filter(({ when }) => !when || when(data))
    .map(({ id, short, title, content }): PageSection => [id, short, title, content(data)]);
  return page({
    kind: "report",
    title: data.title,
    head: markup`<p class="lead">${data.question}</p>
${tiles(data)}`,
    caution: cautionBox(data),
    sections,
  });
}
