/**
 * The frame that all pages share: one HTML file with its own style, a row of links, and sections.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { lines, type Markup, markup, trusted } from "../drawing/markup.ts";
import { STYLE } from "./style.ts";

/** A section: its name in links, the word in the row of links, its title, its content. */
export type PageSection = readonly [id: string, short: string, title: string, content: Markup];

/** What a page is made of. */
interface PageData {
  /** What kind of page it is: `report`. */
  readonly kind: string;
  readonly title: string;
  /** What is under the title. */
  readonly head: Markup;
  /** A box before the sections. */
  readonly caution?: Markup;
  readonly sections: readonly PageSection[];
  /** When it was made, as text. */
  readonly made?: string;
}

/**
 * A page as one file that works offline. Its policy forbids scripts, requests and any style but its own, so that nothing in a foreign
 * path or label can act. Equal data give equal bytes.
 */
export function page({ kind, title, head, caution, sections, made }: PageData): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy =
    `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="generator" content="emocam">
<title>${title} – emocam ${kind}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header class="top">
<p class="mark">emocam ${kind}</p>
<h1><bdi>${title}</bdi></h1>
${head}
</header>
<nav aria-label="Sections"><div>
${lines(sections.map(([id, short]) => markup`<a href="#${id}">${short}</a>`))}
</div></nav>
<main>
${caution}
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
    made ? markup`Made ${made}. ` : null
  }This page is one file: it holds its pictures, asks nothing of the network and runs no scripts.</footer>
</body>
</html>
`.markup;
}
