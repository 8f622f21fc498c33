/**
 * Kinds of option values: text from the command line → checked values.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";

/** A kind of value. */
export interface Kind<out T> {
  /** The placeholder of the value in `--help`; absent for a switch, which has none. */
  readonly placeholder?: string;
  /** The values that can be given, for the documents; absent where the placeholder says it. */
  readonly range?: string;
  /**
   * Parses a value.
   *
   * @param what the option, for the message
   * @throws {UsageError} for a text that cannot be used.
   */
  parse(what: string, text: string): T;
}

/** On where it is given, and off otherwise. */
export function toggle(): Kind<boolean> {
  return {
    parse(what, text) {
      if (text === "true" || text === "false") return text === "true";
      throw new UsageError(`Cannot use ${what}=${text}: it is a switch; give true or false`);
    },
  };
}

/** Any text. */
export function text(placeholder: string): Kind<string> {
  return { placeholder, parse: (_, text) => text };
}

/** A number in a range. */
export function number(
  placeholder: string,
  { min = -Infinity, max = Infinity, integer = false }: {
    min?: number;
    max?: number;
    integer?: boolean;
  } = {},
): Kind<number> {
  const kind = integer ? "a whole number" : "a number";
  const [low, high] = [min, max].map(Number.isFinite);
  const range = low && high
    ? ` from ${min} to ${max}`
    : low
    ? ` of at least ${min}`
    : high
    ? ` of at most ${max}`
    : "";
  return {
    placeholder,
    range: kind + range,
    parse(what, text) {
      const value = text.trim() === "" ? NaN : Number(text);
      if (
        Number.isFinite(value) && value >= min && value <= max &&
        (!integer || Number.isInteger(value))
      ) {
        return value;
      }
      throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: give ${kind}${range}`);
    },
  };
}

/** One of some words. */
export function oneOf<const T extends string>(placeholder: string, words: readonly T[]): Kind<T> {
  return {
    placeholder,
    range: words.join(", "),
    parse(what, text) {
      if ((words as readonly string[]).includes(text)) return text as T;
      throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: give ${words.join(", ")}`);
    },
  };
}

/** Words, separated by commas; empty ones are left out. */
export function list(placeholder: string): Kind<readonly string[]> {
  return { placeholder, parse: (_, text) => partsOf(text) };
}

/**
 * Names, separated by commas: at least one, each once.
 *
 * @param noun what is named
 */
export function distinct(placeholder: string, noun: string): Kind<readonly string[]> {
  return {
    placeholder,
    parse(what, text) {
      const names = partsOf(text);
      const twice = names.find((name, i) => names.indexOf(name) < i);
      if (names.length > 0 && twice === undefined) return names;
      const advice = twice === undefined
        ? `name a ${noun}, or leave ${what} out`
        : `${twice} occurs twice; name each ${noun} once`;
      throw new UsageError(`Cannot use ${what} ${JSON.stringify(text)}: ${advice}`);
    },
  };
}

/** Some of a list of words, separated by commas; what is given twice counts once. */
export function someOf<const T extends string>(
  placeholder: string,
  words: readonly T[],
): Kind<readonly T[]> {
  const one = oneOf(placeholder, words);
  return {
    placeholder,
    range: words.join(", "),
    parse(what, text) {
      const found = [...new Set(partsOf(text).map((part) => one.parse(what, part)))];
      return found.length > 0 ? found : [one.parse(what, text)];
    },
  };
}

/** The parts of a text between its commas, without spaces around them; empty ones are left out. */
function partsOf(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter((part) => part !== "");
}
