/**
 * The models, as their cards state them.
 *
 * @module
 */

import { count } from "../../../base/number_text.ts";
import type { Section } from "./section.ts";
import { EMPTY, lines, type Markup, markup } from "../../drawing/markup.ts";
import type { ModelFacts } from "../report_data.ts";

/** The models, as their cards state them. */
function modelsSection(models: readonly ModelFacts[]): Markup {
  if (models.length === 0) return markup`<p>No model was used.</p>`;
  return markup`<div class="cards">
${lines(models.map(modelCard))}
</div>`;
}

function modelCard(model: ModelFacts): Markup {
  const row = (name: string, value: string | undefined, code = false) =>
    value === undefined
      ? EMPTY
      : markup`<dt>${name}</dt><dd>${code ? markup`<code>${value}</code>` : value}</dd>`;
  return markup`<section><h4>${model.name}</h4><div class="soft">${model.role}${
    model.title ? `: ${model.title}` : ""
  }</div>
<dl class="facts">${row("Licence", model.licence)}${row("Source", model.source)}${
    row("Cite", model.citation)
  }${row("Note", model.note)}${
    row("Bytes", model.bytes === undefined ? undefined : count(model.bytes))
  }${row("SHA-256", model.sha256, true)}</dl></section>`;
}

/** The section. */
export const models: Section = {
  id: "models",
  short: "Models",
  title: "Models",
  content: ({ models }) => modelsSection(models),
};
