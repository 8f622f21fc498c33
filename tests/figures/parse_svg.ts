/**
 * Reads a figure's SVG strictly as XML, so that a test asserts on elements and not on text.
 */

import { DOMParser, type Element } from "@xmldom/xmldom";

/** The root of an SVG. @throws when it is not well-formed XML. */
export function parseSvg(svg: string): Element {
  const fail = (level: string, message: string) => {
    throw new Error(`Cannot parse the SVG: ${level}: ${message}`);
  };
  const document = new DOMParser({ onError: fail }).parseFromString(svg, "image/svg+xml");
  return document.documentElement!;
}

/** All elements of a name, in painting order. */
export function all(root: Element, name: string): Element[] {
  return Array.from(root.getElementsByTagName(name));
}

/** An attribute as a number; NaN where it is missing. */
export function number(element: Element, name: string): number {
  const text = element.getAttribute(name);
  return text === null || text === "" ? NaN : Number(text);
}

/** Text of the element's own `<title>`, if any. */
export function titleOf(element: Element): string | undefined {
  const title = Array.from(element.childNodes).find((child) => child.nodeName === "title");
  return title?.textContent ?? undefined;
}
