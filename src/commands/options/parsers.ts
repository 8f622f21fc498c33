/**
 * Option values: text from the command line → checked values.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";

/**
 * A parser of numbers in a range.
 *
 * @param what the option, for the message
 */
export function number(
  what: string,
  { min = -Infinity, max = Infinity, integer = false }: {
    min?: number;
    max?: number;
    integer?: boolean;
  } = {},
): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (
      !Number.isFinite(value) || value < min || value > max || integer && !Number.isInteger(value)
    ) {
      const kind = integer ? "a whole number" : "a number";
      const range = Number.isFinite(min) && Number.isFinite(max)
        ? ` from ${min} to ${max}`
        : Number.isFinite(min)
        ? ` of at least ${min}`
        : Number.isFinite(max)
        ? ` of at most ${max}`
        : "";
      throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: give ${kind}${range}`);
    }
    return value;
  };
}

/** A parser of one of some words. */
export function oneOf<T extends string>(what: string, words: readonly T[]): (text: string) => T {
  return (text) => {
    if ((words as readonly string[]).includes(text)) return text as T;
    throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: give ${words.join(", ")}`);
  };
}

/** A parser of comma-separated words; empty ones are left out. */
export function list(text: string): string[] {
  return text.split(",").map((word) => word.trim()).filter((word) => word !== "");
}

/**
 * A parser of comma-separated names, at least one, each once.
 *
 * @param what the option, for the message
 * @param kind what is named
 */
export function distinct(what: string, kind: string): (text: string) => string[] {
  return (text) => {
    const names = list(text);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (names.length > 0 && twice === undefined) return names;
    const advice = twice === undefined
      ? `name a ${kind}, or leave ${what} out`
      : `${twice} stands twice; name each ${kind} once`;
    throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: ${advice}`);
  };
}

/** A parser of some of a list of words, separated by commas; each once. */
export function listOf<T extends string>(
  what: string,
  words: readonly T[],
): (text: string) => T[] {
  const one = oneOf(what, words);
  return (text) => {
    const found = [...new Set(list(text).map(one))];
    return found.length > 0 ? found : [one(text)];
  };
}

/** A parser of an option that may be given several times: all its values, in place of the default. */
export function several(
  byDefault: readonly string[],
): (text: string, before?: readonly string[]) => string[] {
  return (text, before = byDefault) => before === byDefault ? [text] : [...before, text];
}

/**
 * The only value of an option that may be given several times elsewhere.
 *
 * @throws {UsageError} when there are several.
 */
export function single(what: string, values: readonly string[]): string {
  if (values.length === 1) return values[0];
  throw new UsageError(
    `Cannot use ${what} ${values.length} times: give one here; analyze takes several`,
  );
}
