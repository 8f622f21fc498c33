/**
 * Samples of the run, each with its map and boxes.
 *
 * @module
 */

import { count, fixed, plural } from "../../../base/number_text.ts";
import type { Section } from "./section.ts";
import { EMPTY, lines, type Markup, markup, trusted } from "../../drawing/markup.ts";
import type { ReportData, SampleFigure } from "../report_data.ts";
import { overlay } from "../../overlay.ts";

/** The samples shown, each with map and boxes. */
function samplesSection(data: ReportData): Markup {
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

/** The section. */
export const samples: Section = {
  id: "samples",
  short: "Samples",
  title: "Samples",
  content: samplesSection,
};
