/** Numbers of golden files: NaN and the infinities are strings there. */

import assert from "node:assert/strict";
import { assertClose } from "../assert_close.ts";

/** A number as a golden file writes it. */
export type GoldenNumber = number | "NaN" | "Infinity" | "-Infinity";

/** Asserts that a value is the expected one: within `tolerance` (absolute, plus relative), or the same NaN or infinity. */
export function assertAgrees(
  value: number,
  expected: GoldenNumber,
  tolerance: number,
  what?: string,
): void {
  const number = Number(expected);
  if (!Number.isFinite(number)) {
    assert.equal(value, number, `${what ?? "value"}: ${value}, not ${number}`);
  } else assertClose(value, number, { absolute: tolerance, relative: tolerance }, what);
}
