/**
 * The report of a run: one HTML file that works offline and without scripts.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { lines, type Markup, markup, trusted } from "./drawing/markup.ts";
import { findingsSection, matricesSection, samplesSection } from "./page/findings.ts";
import { axiomsSection } from "./page/axioms.ts";
import {
  cautionBox,
  creditsSection,
  failuresSection,
  modelsSection,
  runSection,
  tiles,
} from "./page/run_facts.ts";
import type { ReportData } from "./page/report_data.ts";
import { STYLE } from "./page/style.ts";

/**
 * Makes the page: question and counts, cautions, strongest associations, matrices, samples, facts of the run, models, failures,
 * references. Equal data give equal bytes. All text is escaped, and the page's own policy forbids scripts, requests and
 * any style but its own, so that nothing in a foreign path or label can act.
 *
 * @throws {RangeError} when a matrix does not fit its names or an overlay has no size.
 */
export function report(data: ReportData): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy =
    `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  const sections: (readonly [id: string, short: string, title: string, content: Markup])[] = [
    ["associations", "Associations", "Strongest associations", findingsSection(data)],
    ["matrices", "Matrices", "Association matrices", matricesSection(data)],
    ["samples", "Samples", "Samples", samplesSection(data)],
    ...data.axioms
      ? [["axioms", "Axioms", "Axioms of the methods", axiomsSection(data.axioms)] as const]
      : [],
    ["run", "Run", "The run", runSection(data)],
    ["models", "Models", "Models", modelsSection(data.models)],
    ["failures", "Failures", "Images that could not be used", failuresSection(data)],
    ["cite", "Cite", "How to cite", creditsSection(data)],
  ];
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="generator" content="emocam">
<title>${data.title} – emocam report</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header class="top">
<p class="mark">emocam report</p>
<h1><bdi>${data.title}</bdi></h1>
<p class="lead">${data.question}</p>
${tiles(data)}
</header>
<nav aria-label="Sections"><div>
${lines(sections.map(([id, short]) => markup`<a href="#${id}">${short}</a>`))}
</div></nav>
<main>
${cautionBox(data)}
${
    lines(sections.map(([id, , title, content]) =>
      markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>`
    ))
  }
</main>
<footer>${
    data.made ? markup`Made ${data.made}. ` : null
  }This page is one file: it holds its pictures, asks nothing of the network and runs no scripts.</footer>
</body>
</html>
`.markup;
}
