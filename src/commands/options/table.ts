/**
 * Options of commands by the table of options.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { UsageError } from "../../base/errors.ts";
import { flag } from "../../base/flag.ts";
import {
  type CommandName,
  GROUPS,
  helpOf,
  type OptionRow,
  OPTIONS,
  optionsOf,
  type OptionTable,
} from "../../run/options/mod.ts";
import { presetValues } from "../../run/options/again.ts";

/** Adds the options of a command, under the headings of their groups. */
export function addOptions(
  command: Command,
  name: CommandName,
  table: OptionTable = OPTIONS,
): Command {
  const rows = optionsOf(name, table);
  for (const group of GROUPS) {
    for (const row of rows.filter((row) => row.group === group)) {
      command.addOption(optionOf(row, name).helpGroup(`${group}:`));
    }
  }
  return command;
}

function optionOf(row: OptionRow, command: CommandName): Option {
  const { name, value, several, env } = row;
  const help = helpOf(row, command);
  const own = flag(name);
  if (value.placeholder === undefined) return new Option(own, help);
  const option = new Option(`${own} <${value.placeholder}>`, help);
  const many = several?.includes(command) ?? false;
  // Values that are given take the place of the default, which is not one of them.
  let given: unknown[] = [];
  option.argParser((text: string, before: unknown) => {
    if (before === option.defaultValue) given = [];
    given = [...given, value.parse(own, text)];
    if (many) return given;
    if (several !== undefined && given.length > 1) {
      throw new UsageError(
        `Cannot use ${own} ${given.length} times: give one here; ${
          several.join(", ")
        } takes several`,
      );
    }
    return given.at(-1);
  });
  if (row.default !== undefined) {
    option.default(
      many ? [row.default] : row.default,
      Array.isArray(row.default) ? row.default.join(",") : String(row.default),
    );
  }
  return env === undefined ? option : option.env(env);
}

/**
 * Fills in the values of a preset for the options that were not given on the command line or by the environment.
 *
 * @param options as parsed
 * @throws {UsageError} when an option was given that only another preset has: nothing would follow it.
 */
export function withPreset<T extends { readonly preset?: string }>(
  command: Command,
  options: T,
  table: OptionTable = OPTIONS,
): T {
  const { preset } = options;
  const given = (name: string) =>
    ![undefined, "default"].includes(command.getOptionValueSource(name));
  const idle = optionsOf("analyze", table).find(({ name, when }) =>
    when?.preset !== undefined && when.preset !== preset && given(name)
  );
  if (idle) {
    throw new UsageError(
      `Cannot use ${flag(idle.name)} without ${flag("preset")} ${idle.when!.preset}: ${
        idle.when!.because
      }`,
    );
  }
  return preset === undefined ? options : { ...options, ...presetValues(preset, given, table) };
}
