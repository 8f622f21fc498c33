/**
 * Arithmetic on extents that may be symbolic.
 *
 * A symbolic extent is a name, `"N"`, or a product in the one form `"N*256"` (names in order, the number last), so that
 * multiplying and dividing again gives back what was there. Names with a `?` are anonymous: an extent without a name and of
 * which nothing is known but that it is the same wherever the same name occurs.
 *
 * @module
 */

import type { Dim, Shape } from "./graph.ts";

/** Whether nothing is known about an extent. */
export function isAnonymous(dim: Dim): boolean {
  return typeof dim === "string" && dim.includes("?");
}

interface Monomial {
  factor: number;
  symbols: string[];
}

function parse(dim: Dim): Monomial | undefined {
  if (typeof dim === "number") return { factor: dim, symbols: [] };
  // Expressions other than products ("2*s0 + 1", "floor(H/2)") are left alone: they come from exporters as names.
  if (/[+()\s]/.test(dim)) return undefined;
  const result: Monomial = { factor: 1, symbols: [] };
  for (const part of dim.split("*")) {
    if (/^\d+$/.test(part)) result.factor *= Number(part);
    else result.symbols.push(part);
  }
  return result;
}

function print({ factor, symbols }: Monomial): Dim {
  if (symbols.length === 0 || factor === 0) return factor;
  const names = symbols.sort().join("*");
  return factor === 1 ? names : `${names}*${factor}`;
}

/** The product of extents; `undefined` where one of them is an expression we do not take apart. 1 for none. */
export function product(dims: Shape): Dim | undefined {
  if (dims.length === 1) return dims[0];
  const result: Monomial = { factor: 1, symbols: [] };
  for (const dim of dims) {
    if (dim === 0) return 0;
    if (dim === 1) continue;
    const parsed = parse(dim);
    if (!parsed) return dims.every((d) => d === 1 || d === dim) ? dim : undefined;
    result.factor *= parsed.factor;
    result.symbols.push(...parsed.symbols);
  }
  return print(result);
}

/** The whole number or symbol q with q × divisor = dividend; `undefined` if there is none or none can be told. */
export function quotient(dividend: Dim, divisor: Dim): Dim | undefined {
  if (dividend === divisor) return divisor === 0 ? undefined : 1;
  if (divisor === 1) return dividend;
  const over = parse(dividend);
  const under = parse(divisor);
  if (!over || !under || under.factor === 0 || over.factor % under.factor !== 0) return undefined;
  const symbols = [...over.symbols];
  for (const symbol of under.symbols) {
    const at = symbols.indexOf(symbol);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  return print({ factor: over.factor / under.factor, symbols });
}

/**
 * What is known when one extent is described twice: a number before a name before an anonymous one.
 *
 * `undefined` when they contradict each other (two different numbers).
 */
export function meet(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return a;
  if (typeof a === "number") return typeof b === "number" ? undefined : a;
  if (typeof b === "number") return b;
  return isAnonymous(a) && !isAnonymous(b) ? b : a;
}

/**
 * One extent of a broadcast: equal extents stay, 1 gives way.
 *
 * A name against an anonymous extent gives the name, because exporters lose the names of extents far more often than they
 * broadcast along them. `undefined` is a contradiction; two different names give the anonymous `otherwise`.
 */
export function broadcastDim(a: Dim, b: Dim, otherwise: Dim): Dim | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number" || typeof b === "number" || isAnonymous(a) || isAnonymous(b)) {
    return meet(a, b);
  }
  return otherwise;
}

/** The shape as people write it: `[N, 3, 64, 64]`, anonymous extents as `?`. */
export function formatShape(shape: Shape | undefined): string {
  if (!shape) return "of unknown rank";
  return `[${shape.map((dim) => isAnonymous(dim) ? "?" : dim).join(", ")}]`;
}
