/** Numbers of golden files: NaN and the infinities are strings there. */

/** A number as a golden file writes it. */
export type GoldenNumber = number | "NaN" | "Infinity" | "-Infinity";

/** Whether a value is the expected one: within `tolerance` (absolute, plus relative), or the same NaN or infinity. */
export function agrees(value: number, expected: GoldenNumber, tolerance: number): boolean {
  const number = Number(expected);
  if (!Number.isFinite(number)) return Object.is(value, number);
  return Math.abs(value - number) <= tolerance * (1 + Math.abs(number));
}
