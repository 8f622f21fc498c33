/**
 * What was checked of the methods.
 *
 * @module
 */

import { flag } from "../../../base/flag.ts";
import type { Section } from "./section.ts";
import type { AxiomFinding } from "../report_data.ts";
import { lines, type Markup, markup } from "../../drawing/markup.ts";
import { significant } from "../../../base/number_text.ts";

/** The table of axioms, figures and verdicts. */
function axiomsSection(findings: readonly AxiomFinding[]): Markup {
  if (findings.length === 0) {
    return markup`<p>Not checked for these methods on this classifier. <code>emocam analyze ${
      flag("check")
    }</code>, or <code>emocam check ${
      flag("out")
    }</code> with the run's folder and then <code>analyze</code> again, does it; methods that fail are flagged in every table.</p>`;
  }
  const rows = findings.map((finding) => {
    const { method, axiom, value, bound, verdict, says } = finding;
    return markup`<tr><td class="name">${method}</td><td class="word">${axiom}</td><td class="number">${
      value === undefined ? "–" : significant(value)
    }</td><td class="number">${bound}</td><td class="word">${
      verdict === "fails"
        ? markup`<strong>fails</strong>`
        : verdict === "skipped"
        ? "not tested"
        : verdict
    }</td><td>${says}</td></tr>`;
  });
  return markup`<p>Properties that a method must have, checked on this classifier with a batch of samples. A method that fails one is flagged wherever it appears on this page.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Method</th><th scope="col">Axiom</th><th scope="col" class="number">Figure</th><th scope="col" class="number">Bound</th><th scope="col">Verdict</th><th scope="col">What the figure is, or why it is not tested</th></tr></thead>
<tbody>
${lines(rows)}
</tbody>
</table></div>`;
}

/** The section. */
export const axioms: Section = {
  id: "axioms",
  short: "Axioms",
  title: "Axioms of the methods",
  when: (data) => data.axioms !== undefined,
  content: ({ axioms }) => axiomsSection(axioms!),
};
