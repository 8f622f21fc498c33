/**
 * The settings of a run: of its options those that decide the results.
 *
 * @module
 */

import { METHODS } from "../../methods/mod.ts";
import { OPTIONS, optionsOf, type OptionTable, type RunFacts } from "./mod.ts";

/**
 * The options that decide a run's results, in the order of the table. Those that were not given, and those that have no effect in this
 * run, are not among them: with or without them, it is the same run.
 *
 * @param options of `analyze`, as resolved
 */
export function settingsOf(
  options: Readonly<Record<string, unknown>>,
  facts: RunFacts,
  table: OptionTable = OPTIONS,
): Record<string, unknown> {
  const deciding = optionsOf("analyze", table).filter(({ decides, name, when }) =>
    decides === "results" && ![undefined, false].includes(options[name] as undefined) &&
    when?.holds?.(facts) !== false
  );
  return Object.fromEntries(deciding.map(({ name }) => [name, options[name]]));
}

/**
 * The settings that a manifest holds without those that had no effect in its run, which earlier versions recorded too. What the table does
 * not know stays.
 */
export function effectiveSettings<T>(
  recorded: Readonly<Record<string, T>>,
  table: OptionTable = OPTIONS,
): Record<string, T> {
  const { preset, methods } = recorded;
  const facts: RunFacts = {
    preset: typeof preset === "string" ? preset : undefined,
    random: typeof methods === "object" && methods !== null && drawsRandomNumbers(methods),
  };
  const rows = optionsOf("analyze", table);
  return Object.fromEntries(
    Object.entries(recorded).filter(([name]) =>
      rows.find((row) => row.name === name)?.when?.holds?.(facts) !== false
    ),
  );
}

/** Whether one of the methods draws random numbers, by the names that a manifest has; one that is not known here might. */
function drawsRandomNumbers(methods: object): boolean {
  return Object.keys(methods).some((name) => {
    // A changed method is called METHOD+CHANGE.
    const method = METHODS.find((method) => method.name === name.split("+")[0]);
    return method === undefined || method.random === true;
  });
}
