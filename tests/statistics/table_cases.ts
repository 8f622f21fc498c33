/** What a case of the reference's statistics of tables must give, by file. Tolerances are those of the file. */

import assert from "node:assert/strict";
import gammaln from "@stdlib/math-base-special-gammaln";
import { CELL_MEASURES } from "../../src/statistics/cell_measures/mod.ts";
import { contingency } from "../../src/statistics/contingency.ts";
import { CORRECTIONS } from "../../src/statistics/corrections/mod.ts";
import {
  betaCdf,
  betaQuantile,
  chiSquareSurvival,
  normalCdf,
  normalQuantile,
  normalTwoSided,
  studentTTwoSided,
} from "../../src/statistics/distributions.ts";
import { exactBinomial } from "../../src/statistics/exact/binomial.ts";
import { fisherExact } from "../../src/statistics/exact/fisher.ts";
import { logOddsInterval } from "../../src/statistics/intervals/log_odds.ts";
import { PROPORTION_INTERVALS } from "../../src/statistics/intervals/mod.ts";
import { kolmogorovUniform } from "../../src/statistics/kolmogorov.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import {
  breslowDay,
  type ChiSquareTest,
  cochranMantelHaenszel,
  exactConditional,
  mantelHaenszel,
} from "../../src/statistics/stratified/mod.ts";
import { exactTwoSample } from "../../src/statistics/two_sample.ts";
import { assertLess } from "../assert_that.ts";
import { assertClose, type Tolerance } from "../assert_close.ts";
import type { GoldenNumber } from "./golden_number.ts";

/** One case of a golden file. */
// deno-lint-ignore no-explicit-any
export type GoldenCase = { input: any; expected: any };

/** As `assertAgrees`, with a relative tolerance of its own, which far tails need; below 1e-300 a p need only be below 1e-290. */
function agrees(value: number, expected: GoldenNumber, tolerance: Tolerance, what: string): void {
  const wanted = Number(expected);
  if (!Number.isFinite(wanted)) assert.equal(value, wanted, what);
  else if (tolerance.absolute === undefined && wanted < 1e-300 && wanted >= 0 && value !== wanted) {
    assertLess(value, 1e-290, what);
  } else assertClose(value, wanted, tolerance, what);
}

/** 02a: measures of one table, its interval and Fisher's three p. */
export function assertTwoByTwo({ input, expected }: GoldenCase): void {
  const { a, b, c, d } = input, cell = { a, b, c, d, n: a + b + c + d };
  const of = `${a} ${b} ${c} ${d}`;
  const near = { absolute: 1e-9, relative: 1e-9 };
  for (
    const [name, key] of [
      ["phi", "phi"],
      ["lift", "lift"],
      ["pmi", "pmi_nats"],
      ["npmi", "npmi"],
      ["adjusted-residual", "adjusted_residual_a"],
      ["log-odds", "ha_log_odds"],
      ["delta-p", "delta_p"],
    ] as const
  ) agrees(CELL_MEASURES[name].value(cell), expected[key], near, `${name} of ${of}`);
  const { value, se, low, high, p } = logOddsInterval(cell);
  agrees(value, expected.ha_log_odds, near, `log odds of ${of}`);
  agrees(se, expected.ha_se, near, `se of ${of}`);
  agrees(low, expected.ha_ci95[0], near, `low of ${of}`);
  agrees(high, expected.ha_ci95[1], near, `high of ${of}`);
  agrees(p, expected.ha_p_wald, { relative: 1e-9 }, `Wald p of ${of}`);
  for (const alternative of ["two-sided", "greater", "less"] as const) {
    const wanted = expected[`fisher_${alternative.replace("-", "_")}`];
    agrees(fisherExact(cell, alternative), wanted, { relative: 1e-7 }, `${alternative} p of ${of}`);
  }
  agrees(MEASURES.dice.value({ ...cell, boxes: 0, sum: 0 }), expected.dice, near, `dice of ${of}`);
  agrees(mantelHaenszel([cell]).value, expected.odds_ratio, near, `odds ratio of ${of}`);
  const table = contingency([a, b, c, d], 2, 2);
  agrees(table.expected[0], expected.expected_a, near, `expected count of ${of}`);
  agrees(table.pearson[0], expected.pearson_residual_a, near, `Pearson residual of ${of}`);
  agrees(table.adjusted[0], expected.adjusted_residual_a, near, `adjusted residual of ${of}`);
  for (
    const [key, { statistic, p }] of [
      ["chi2", table.chiSquare],
      ["chi2_yates", contingency([a, b, c, d], 2, 2, true).chiSquare],
      ["g_test", table.g],
    ] as const
  ) {
    agrees(statistic, expected[key].stat, near, `${key} of ${of}`);
    agrees(p, expected[key].p, { relative: 1e-9 }, `p of ${key} of ${of}`);
  }
}

/** 02b: tables of any size. */
export function assertContingency({ input, expected }: GoldenCase): void {
  const counts: number[][] = input.counts;
  const table = contingency(counts.flat(), counts.length, counts[0].length);
  const near = { relative: 1e-9, absolute: 1e-9, nan: true };
  assertClose(table.expected, expected.expected.flat(), near, "expected");
  const numbers = (rows: GoldenNumber[][]) => rows.flat().map(Number);
  assertClose(table.pearson, numbers(expected.pearson_residuals), near, "Pearson residuals");
  assertClose(table.adjusted, numbers(expected.adjusted_residuals), near, "adjusted residuals");
  agrees(table.cramersV, expected.cramers_v ?? "NaN", near, "Cramér's V");
  for (
    const [key, { statistic, freedom, p }] of [["chi2", table.chiSquare], ["g", table.g]] as const
  ) {
    agrees(statistic, expected[key]?.stat ?? "NaN", near, key);
    agrees(p, expected[key]?.p ?? "NaN", { relative: 1e-9 }, `p of ${key}`);
    if (key === "chi2" && expected.chi2) assert.equal(freedom, expected.chi2.dof);
  }
}

/** 02c: measures of every cell of a matrix of objects and classes, from pictures. */
export function assertIncidence({ input, expected }: GoldenCase): void {
  const rows: string[] = input.presence_rows_by_image;
  const n = rows.length;
  for (let object = 0; object < rows[0].length; object++) {
    for (let emotion = 0; emotion < input.n_emotions; emotion++) {
      let a = 0, b = 0, c = 0;
      for (let image = 0; image < n; image++) {
        const present = rows[image][object] === "1", same = input.emotion_label[image] === emotion;
        if (present && same) a++;
        else if (present) b++;
        else if (same) c++;
      }
      const cell = { a, b, c, d: n - a - b - c, n };
      const of = `${object}, ${emotion}`;
      for (
        const [name, key] of [
          ["phi", "phi"],
          ["adjusted-residual", "adjusted_residual"],
          ["lift", "lift"],
          ["npmi", "npmi"],
          ["log-odds", "ha_log_odds"],
        ] as const
      ) {
        const near = { absolute: 1e-9, relative: 1e-9 };
        agrees(CELL_MEASURES[name].value(cell), expected[key][object][emotion], near, of);
      }
      const wanted = expected.fisher_two_sided[object][emotion];
      agrees(fisherExact(cell), wanted, { relative: 1e-7 }, of);
    }
  }
}

const CORRECTION_KEYS = [
  ["benjamini-hochberg", "bh"],
  ["benjamini-yekutieli", "by"],
  ["bonferroni", "bonferroni"],
  ["holm", "holm"],
  ["hochberg", "hochberg"],
] as const;

/** 03a: five corrections of one vector of p, and what is rejected. */
export function assertMultiplicity({ input, expected }: GoldenCase): void {
  for (const [name, key] of CORRECTION_KEYS) {
    const adjusted = CORRECTIONS[name].adjust(input.p.map(Number));
    const wanted = expected[key].adjusted.map(Number);
    assertClose(adjusted, wanted, { relative: 1e-12, absolute: 1e-15, nan: true }, name);
    const rejected = Array.from(adjusted, (value) => value <= input.alpha);
    assert.deepEqual(rejected, expected[key].reject_05, name);
  }
}

/** 03b: the same of a long vector, of which the first and a sum are kept. */
export function assertManyTests({ input, expected }: GoldenCase): void {
  for (const [name, key] of CORRECTION_KEYS) {
    if (key === "hochberg") continue;
    const adjusted = CORRECTIONS[name].adjust(input.p);
    const { n_reject, sum_adjusted, first_200_adjusted } = expected[key];
    assertClose(adjusted.subarray(0, 200), first_200_adjusted, { relative: 1e-10 }, name);
    const sum = adjusted.reduce((sum, p) => sum + p, 0);
    assertClose(sum, sum_adjusted, { relative: 1e-10 }, name);
    assert.equal(adjusted.filter((p) => p <= input.alpha).length, n_reject, name);
  }
}

/** 06: several tables at once. */
export function assertStratified({ input, expected }: GoldenCase): void {
  const tables = (input.tables as number[][][])
    .map(([[a, b], [c, d]]) => ({ a, b, c, d }));
  const near = { absolute: 1e-8, relative: 1e-8 }, nearP = { absolute: 1e-14, relative: 1e-6 };
  const pooled = mantelHaenszel(tables);
  agrees(pooled.value, expected.mh_odds_ratio, near, "odds ratio");
  agrees(pooled.log, expected.mh_log_or, near, "log odds ratio");
  agrees(pooled.se, expected.mh_log_se_rbg, near, "its se");
  agrees(pooled.low, expected.mh_ci95[0], near, "its low end");
  agrees(pooled.high, expected.mh_ci95[1], near, "its high end");
  const tests: [string, ChiSquareTest][] = [
    ["cmh", cochranMantelHaenszel(tables)],
    ["cmh_corrected", cochranMantelHaenszel(tables, true)],
  ];
  // At a pooled odds ratio of exactly 1 statsmodels divides 0 by 0; `stratified_test.ts` has the value by hand.
  if (expected.mh_odds_ratio !== 1) {
    tests.push(["breslow_day", breslowDay(tables)], [
      "breslow_day_tarone",
      breslowDay(tables, true),
    ]);
  }
  for (const [key, { statistic, freedom, p }] of tests) {
    agrees(statistic, expected[key].stat, near, key);
    agrees(p, expected[key].p, p < 1e-14 ? { relative: 1e-6 } : nearP, `p of ${key}`);
    if (expected[key].dof !== undefined) assert.equal(freedom, expected[key].dof);
  }
  const sum = { a: 0, b: 0, c: 0, d: 0 };
  for (const table of tables) {
    for (const key of ["a", "b", "c", "d"] as const) sum[key] += table[key];
  }
  const n = sum.a + sum.b + sum.c + sum.d;
  agrees(mantelHaenszel([sum]).value, expected.marginal_or, near, "odds ratio of the sum");
  agrees(CELL_MEASURES.phi.value({ ...sum, n }), expected.marginal_phi, near, "phi of the sum");
  const exact = expected.cmh_exact_p_two_sided;
  if (exact !== null) agrees(exactConditional(tables), exact, nearP, "exact p");
}

/** 08b: all splits of two groups. */
export function assertTwoSample({ input, expected }: GoldenCase): void {
  const { twoSided, greater, less } = exactTwoSample(input.x, input.y);
  assertClose(
    [twoSided, greater, less],
    [expected["two-sided"], expected.greater, expected.less],
    1e-12,
  );
}

/** 09a: numbers against the uniform distribution. */
export function assertKolmogorov({ input, expected }: GoldenCase): void {
  const { statistic, p, asymptotic, greater, less } = kolmogorovUniform(input.x);
  assertClose(
    [statistic, greater.statistic, less.statistic],
    [expected.D, expected.D_greater, expected.D_less],
    1e-12,
  );
  assertClose(
    [p, asymptotic, greater.p, less.p],
    [expected.p_exact, expected.p_asymp, expected.p_greater, expected.p_less],
    { relative: 1e-6, absolute: 1e-12 },
  );
}

/** 09b: intervals and the exact test of a proportion. */
export function assertProportion({ input, expected }: GoldenCase): void {
  const { k, n, alpha } = input;
  for (const [name, { interval }] of Object.entries(PROPORTION_INTERVALS)) {
    const wanted = expected[name.replace("-", "_")];
    assertClose(interval(k, n, 1 - alpha), wanted, { relative: 1e-8, absolute: 1e-10 }, name);
  }
  for (const alternative of ["two-sided", "greater"] as const) {
    const wanted = expected[`binomtest_p_vs_0.05_${alternative.replace("-", "_")}`];
    agrees(exactBinomial(k, n, .05, alternative), wanted, { relative: 1e-8 }, `${k} of ${n}`);
  }
}

/** 09c: one value of one distribution. */
export function assertDistribution({ input, expected }: GoldenCase): void {
  const { x, z, q, t, a, b, df } = input;
  const value = {
    normal_sf_two_sided: () => normalTwoSided(z),
    norm_cdf: () => normalCdf(z),
    norm_ppf: () => normalQuantile(q),
    chi2_sf: () => chiSquareSurvival(x, df),
    t_sf_two_sided: () => studentTTwoSided(t, df),
    beta_cdf: () => betaCdf(x, a, b),
    beta_ppf: () => betaQuantile(q, a, b),
    lgamma: () => gammaln(x),
  }[input.f as "norm_cdf"]();
  agrees(value, expected, { relative: 1e-10 }, JSON.stringify(input));
}

/** What each file's cases must give, by its name. */
export const TABLE_FILES: Readonly<Record<string, (golden: GoldenCase) => void>> = {
  "02a_two_by_two": assertTwoByTwo,
  "02b_r_by_c": assertContingency,
  "02c_incidence_matrices": assertIncidence,
  "03a_multiplicity": assertMultiplicity,
  "03b_multiplicity_12020": assertManyTests,
  "06_stratified": assertStratified,
  "08b_exact_two_sample": assertTwoSample,
  "09a_ks_uniform": assertKolmogorov,
  "09b_binomial": assertProportion,
  "09c_distributions": assertDistribution,
};
