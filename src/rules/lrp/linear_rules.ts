/**
 * The rules for linear layers that composites choose from.
 *
 * @module
 */

import type { LinearRule, Mix, Product } from "./linear.ts";

const ALL = { all: 1 };

/** Each input gets its product's share of the result; a larger ε takes more from weak and contradicting products. */
export function epsilonRule(epsilon: number): LinearRule {
  return {
    name: "epsilon",
    source: "Bach et al. 2015 (PLoS ONE 10(7)), eq. 58",
    epsilon,
    groups: [{ share: 1, parts: [{ input: ALL, weight: ALL }], bias: ALL }],
  };
}

const POSITIVE_PRODUCTS: readonly Product[] = [
  { input: { positive: 1 }, weight: { positive: 1 } },
  { input: { negative: 1 }, weight: { negative: 1 } },
];
const NEGATIVE_PRODUCTS: readonly Product[] = [
  { input: { positive: 1 }, weight: { negative: 1 } },
  { input: { negative: 1 }, weight: { positive: 1 } },
];

/** Positive products alone. For inputs ≥ 0 these are those of the positive weights. */
export function zPlusRule(epsilon: number): LinearRule {
  return {
    ...alphaBetaRule(1, epsilon),
    name: "z+",
    source: "Montavon et al. 2017 (Pattern Recognition 65)",
  };
}

/** α times the share among positive products, minus β = α − 1 times that among negative ones. */
export function alphaBetaRule(alpha: number, epsilon: number): LinearRule {
  const positive = { share: alpha, parts: POSITIVE_PRODUCTS, bias: { positive: 1 } };
  const negative = { share: 1 - alpha, parts: NEGATIVE_PRODUCTS, bias: { negative: 1 } };
  return {
    name: "alpha-beta",
    source: "Bach et al. 2015 (PLoS ONE 10(7)), eq. 60",
    epsilon,
    groups: alpha === 1 ? [positive] : [positive, negative],
  };
}

/**
 * Products of the result's own sign count 1 + γ times. For inputs ≥ 0 and a positive result that is Montavon et al.'s rule, w + γ w⁺;
 * where a result is negative, that rule's denominator may have either sign and come close to 0, and relevance explodes.
 */
export function gammaRule(gamma: number, epsilon: number): LinearRule {
  const every = { input: ALL, weight: ALL };
  const scaled = (mix: Mix): Mix =>
    Object.fromEntries(Object.entries(mix).map(([part, factor]) => [part, gamma * factor]));
  const favour = (products: readonly Product[]) => [
    every,
    ...products.map(({ input, weight }) => ({ input, weight: scaled(weight) })),
  ];
  return {
    name: "gamma",
    source:
      "Montavon et al. 2019 (LNCS 11700, ch. 10); generalised by Andéol et al. 2021 (arXiv 2106.04923)",
    epsilon,
    groups: [
      {
        share: 1,
        when: "positive",
        parts: favour(POSITIVE_PRODUCTS),
        bias: { all: 1, positive: gamma },
      },
      {
        share: 1,
        when: "negative",
        parts: favour(NEGATIVE_PRODUCTS),
        bias: { all: 1, negative: gamma },
      },
    ],
  };
}

/** Every input alike, whatever its value and weight; for a first layer, where an input of 0 says as much as any other. */
export function flatRule(): LinearRule {
  return {
    name: "flat",
    source: "Lapuschkin et al. 2019 (Nature Communications 10)",
    epsilon: 1e-9,
    groups: [{ share: 1, parts: [{ input: { ones: 1 }, weight: { ones: 1 } }], bias: {} }],
  };
}
