/**
 * The page that says whether a repeated run gave the same.
 *
 * @module
 */

import type { RunComparison } from "./compare.ts";
import { type Difference, hasDrifted, placeText, type Section } from "./drift.ts";
import { type Cause, causeText } from "./causes.ts";
import type { Verdict } from "./history.ts";
import { lines, type Markup, markup } from "../figures/drawing/markup.ts";
import { count, plural } from "../base/number_text.ts";
import { page, type PageSection } from "../figures/page/page.ts";
import type { Fact } from "../figures/page/report_data.ts";

/** Everything on the page, and in the JSON beside it. */
export interface DriftData {
  /** The run as it was named. */
  readonly run: string;
  readonly verdict: Verdict;
  /** The verdict with its evidence in a sentence. */
  readonly headline: string;
  readonly tolerance: number;
  /** When it was checked, ISO 8601, UTC. */
  readonly time: string;
  /** Inputs that are not there, one line each: then nothing was run. */
  readonly missing: readonly string[];
  readonly comparison?: RunComparison;
  /** What is not the same in both runs, and so could be the reason. */
  readonly causes: readonly Cause[];
  readonly notes: readonly string[];
  /** What computed then and now, in the same order of names. */
  readonly before: readonly Fact[];
  readonly after: readonly Fact[];
}

/** Makes the page. Equal data give equal bytes. */
export function driftReport(data: DriftData): string {
  const { comparison } = data;
  const sections: PageSection[] = [
    ...data.missing.length > 0
      ? [["missing", "Missing", "Inputs that are not there", list(data.missing)] as const]
      : [],
    ["why", "Why", "Why it could differ", causesSection(data)],
    ...comparison
      ? [
        ["what", "What", "What was compared", sectionsTable(comparison.sections)] as const,
        ["where", "Where", "Where it differs", differences(data, comparison)] as const,
        ["files", "Files", "Files", filesTable(comparison)] as const,
      ]
      : [],
    ["with", "With", "Computed with", withTable(data)],
  ];
  return page({
    kind: "reproduction",
    title: data.run,
    head: markup`<p class="lead"><strong>${data.verdict}</strong>: ${data.headline}</p>
${comparison ? tiles(comparison) : null}`,
    ...(data.notes.length > 0
      ? {
        caution: markup`<section class="caution"><h2>Notes</h2><ul>
${lines(data.notes.map((text) => markup`<li>${text}</li>`))}
</ul></section>`,
      }
      : {}),
    sections,
    made: data.time,
  });
}

function tiles({ sections, tables }: RunComparison): Markup {
  const sum = (of: (section: Section) => number) => sections.reduce((all, own) => all + of(own), 0);
  const same = tables.filter(({ before, after }) => before !== undefined && before === after);
  const outside = sum(({ drifted, missing, extra }) => drifted + missing + extra);
  const tile = (value: string, name: string, bad = false) =>
    markup`<li${bad ? markup` class="bad"` : null}><b>${value}</b><span>${name}</span></li>`;
  return markup`<ul class="tiles">
${
    lines([
      tile(count(sum(({ compared }) => compared)), "values compared"),
      tile(count(sum(({ identical }) => identical)), "identical"),
      tile(count(sum(({ within }) => within)), "within the tolerance"),
      tile(count(outside), "outside it, missing or new", outside > 0),
      tile(`${same.length} of ${tables.length}`, "files the same bytes"),
    ])
  }
</ul>`;
}

function list(texts: readonly string[]): Markup {
  return markup`<ul>
${lines(texts.map((text) => markup`<li><bdi>${text}</bdi></li>`))}
</ul>`;
}

function causesSection({ causes, verdict }: DriftData): Markup {
  if (causes.length === 0) {
    return verdict === "drifted"
      ? markup`<p>Nothing that the two runs recorded is different: images, models, settings, versions, backend, machine. What is left is what is not recorded, such as a driver, a system library or the processor's mode.</p>`
      : markup`<p>Nothing that the two runs recorded is different.</p>`;
  }
  const [inputs, others] = [true, false].map((own) =>
    causes.filter(({ input }) => input === own).map(causeText)
  );
  return markup`${
    inputs!.length > 0
      ? markup`<h3>Inputs</h3>
<p class="soft">With another image, model or setting it is another run, whatever the numbers say.</p>
${list(inputs!)}`
      : null
  }${
    others!.length > 0
      ? markup`<h3>Circumstances</h3>
<p class="soft">With another version, backend or machine the numbers should stay within the tolerance.</p>
${list(others!)}`
      : null
  }`;
}

function sectionsTable(sections: readonly Section[]): Markup {
  if (sections.length === 0) return markup`<p>Neither run has any tables.</p>`;
  const rows = sections.map((section) =>
    markup`<tr><td class="name">${section.name}</td><td class="number">${
      count(section.compared)
    }</td><td class="number">${count(section.identical)}</td><td class="number">${
      count(section.within)
    }</td><td class="number">${count(section.drifted)}</td><td class="number">${
      count(section.missing)
    }</td><td class="number">${count(section.extra)}</td><td class="number">${
      size(section.largest)
    }</td><td>${
      hasDrifted(section)
        ? markup`<strong>drifted</strong>`
        : section.within > 0
        ? "within tolerance"
        : "identical"
    }</td></tr>`
  );
  const column = (name: string) => markup`<th scope="col" class="number">${name}</th>`;
  return markup`<p class="soft">Two numbers differ by |a − b| / max(1, |a|, |b|): absolutely for importances and probabilities, relatively for pixels.</p>
<div class="scroll"><table><thead><tr><th scope="col">Values of</th>${
    ["Compared", "Identical", "Within tolerance", "Drifted", "Missing", "New", "Largest difference"]
      .map(column)
  }<th scope="col">Verdict</th></tr></thead>
<tbody>
${lines(rows)}
</tbody></table></div>`;
}

function differences({ tolerance }: DriftData, { sections, crossings }: RunComparison): Markup {
  const parts = sections.flatMap((section) => {
    if (section.shown.length === 0 && !section.largest) return [];
    const total = section.drifted + section.missing + section.extra;
    const largest = section.largest
      ? markup`<p>Largest difference: ${size(section.largest)} (<bdi>${
        placeText(section.largest.place)
      }</bdi>: ${section.largest.before} → ${section.largest.after}).</p>`
      : null;
    const table = section.shown.length === 0 ? null : differenceTable(section.shown);
    return [
      markup`<h3>${section.name}</h3>
${largest}${table}${
        total > section.shown.length
          ? markup`<p class="soft">The first ${section.shown.length} are shown; values outside the tolerance or in one run only: ${
            count(total)
          }.</p>`
          : null
      }`,
    ];
  });
  const crossed = crossings.first
    ? markup`<p>${
      plural(crossings.count, "importance")
    } went to the other side of the salience threshold, although within the tolerance; that changes counts of the matrices. First: <bdi>${
      placeText(crossings.first.place)
    }</bdi>, ${crossings.first.before} → ${crossings.first.after}.</p>`
    : null;
  return parts.length === 0
    ? markup`<p>Nowhere (tolerance ${tolerance}).</p>`
    : markup`${crossed}${lines(parts)}`;
}

function differenceTable(shown: readonly Difference[]): Markup {
  const rows = shown.map((difference) =>
    markup`<tr><td><bdi>${placeText(difference.place)}</bdi></td><td class="number">${
      difference.before ?? "–"
    }</td><td class="number">${difference.after ?? "–"}</td><td class="number">${
      size(difference)
    }</td></tr>`
  );
  return markup`<div class="scroll"><table><thead><tr><th scope="col">Where, in the order of the run</th><th scope="col" class="number">Then</th><th scope="col" class="number">Now</th><th scope="col" class="number">Difference</th></tr></thead>
<tbody>
${lines(rows)}
</tbody></table></div>`;
}

function filesTable({ tables }: RunComparison): Markup {
  const rows = tables.map(({ name, before, after }) =>
    markup`<tr><td class="path">${name}</td><td>${
      before === undefined
        ? "only now"
        : after === undefined
        ? "only then"
        : before === after
        ? "the same bytes"
        : "other bytes"
    }</td><td><code>${(before ?? "–").slice(0, 16)}</code></td><td><code>${
      (after ?? "–").slice(0, 16)
    }</code></td></tr>`
  );
  return markup`<div class="scroll"><table><thead><tr><th scope="col">File</th><th scope="col">Bytes</th><th scope="col">SHA-256 then</th><th scope="col">now</th></tr></thead>
<tbody>
${lines(rows)}
</tbody></table></div>`;
}

function withTable({ before, after }: DriftData): Markup {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const of = (facts: readonly Fact[], name: string) =>
    facts.find((fact) => fact.name === name)?.value ?? "–";
  const rows = names.map((name) => {
    const [own, other] = [of(before, name), of(after, name)];
    return markup`<tr><td class="name">${name}</td><td>${own}</td><td>${
      own === other || after.length === 0 ? other : markup`<strong>${other}</strong>`
    }</td></tr>`;
  });
  return markup`<div class="scroll"><table><thead><tr><th scope="col"></th><th scope="col">Then</th><th scope="col">Now</th></tr></thead>
<tbody>
${lines(rows)}
</tbody></table></div>`;
}

/** A distance as text: `3.9e-7`; nothing if there is none. */
function size(difference: Difference | undefined): string {
  const { distance } = difference ?? {};
  if (distance === undefined) return "–";
  return Number.isFinite(distance) ? Number(distance.toPrecision(3)).toString() : "no number";
}
