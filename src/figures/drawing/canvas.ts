/**
 * A sheet to draw on: SVG elements are added in painting order and become one document.
 *
 * There are no ids in it (no patterns, gradients or clip paths), so any number of figures can be in one page.
 *
 * @module
 */

import type { FigureOptions } from "../figure.ts";
import { MISSING } from "./colour.ts";
import { FONT_FAMILY, textOutline, textWidth } from "./font.ts";
import { escapeText, type Markup, markup } from "./markup.ts";
import { coordinate as c } from "../../base/number_text.ts";
import { legible } from "../../base/legible.ts";

/** Inks of a figure. */
interface Ink {
  readonly text: string;
  /** Opacity of secondary text. */
  readonly muted: number;
  readonly background?: string;
}

const INKS: Readonly<Record<"print" | "page", Ink>> = {
  print: { text: "#1a1a1a", muted: 0.72, background: "#ffffff" },
  page: { text: "currentColor", muted: 0.72 },
};

/** How a text is set. */
interface TextStyle {
  /** Font size in pixels. */
  readonly size: number;
  readonly anchor?: "start" | "middle" | "end";
  readonly fill?: string;
  readonly opacity?: number;
  /** Degrees, clockwise, about (x, y). */
  readonly rotate?: number;
  readonly bold?: boolean;
}

/** Attributes as SVG writes them; undefined ones are left out. */
type Attributes = Readonly<Record<string, string | number | undefined>>;

function written(attributes: Attributes): string {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) =>
      ` ${name}="${typeof value === "number" ? c(value) : escapeText(value!)}"`
    )
    .join("");
}

/** A figure in the making: elements in the order in which they are drawn. */
export class Canvas {
  readonly ink: Ink;
  readonly #outlines: boolean;
  readonly #parts: string[] = [];

  /** Begins a figure. */
  constructor(options: FigureOptions = {}) {
    this.ink = INKS[options.ink ?? "print"];
    this.#outlines = options.text === "outlines";
  }

  #element(name: string, attributes: Attributes, content?: Markup): void {
    this.#parts.push(
      content === undefined || content.markup === ""
        ? `<${name}${written(attributes)}/>`
        : `<${name}${written(attributes)}>${content.markup}</${name}>`,
    );
  }

  rect(
    x: number,
    y: number,
    width: number,
    height: number,
    attributes: Attributes,
    title?: string,
  ): void {
    this.#element("rect", { x, y, width, height, ...attributes }, titled(title));
  }

  path(data: string, attributes: Attributes): void {
    this.#element("path", { d: data, ...attributes });
  }

  image(href: string, x: number, y: number, width: number, height: number): void {
    this.#element("image", { href, x, y, width, height, preserveAspectRatio: "none" });
  }

  text(text: string, x: number, y: number, style: TextStyle): void {
    const shared = {
      fill: style.fill ?? this.ink.text,
      "fill-opacity": style.opacity,
      transform: style.rotate ? `rotate(${c(style.rotate)} ${c(x)} ${c(y)})` : undefined,
    };
    if (this.#outlines) {
      const shown = legible(text);
      const shift = { start: 0, middle: 0.5, end: 1 }[style.anchor ?? "start"];
      this.#element("path", {
        d: textOutline(shown, x - shift * textWidth(shown, style.size), y, style.size),
        ...shared,
        // There is one face; a bold text is the same face drawn a little wider.
        stroke: style.bold ? shared.fill : undefined,
        "stroke-width": style.bold ? style.size * 0.035 : undefined,
      });
      return;
    }
    this.#element("text", {
      x,
      y,
      "font-size": style.size,
      "text-anchor": style.anchor === "start" ? undefined : style.anchor,
      "font-weight": style.bold ? 600 : undefined,
      ...shared,
    }, markup`${text}`);
  }

  /** Grey cells with hatching, the sign of a missing value; a title each. */
  missing(cells: readonly (Cell & { title?: string })[]): void {
    if (cells.length === 0) return;
    for (const { x, y, width, height, title } of cells) {
      this.rect(x, y, width, height, { fill: MISSING.fill }, title);
    }
    this.path(cells.map(hatching).join(""), {
      stroke: MISSING.line,
      "stroke-width": 1,
      fill: "none",
      "pointer-events": "none",
    });
  }

  /** The figure as SVG. */
  finish(width: number, height: number, title: string, description: string): string {
    const [w, h] = [c(Math.ceil(width)), c(Math.ceil(height))];
    const { background } = this.ink;
    const ground = background ? `<rect width="${w}" height="${h}" fill="${background}"/>\n` : "";
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" font-family="${FONT_FAMILY}">\n` +
      markup`<title>${title}</title>\n<desc>${description}</desc>\n`.markup +
      `${ground}${this.#parts.join("\n")}\n</svg>`;
  }
}

function titled(title?: string): Markup | undefined {
  return title === undefined ? undefined : markup`<title>${title}</title>`;
}

/** A rectangle of a figure. */
interface Cell {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Diagonal lines (45°, 5 px apart) within a rectangle, as path data. */
function hatching({ x, y, width, height }: Cell): string {
  let data = "";
  for (let sum = 5; sum < width + height; sum += 5) {
    const [startX, startY] = sum <= height ? [0, sum] : [sum - height, height];
    const [endX, endY] = sum <= width ? [sum, 0] : [width, sum - width];
    data += `M${c(x + startX)} ${c(y + startY)}L${c(x + endX)} ${c(y + endY)}`;
  }
  return data;
}
