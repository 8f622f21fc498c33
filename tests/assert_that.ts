/** Assertions whose failures print the values at fault, for what `node:assert` has only `ok` for. */

import { AssertionError } from "node:assert/strict";
import { inspect } from "node:util";

type Holds<T> = (value: T, index: number) => boolean;

/** Asserts got < limit. */
export function assertLess(got: number, limit: number, what?: string): void {
  if (!(got < limit)) fail(assertLess, `${got} is not less than ${limit}`, what);
}

/** Asserts got ≤ limit. */
export function assertAtMost(got: number, limit: number, what?: string): void {
  if (!(got <= limit)) fail(assertAtMost, `${got} is more than ${limit}`, what);
}

/** Asserts got > limit. */
export function assertMore(got: number, limit: number, what?: string): void {
  if (!(got > limit)) fail(assertMore, `${got} is not more than ${limit}`, what);
}

/** Asserts got ≥ limit. */
export function assertAtLeast(got: number, limit: number, what?: string): void {
  if (!(got >= limit)) fail(assertAtLeast, `${got} is less than ${limit}`, what);
}

/** Asserts that a text contains another, or a list an item. */
export function assertIncludes<T>(
  all: string | readonly T[],
  part: T,
  what?: string,
): void {
  if (!includes(all, part)) {
    fail(assertIncludes, `${shown(part)} is not in ${shown(all)}`, what);
  }
}

/** Asserts that a text does not contain another, or a list an item. */
export function assertExcludes<T>(
  all: string | readonly T[],
  part: T,
  what?: string,
): void {
  if (includes(all, part)) fail(assertExcludes, `${shown(part)} is in ${shown(all)}`, what);
}

/** Asserts that something holds of every value; trivially if there are none, as `Array.every`. */
export function assertEvery<T>(values: ArrayLike<T>, holds: Holds<T>, what?: string): void {
  const at = Array.from(values).findIndex((value, i) => !holds(value, i));
  if (at < 0) return;
  fail(
    assertEvery,
    `element ${at} of ${values.length}, ${shown(values[at])}, does not satisfy ${holds}`,
    what,
  );
}

/** Asserts that something holds of one value at least. */
export function assertSome<T>(values: ArrayLike<T>, holds: Holds<T>, what?: string): void {
  const all = Array.from(values);
  if (all.some(holds)) return;
  fail(assertSome, `none of ${all.length} satisfies ${holds}: ${shown(all)}`, what);
}

/** Asserts that something holds of no value. */
export function assertNone<T>(values: ArrayLike<T>, holds: Holds<T>, what?: string): void {
  const at = Array.from(values).findIndex(holds);
  if (at < 0) return;
  fail(assertNone, `element ${at}, ${shown(values[at])}, satisfies ${holds}`, what);
}

function includes(all: string | readonly unknown[], part: unknown): boolean {
  return typeof all === "string" ? all.includes(String(part)) : all.includes(part);
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : inspect(value, { depth: 4 });
}

function fail(from: (...given: never[]) => void, message: string, what?: string): never {
  throw new AssertionError({
    message: what === undefined ? message : `${what}: ${message}`,
    stackStartFn: from,
  });
}
