/**
 * Options of a run that is made again.
 *
 * @module
 */

import { flag } from "../../base/flag.ts";
import { OPTIONS, optionsOf, type OptionTable } from "./mod.ts";

/**
 * A command line that makes a run of `analyze` again, quoted for a POSIX shell.
 *
 * @param program the words that start emocam
 */
export function commandLine(
  paths: readonly string[],
  options: Readonly<Record<string, unknown>> & { readonly preset?: string },
  table: OptionTable = OPTIONS,
  program: readonly string[] = ["deno", "task"],
): string {
  const quote = (text: string) =>
    /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  const flags = optionsOf("analyze", table).flatMap(({ name, onlyOnce, when }) => {
    const value = options[name];
    const idle = when?.preset !== undefined && when.preset !== options.preset;
    if (value === undefined || value === false || onlyOnce || idle) return [];
    if (value === true) return [flag(name)];
    return [flag(name), Array.isArray(value) ? value.join(",") : String(value)];
  });
  return [...program, "analyze", ...paths, ...flags].map(quote).join(" ");
}

/** The options that have another value where a run is made again for its tables alone: what else it would write only takes time and space. */
export function repeatedOptions(table: OptionTable = OPTIONS): Record<string, unknown> {
  return Object.fromEntries(
    optionsOf("analyze", table).filter(({ repeated }) => repeated !== undefined)
      .map(({ name, repeated }) => [name, repeated]),
  );
}

/**
 * The values of a preset for the options that were not given.
 *
 * @param given whether an option was
 */
export function presetValues(
  preset: string,
  given: (name: string) => boolean,
  table: OptionTable = OPTIONS,
): Record<string, unknown> {
  const values = optionsOf("analyze", table).flatMap((row) => {
    const value = Object.entries(row.presets ?? {}).find(([name]) => name === preset)?.[1];
    if (value === undefined || given(row.name) || row.presetWhere === "used") return [];
    return [[row.name, row.several?.includes("analyze") ? [value] : value]];
  });
  return Object.fromEntries(values);
}
