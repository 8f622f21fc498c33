/**
 * How the run came about: counts, settings, backend and versions, time.
 *
 * @module
 */

import type { Fact, ReportCounts, ReportData, StageTime } from "../report_data.ts";
import { count, duration } from "../../../base/number_text.ts";
import type { Section } from "./section.ts";
import { lines, type Markup, markup } from "../../drawing/markup.ts";

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
function runSection(data: ReportData): Markup {
  const { runtime } = data;
  return markup`${
    data.command
      ? markup`<p class="soft">The command that repeats this run:</p>\n<pre><code>${data.command}</code></pre>`
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

function timeTable(stages: readonly StageTime[]): Markup {
  if (stages.length === 0) return markup`<p class="soft">Not measured.</p>`;
  const total = stages.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = stages.map((stage) =>
    markup`<tr><td>${stage.name}</td><td class="number">${
      duration(stage.seconds)
    }</td><td class="number">${
      total > 0 ? `${Math.round((100 * stage.seconds) / total)} %` : "–"
    }</td></tr>`
  );
  return markup`<div class="scroll"><table><thead><tr><th scope="col">StageTime</th><th scope="col" class="number">Wall time</th><th scope="col" class="number">Share</th></tr></thead>
<tbody>
${lines(rows)}
<tr><td>Sum</td><td class="number">${duration(total)}</td><td></td></tr>
</tbody></table></div>`;
}

function factList(facts: readonly Fact[]): Markup {
  return markup`<dl class="facts">
${lines(facts.map(({ name, value }) => markup`<dt>${name}</dt><dd>${value}</dd>`))}
</dl>`;
}

/** The section. */
export const run: Section = {
  id: "run",
  short: "Run",
  title: "The run",
  content: runSection,
};
