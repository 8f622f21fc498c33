/** That numbers are close, with a failure that says which one is not, by how much, and what was allowed. */

import { AssertionError } from "node:assert/strict";

/** A number, numbers in a row, or a tensor, which is compared by its shape too where both have one. */
export type Numbers =
  | number
  | ArrayLike<number>
  | { readonly data: ArrayLike<number>; readonly shape?: readonly number[] };

/** How far a number may be from the one expected; the parts given are added up. */
export interface Tolerance {
  /** In the numbers' own unit. */
  readonly absolute?: number;
  /** Of the size of the expected element. */
  readonly relative?: number;
  /** Of the largest size among the expected elements, which must not all be 0. */
  readonly ofLargest?: number;
  /** Of the range of the expected elements, which must not all be equal. */
  readonly ofRange?: number;
  /** Whether NaN is close to NaN; by default NaN is close to nothing. */
  readonly nan?: boolean;
}

/**
 * Asserts that each number of `got` differs from its counterpart in `want` by less than the tolerance (a number is an absolute one), or
 * not at all. NaN fails, unless `nan` allows it where NaN is expected; an infinity always fails.
 *
 * @throws AssertionError that names the element with the largest difference, in proportion to what was allowed.
 */
export function assertClose(
  got: Numbers,
  want: Numbers,
  tolerance: number | Tolerance,
  what?: string,
): void {
  const fail = (message: string): never => {
    throw new AssertionError({
      message: what === undefined ? message : `${what}: ${message}`,
      stackStartFn: assertClose,
    });
  };
  const actual = dataOf(got), expected = dataOf(want), shape = shapeOf(want) ?? shapeOf(got);
  if (shapeOf(got) && shapeOf(want) && `${shapeOf(got)}` !== `${shapeOf(want)}`) {
    fail(`the shape is [${shapeOf(got)}], not [${shapeOf(want)}]`);
  }
  if (actual.length !== expected.length) {
    fail(`there are ${actual.length} numbers, not ${expected.length}`);
  }
  const allowed = boundsOf(typeof tolerance === "number" ? { absolute: tolerance } : tolerance);
  const { bound, scale } = allowed(expected, fail);
  const nan = typeof tolerance !== "number" && tolerance.nan === true;

  let worst = -1, excess = 0, off = 0;
  for (let i = 0; i < expected.length; i++) {
    if (nan && Number.isNaN(actual[i]) && Number.isNaN(expected[i])) continue;
    const difference = Math.abs(actual[i] - expected[i]), most = bound(expected[i]);
    if (difference === 0 || difference < most) continue;
    off++;
    const ratio = Number.isNaN(difference) ? Infinity : difference / most;
    if (worst >= 0 && !(ratio > excess)) continue;
    worst = i;
    excess = ratio;
  }
  if (worst < 0) return;
  const place = typeof got === "number" && typeof want === "number"
    ? ""
    : `element ${placeOf(worst, shape)} is `;
  fail(
    `${place}${actual[worst]}, not ${expected[worst]}: the difference is ${
      Math.abs(actual[worst] - expected[worst])
    }, and less than ${bound(expected[worst])}${scale} was allowed` +
      (expected.length > 1 ? ` (${off} of ${expected.length} are off)` : ""),
  );
}

function dataOf(numbers: Numbers): ArrayLike<number> {
  if (typeof numbers === "number") return [numbers];
  return "data" in numbers ? numbers.data : numbers;
}

function shapeOf(numbers: Numbers): readonly number[] | undefined {
  return typeof numbers === "object" && "data" in numbers ? numbers.shape : undefined;
}

/** What an expected element allows, and how a failure explains it. */
function boundsOf({ absolute = 0, relative = 0, ofLargest, ofRange }: Tolerance) {
  return (expected: ArrayLike<number>, fail: (message: string) => never) => {
    let low = Infinity, high = -Infinity, largest = 0;
    for (let i = 0; i < expected.length; i++) {
      if (Number.isNaN(expected[i])) continue;
      low = Math.min(low, expected[i]);
      high = Math.max(high, expected[i]);
      largest = Math.max(largest, Math.abs(expected[i]));
    }
    if (ofLargest !== undefined && !(largest > 0)) {
      fail(
        "all expected numbers are 0, which gives a tolerance relative to the largest no meaning",
      );
    }
    if (ofRange !== undefined && !(high > low)) {
      fail(
        "all expected numbers are equal, which gives a tolerance relative to their range no meaning",
      );
    }
    const whole = absolute + (ofLargest === undefined ? 0 : ofLargest * largest) +
      (ofRange === undefined ? 0 : ofRange * (high - low));
    const parts = [
      ofLargest === undefined ? "" : `${ofLargest} of the largest, ${largest}`,
      ofRange === undefined ? "" : `${ofRange} of the range, ${high - low}`,
      relative === 0 ? "" : `${relative} of the expected number`,
    ].filter((part) => part !== "");
    return {
      bound: (value: number) => whole + (relative === 0 ? 0 : relative * Math.abs(value)),
      scale: parts.length === 0 ? "" : ` (${parts.join(", ")})`,
    };
  };
}

/** A flat position, as an index for a shape of more than one dimension. */
function placeOf(flat: number, shape: readonly number[] | undefined): string {
  if (!shape || shape.length < 2) return String(flat);
  const index: number[] = [];
  for (let axis = shape.length - 1, rest = flat; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]);
    rest = Math.floor(rest / shape[axis]);
  }
  return `[${index}]`;
}
