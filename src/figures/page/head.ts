/**
 * The head of a report: its most important counts, and the box of cautions.
 *
 * @module
 */

import { lines, type Markup, markup } from "../drawing/markup.ts";
import { count } from "../../base/number_text.ts";
import type { ReportData } from "./report_data.ts";

/** The most important counts, large. */
export function tiles(data: ReportData): Markup {
  const { counts, matrices } = data;
  const [first] = matrices;
  const tile = (value: number, name: string, bad = false) =>
    markup`<li${bad ? markup` class="bad"` : null}><b>${count(value)}</b><span>${name}</span></li>`;
  return markup`<ul class="tiles">
${
    lines([
      tile(counts.images, counts.images === 1 ? "image" : "images"),
      ...(counts.failed > 0 ? [tile(counts.failed, "of them could not be used", true)] : []),
      tile(
        counts.samples,
        counts.sampleKind ? `samples (${counts.sampleKind}s)` : "samples",
      ),
      tile(counts.boxes, "boxes"),
      ...(first
        ? [tile(first.objects.length, "objects"), tile(first.classes.length, "classes")]
        : []),
    ])
  }
</ul>`;
}

const GENERAL_CAUTIONS: readonly string[] = [
  "A predicted class is a model's guess about a picture. It says nothing certain about what a person in it feels, and such models are wrong more often for some groups of people than for others.",
  "A map shows where a network's output reacts, seen through one method. It can be wrong or vague; methods that disagree, and maps of a few cells enlarged to a picture, deserve doubt.",
  "An association holds for these images, this classifier and this detector. It is not a cause: objects that come along with the scene, the pose or the crop are associated too.",
  "Objects and classes that are frequent reach high values of measures such as Dice by that alone. Read them beside phi, which is 0 under independence, and beside n.",
];

/** The box of cautions, with the run's own warnings first. */
export function cautionBox(data: ReportData): Markup {
  return markup`<section class="caution"><h2>Read with care</h2><ul>
${lines([...(data.cautions ?? []), ...GENERAL_CAUTIONS].map((text) => markup`<li>${text}</li>`))}
</ul></section>`;
}
