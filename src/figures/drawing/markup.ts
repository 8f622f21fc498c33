/**
 * Markup in which everything interpolated is escaped, for SVG and HTML alike.
 *
 * Labels, paths and messages come from foreign files, so text and markup are two types here: a string is always escaped, and only the
 * tag below makes {@linkcode Markup}.
 *
 * @module
 */

import { legible } from "../../base/legible.ts";

/** A piece of finished SVG or HTML. */
export interface Markup {
  readonly markup: string;
}

/** What may fill a hole of the template: text and numbers are escaped, markup is not, nothing is written for null and undefined. */
type Hole = string | number | Markup | null | undefined | readonly Hole[];

/** Nothing. */
export const EMPTY: Markup = { markup: "" };

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text made {@linkcode legible} and safe in element content and in quoted attributes of SVG and HTML. */
export function escapeText(text: string): string {
  return legible(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

function fill(hole: Hole): string {
  if (hole === null || hole === undefined) return "";
  if (typeof hole === "string") return escapeText(hole);
  if (typeof hole === "number") return String(hole);
  if ("markup" in hole) return hole.markup;
  return hole.map(fill).join("");
}

/** Template tag: the literal parts are markup, the holes are escaped unless they are {@linkcode Markup}. */
export function markup(parts: TemplateStringsArray, ...holes: Hole[]): Markup {
  let text = parts[0];
  for (let i = 0; i < holes.length; i++) text += fill(holes[i]) + parts[i + 1];
  return { markup: text };
}

/** Markup that is used as it is, such as a finished SVG; never give it foreign text. */
export function trusted(text: string): Markup {
  return { markup: text };
}

/** Pieces joined by line breaks. */
export function lines(pieces: readonly Markup[]): Markup {
  return { markup: pieces.map((piece) => piece.markup).join("\n") };
}
