/**
 * The parts of a report that say how it came about: counts, settings, models, runtime, time, failures, references.
 *
 * @module
 */

import { EMPTY, lines, type Markup, markup } from "../drawing/markup.ts";
import { count, duration, plural } from "../../base/number_text.ts";
import type { Fact, ModelFacts, ReportCounts, ReportData, Stage } from "./report_data.ts";

const FAILURES_SHOWN = 200;

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
  "A map shows where a network's output reacts, seen through one method. It can be wrong or vague; methods that disagree, and maps of a few cells blown up to a picture, call for doubt.",
  "An association holds for these images, this classifier and this detector. It is not a cause: objects that come along with the scene, the pose or the crop are associated too.",
  "Objects and classes that are frequent reach high values of measures such as Dice by that alone. Read them beside phi, which is 0 under independence, and beside n.",
];

/** The box of cautions, with the run's own warnings first. */
export function cautionBox(data: ReportData): Markup {
  return markup`<section class="caution"><h2>Read with care</h2><ul>
${lines([...(data.cautions ?? []), ...GENERAL_CAUTIONS].map((text) => markup`<li>${text}</li>`))}
</ul></section>`;
}

function factList(facts: readonly Fact[]): Markup {
  return markup`<dl class="facts">
${lines(facts.map(({ name, value }) => markup`<dt>${name}</dt><dd>${value}</dd>`))}
</dl>`;
}

function countFacts(counts: ReportCounts): Fact[] {
  const facts: Fact[] = [
    {
      name: "Images",
      value: `${count(counts.images)}: ${count(counts.images - counts.failed)} used, ${
        count(counts.failed)
      } failed`,
    },
    {
      name: "Samples",
      value: count(counts.samples) + (counts.sampleKind ? ` (${counts.sampleKind}s)` : ""),
    },
    { name: "Boxes", value: count(counts.boxes) },
  ];
  const optional = (name: string, value: number | undefined) => {
    if (value !== undefined) facts.push({ name, value: count(value) });
  };
  optional("Duplicate files", counts.duplicates);
  optional("Importances without a value (NaN)", counts.undefinedImportances);
  return facts;
}

/** Counts, settings, runtime and time of the run. */
export function runSection(data: ReportData): Markup {
  const { runtime } = data;
  return markup`${
    data.command
      ? markup`<p class="soft">The command that gives this run again:</p>\n<pre><code>${data.command}</code></pre>`
      : null
  }
<h3>Counts</h3>
${factList(countFacts(data.counts))}
<h3>Settings</h3>
${factList(data.settings)}
<h3>Computed with</h3>
${
    factList([
      { name: "Backend", value: `${runtime.backend}: ${runtime.reason}` },
      ...(runtime.adapter ? [{ name: "Graphics adapter", value: runtime.adapter }] : []),
      ...runtime.versions,
    ])
  }
<h3>Time</h3>
${timeTable(data.stages)}`;
}

function timeTable(stages: readonly Stage[]): Markup {
  if (stages.length === 0) return markup`<p class="soft">Not measured.</p>`;
  const total = stages.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = stages.map((stage) =>
    markup`<tr><td>${stage.name}</td><td class="number">${
      duration(stage.seconds)
    }</td><td class="number">${
      total > 0 ? `${Math.round((100 * stage.seconds) / total)} %` : "–"
    }</td></tr>`
  );
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Stage</th><th scope="col" class="number">Wall time</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>
${lines(rows)}
<tr><td>Sum</td><td class="number">${duration(total)}</td><td></td></tr>
</tbody></table></div>`;
}

/** The models, as their cards state them. */
export function modelsSection(models: readonly ModelFacts[]): Markup {
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

/** The images that could not be used; folded when there are many. */
export function failuresSection(data: ReportData): Markup {
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

/** References and credits. */
export function creditsSection(data: ReportData): Markup {
  const list = (items: readonly string[]) =>
    markup`<ul>
${lines(items.map((text) => markup`<li>${text}</li>`))}
</ul>`;
  return markup`${
    data.cite.length > 0 ? list(data.cite) : markup`<p class="soft">No references were given.</p>`
  }${data.credits.length > 0 ? markup`\n<h3>Photographs</h3>\n${list(data.credits)}` : null}`;
}
