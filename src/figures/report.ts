/**
 * The report of a run: one HTML file that works offline and without scripts.
 *
 * @module
 */

import { markup } from "./drawing/markup.ts";
import {
  agreementSection,
  findingsSection,
  matricesSection,
  samplesSection,
} from "./page/findings.ts";
import { axiomsSection } from "./page/axioms.ts";
import {
  cautionBox,
  creditsSection,
  failuresSection,
  modelsSection,
  runSection,
  tiles,
} from "./page/run_facts.ts";
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
  const sections: PageSection[] = [
    ["associations", "Associations", "Strongest associations", findingsSection(data)],
    ["matrices", "Matrices", "Association matrices", matricesSection(data)],
    ...data.agreement
      ? [
        [
          "agreement",
          "Agreement",
          "Agreement of methods",
          agreementSection(data.agreement),
        ] as const,
      ]
      : [],
    ["samples", "Samples", "Samples", samplesSection(data)],
    ...data.axioms
      ? [["axioms", "Axioms", "Axioms of the methods", axiomsSection(data.axioms)] as const]
      : [],
    ["run", "Run", "The run", runSection(data)],
    ["models", "Models", "Models", modelsSection(data.models)],
    ["failures", "Failures", "Images that could not be used", failuresSection(data)],
    ["cite", "Cite", "How to cite", creditsSection(data)],
  ];
  return page({
    kind: "report",
    title: data.title,
    head: markup`<p class="lead">${data.question}</p>
${tiles(data)}`,
    caution: cautionBox(data),
    sections,
  });
}
