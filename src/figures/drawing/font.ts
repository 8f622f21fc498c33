/**
 * The one font of all figures, DejaVu Sans (free licence, from npm), for two purposes: widths of texts, so that layouts do not depend on
 * the machine, and outlines of texts, so that PNGs need no installed fonts.
 *
 * Glyphs are set one after another by their advance widths, in the visual order of the Unicode bidirectional algorithm. There is no
 * kerning and no shaping: opentype.js 2.0.0 refuses DejaVu's substitution tables, so Arabic letters are not joined in PNGs (live text in
 * SVG and HTML is shaped by the viewer). A character that DejaVu lacks, such as an emoji, is drawn as the font's empty box.
 *
 * @module
 */

import bidiModule from "bidi-js";
// @ts-types="@types/opentype.js"
import opentype from "opentype.js";
import { coordinate } from "../../base/number_text.ts";

/** Families for live text: the font that was measured first, then ones that are narrower, so nothing overflows. */
export const FONT_FAMILY = "DejaVu Sans, Verdana, Segoe UI, Helvetica, Arial, sans-serif";

/** How much wider a line of live bold text can be than its width says: DejaVu Sans Bold is set wider. */
export const BOLD_WIDTH = 1.18;

// The types describe the ES module, Deno loads the CommonJS one, whose default import is the factory itself.
const bidi = (bidiModule as unknown as typeof bidiModule.default)();

let loaded: opentype.Font | undefined;

/** @throws {Error} when the font's package is not installed beside the program. */
function font(): opentype.Font {
  if (!loaded) {
    const url = new URL(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"));
    loaded = opentype.parse(Deno.readFileSync(url).buffer);
  }
  return loaded;
}

const advances = new Map<string, number>();

function advance(character: string): number {
  let width = advances.get(character);
  if (width === undefined) {
    width = (font().charToGlyph(character).advanceWidth ?? 0) / font().unitsPerEm;
    advances.set(character, width);
  }
  return width;
}

/** Width of a text in pixels at a font size in pixels. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) width += advance(character);
  return width * size;
}

/** The text, cut with an ellipsis to fit a width in pixels; at least one character stays. */
export function shorten(text: string, size: number, width: number): string {
  const room = width - textWidth("…", size);
  let used = 0, kept = "", fits = "";
  for (const character of text) {
    used += advance(character) * size;
    kept += character;
    if (used <= room || fits === "") fits = kept;
    if (used > width) return `${fits.trimEnd()}…`;
  }
  return text;
}

/** The text in lines no wider than a width in pixels, broken at spaces; a word that is too wide alone is broken inside. */
export function wrap(text: string, size: number, width: number): string[] {
  const result: string[] = [];
  let line = "";
  const push = () => {
    if (line) result.push(line);
    line = "";
  };
  for (const word of text.split(" ")) {
    if (line && textWidth(`${line} ${word}`, size) > width) push();
    if (!line && textWidth(word, size) > width) {
      for (const character of word) {
        if (line && textWidth(line + character, size) > width) push();
        line += character;
      }
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  push();
  return result;
}

/** Path data of a text whose baseline starts at (x, y), in the units of SVG. */
export function textOutline(text: string, x: number, y: number, size: number): string {
  const visual = bidi.getReorderedString(text, bidi.getEmbeddingLevels(text, "ltr"));
  let data = "";
  for (const character of visual) {
    if (character.trim()) {
      data += font().charToGlyph(character).getPath(x, y, size).commands.map(command).join("");
    }
    x += advance(character) * size;
  }
  return data;
}

function command(part: opentype.PathCommand): string {
  const c = coordinate;
  switch (part.type) {
    case "Z":
      return "Z";
    case "C":
      return `C${c(part.x1)} ${c(part.y1)} ${c(part.x2)} ${c(part.y2)} ${c(part.x)} ${c(part.y)}`;
    case "Q":
      return `Q${c(part.x1)} ${c(part.y1)} ${c(part.x)} ${c(part.y)}`;
    default:
      return `${part.type}${c(part.x)} ${c(part.y)}`;
  }
}
