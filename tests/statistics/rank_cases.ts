/** Reference cases of Kendall's coefficients and Mantel's test, and how they are compared. */

import assert from "node:assert/strict";
import { kendall, kendallExactP } from "../../src/statistics/kendall.ts";
import type { Alternative } from "../../src/statistics/exact/unimodal.ts";
import { mantel } from "../../src/statistics/mantel.ts";
import { assertAgrees, type GoldenNumber } from "./golden_number.ts";

export interface CorrelationCase {
  readonly input: { readonly x: GoldenNumber[]; readonly y: GoldenNumber[] };
  readonly expected: {
    readonly kendall_a: GoldenNumber;
    readonly kendall_b: Readonly<Record<"tau" | "p_asymptotic", GoldenNumber>> & {
      readonly p_exact?: GoldenNumber;
    };
  };
}

export function assertKendall({ input, expected }: CorrelationCase): void {
  const x = input.x.map(Number), y = input.y.map(Number);
  const found = kendall(x, y);
  const { tau, p_asymptotic, p_exact } = expected.kendall_b;
  const what = `of ${found.n}`;
  assertAgrees(found.tauA, expected.kendall_a, 1e-12, `tau-a ${what}`);
  assertAgrees(found.tauB, tau, 1e-12, `tau-b ${what}`);
  assertAgrees(found.p, p_asymptotic, 1e-12, `p ${what}`);
  // The reference states it for thirty values at most.
  if (p_exact !== undefined) assertAgrees(kendallExactP(x, y), p_exact, 1e-12, `exact p ${what}`);
}

interface Tested {
  readonly hits: Readonly<Record<Alternative, number>>;
  readonly p: Readonly<Record<Alternative, number>>;
}

export interface MantelCase {
  readonly input: {
    readonly x: number[];
    readonly y: number[];
    readonly z: number[];
    readonly permutations: string | number[][];
  };
  readonly expected: Readonly<
    Record<"pearson" | "spearman", {
      readonly r: number;
      readonly partial_r_given_z: number;
      readonly mantel: Tested;
      readonly partial_mantel: Tested;
    }>
  >;
}

export function assertMantel({ input: { x, y, z, ...input }, expected }: MantelCase): void {
  const permutations = typeof input.permutations === "string" ? "all" : input.permutations;
  for (const correlation of ["pearson", "spearman"] as const) {
    const wanted = expected[correlation];
    const plain = mantel(x, y, { correlation, permutations });
    assertAgrees(plain.r, wanted.r, 1e-10);
    assert.deepEqual(plain.hits, wanted.mantel.hits);
    assert.deepEqual(plain.p, wanted.mantel.p);
    const partial = mantel(x, y, { correlation, permutations, given: z });
    assertAgrees(partial.r, wanted.partial_r_given_z, 1e-10);
    assert.deepEqual(partial.hits, wanted.partial_mantel.hits);
    assert.deepEqual(partial.p, wanted.partial_mantel.p);
  }
}
