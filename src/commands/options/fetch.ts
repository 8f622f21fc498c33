/**
 * What the commands that fetch have in common.
 *
 * @module
 */

import { InvalidArgumentError } from "commander";

/** Waits between attempts grow up to this, milliseconds. */
const LONGEST_DELAY = 60_000;

/** Parses an option: a whole number, 0 or more. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("give a whole number, 0 or more");
  return Number(text);
}

/** Parses an option: a whole number, 1 or more. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("give a whole number, 1 or more");
  return value;
}

/** Parses an option: seconds, 0 or more. */
export function seconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value <= 3600)) throw new InvalidArgumentError("give seconds, 0 … 3600");
  return value;
}

/** Milliseconds to wait before each further attempt: 1, 4, 16, 60, 60 … s. */
export function retryDelays(retries: number): number[] {
  return Array.from({ length: retries }, (_, i) => Math.min(1000 * 4 ** i, LONGEST_DELAY));
}
