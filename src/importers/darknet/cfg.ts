/**
 * The text of a Darknet `.cfg` file: sections of `key=value` lines.
 *
 * Source: Darknet, `read_cfg`, `read_option` and `strip` (commit f6afaab). Spaces and tabs are removed anywhere; lines that
 * start with # or ; are comments; of two equal keys in a section the first counts.
 *
 * Departs from the source: CR is removed as well, and a line that is not a `key=value` is refused instead of passed over.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";

/** One `key=value` line. */
interface CfgEntry {
  readonly value: string;
  /** Counted from 1. */
  readonly line: number;
}

/** One section. */
export interface CfgSection {
  /** What is in the brackets. */
  readonly type: string;
  /** Line of its header, counted from 1. */
  readonly line: number;
  /** By key; of equal keys the first. */
  readonly entries: ReadonlyMap<string, CfgEntry>;
  /** Keys that are repeated, with the line of the later one. */
  readonly repeated: ReadonlyMap<string, number>;
}

/** Longest piece of a foreign text in a message. */
const SHOWN = 60;

/** A piece of foreign text in quotation marks, shortened, on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
}

/**
 * Reads the sections of a cfg text.
 *
 * @param origin name of the file, for messages
 * @throws {ModelError} with the line's number, for a line before the first section, and one that is not a `key=value`.
 */
export function parseCfg(text: string, origin: string): CfgSection[] {
  const refuse = (line: number, what: string): never => {
    throw new ModelError(`Cannot read ${origin}: line ${line}: ${what}`);
  };
  const sections: {
    type: string;
    line: number;
    entries: Map<string, CfgEntry>;
    repeated: Map<string, number>;
  }[] = [];
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const content = raw.replace(/[ \t]/g, ""), line = i + 1;
    if (content === "" || content.startsWith("#") || content.startsWith(";")) return;
    if (content.startsWith("[")) {
      const type = /^\[([^[\]]*)\]$/.exec(content)?.[1];
      if (type === undefined) {
        return refuse(line, `${quoted(content)} is not a section; write [name] alone on its line`);
      }
      sections.push({ type, line, entries: new Map(), repeated: new Map() });
      return;
    }
    const section = sections.at(-1) ??
      refuse(line, `${quoted(content)} comes before the first section; is it a Darknet cfg file?`);
    const at = content.indexOf("=");
    if (at <= 0 || at === content.length - 1) {
      refuse(line, `${quoted(content)} is not key=value; correct it, or begin the line with #`);
    }
    const key = content.slice(0, at);
    if (section.entries.has(key)) section.repeated.set(key, line);
    else section.entries.set(key, { value: content.slice(at + 1), line });
  });
  return sections;
}
