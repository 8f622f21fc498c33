/**
 * How far the methods of a run agree, as a heat map.
 *
 * @module
 */

import type { Section } from "./section.ts";
import type { HeatMatrixData } from "../../figure.ts";
import { type Markup, markup, trusted } from "../../drawing/markup.ts";
import { heatMatrix } from "../../heat_matrix.ts";

/** How far methods agree, as a heat map. */
function agreementSection(agreement: HeatMatrixData): Markup {
  const rows = {
    objects: agreement.objects,
    rule: "Rows and columns in the order of the run's methods.",
  };
  return markup`<p>Correlations of the importances that two methods give the same boxes. High ones say that methods rank boxes alike, not that they are right: sizes and places of boxes count in all of them. A method's correlation with the controls says how much of its ranking does not depend on the model.</p>
<figure>${trusted(heatMatrix(agreement, { ink: "page", rows }))}</figure>`;
}

/** The section. */
export const agreement: Section = {
  id: "agreement",
  short: "Agreement",
  title: "Agreement of methods",
  when: (data) => data.agreement !== undefined,
  content: ({ agreement }) => agreementSection(agreement!),
};
