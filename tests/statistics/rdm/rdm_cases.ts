/** Reference cases of RDMs, their comparison and their noise ceiling, and how they are compared. */

import { COMPARISONS } from "../../../src/statistics/rdm/comparisons/mod.ts";
import { dissimilarities } from "../../../src/statistics/rdm/dissimilarities.ts";
import { DISTANCES } from "../../../src/statistics/rdm/distances/mod.ts";
import { noiseCeiling } from "../../../src/statistics/rdm/noise_ceiling.ts";
import { assertAgrees, type GoldenNumber } from "../golden_number.ts";

/** Our names by the reference's. */
const DISTANCE_NAMES = {
  scipy_correlation: "correlation",
  scipy_cosine: "cosine",
  scipy_euclidean: "euclidean",
  scipy_sqeuclidean: "squared-euclidean",
  scipy_cityblock: "cityblock",
  rsatoolbox_euclidean: "mean-squared",
  rsatoolbox_correlation: "correlation",
  spearman_distance: "spearman",
} as const;

const COMPARISON_NAMES = {
  "cosine": "cosine",
  "corr": "correlation",
  "spearman": "spearman",
  "tau-b": "tau-b",
  "tau-a": "tau-a",
  "rho-a": "rho-a",
  "cosine_cov": "whitened-cosine",
  "corr_cov": "whitened-correlation",
} as const;

export interface RdmCase {
  readonly input: { readonly matrix: number[][] };
  readonly expected: Readonly<Record<keyof typeof DISTANCE_NAMES, GoldenNumber[]>>;
}

export function assertRdms({ input: { matrix }, expected }: RdmCase): void {
  for (const [key, name] of Object.entries(DISTANCE_NAMES)) {
    const found = dissimilarities(matrix, DISTANCES[name]);
    const wanted = expected[key as keyof typeof DISTANCE_NAMES];
    assertAgrees(found.length, wanted.length, 0, key);
    wanted.forEach((value, at) => assertAgrees(found[at], value, 1e-12, `${key} ${at}`));
  }
}

export interface ComparisonCase {
  readonly input: {
    readonly rdms1: number[][];
    readonly rdms2: number[][];
    readonly sigma_k_diag: number[];
  };
  readonly expected: Readonly<Record<string, GoldenNumber[][]>>;
}

export function assertComparisons({ input, expected }: ComparisonCase): void {
  const each = (wanted: GoldenNumber[][], name: keyof typeof COMPARISONS, sigma?: number[]) =>
    input.rdms1.forEach((x, i) =>
      input.rdms2.forEach((y, j) =>
        assertAgrees(COMPARISONS[name].value(x, y, sigma), wanted[i][j], 1e-9, `${name} ${i} ${j}`)
      )
    );
  for (const [key, name] of Object.entries(COMPARISON_NAMES)) each(expected[key], name);
  for (const key of ["cosine_cov", "corr_cov"] as const) {
    const sigma = `${key}_sigma_k_diag`;
    each(
      expected[`${sigma}_by_definition`] ?? expected[sigma],
      COMPARISON_NAMES[key],
      input.sigma_k_diag,
    );
  }
}

export interface CeilingCase {
  readonly input: { readonly rdms: number[][] };
  readonly expected: Readonly<Record<string, Readonly<Record<"lower" | "upper", GoldenNumber>>>>;
}

export function assertCeilings({ input: { rdms }, expected }: CeilingCase): void {
  for (const [key, { lower, upper }] of Object.entries(expected)) {
    const name = COMPARISON_NAMES[key as keyof typeof COMPARISON_NAMES];
    const found = noiseCeiling(rdms, COMPARISONS[name]);
    assertAgrees(found.lower, lower, 1e-9, `${name}, lower`);
    assertAgrees(found.upper, upper, 1e-9, `${name}, upper`);
  }
}
