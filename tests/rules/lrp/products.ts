/** The rules for linear layers in terms of the products p = x · w of one result, as the papers write them, in float64. */

import type { CompositeName } from "../../../src/rules/lrp/composites.ts";

/** What each product gets of a relevance of 1, and what is absorbed. */
export type ShareOut = (products: readonly number[], bias: number) => number[];

const positive = (value: number) => Math.max(value, 0);
const negative = (value: number) => Math.min(value, 0);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Parts of the products over the sum of the same parts; nothing where that sum is 0. */
function inProportion(part: (value: number) => number): ShareOut {
  return (products, bias) => {
    const z = sum(products.map(part)) + part(bias);
    return products.map((p) => z === 0 ? 0 : part(p) / z);
  };
}

const epsilon = inProportion((p) => p);
const zPlus = inProportion(positive);
const zMinus = inProportion(negative);

/** By composite, without stabilisers (1e-9, or 1e-6 of a result near 1), for dense layers and convolutions that are not the first. */
export const SHARES: Record<CompositeName, { dense: ShareOut; convolution: ShareOut }> = {
  epsilon: { dense: epsilon, convolution: epsilon },
  "z+": { dense: zPlus, convolution: zPlus },
  gamma: { dense: gamma, convolution: gamma },
  "alpha-beta": { dense: alphaBeta, convolution: alphaBeta },
  "epsilon-plus-flat": { dense: epsilon, convolution: zPlus },
};

function alphaBeta(products: readonly number[], bias: number): number[] {
  const up = zPlus(products, bias), down = zMinus(products, bias);
  return products.map((_, j) => 2 * up[j] - down[j]);
}

function gamma(products: readonly number[], bias: number): number[] {
  const favoured = sum(products) + bias >= 0 ? positive : negative;
  return inProportion((p) => p + 0.25 * favoured(p))(products, bias);
}

/** Relevance of the inputs of z = W x + b. */
export function handBack(
  share: ShareOut,
  weights: Float64Array,
  bias: Float64Array,
  x: Float64Array,
  relevance: Float64Array,
): Float64Array {
  const result = x.map(() => 0);
  relevance.forEach((r, k) => {
    const products = Array.from(x, (value, j) => value * weights[k * x.length + j]);
    share(products, bias[k]).forEach((part, j) => result[j] += part * r);
  });
  return result;
}

/** The flat rule: every connected input alike. `connected` has a 1 where the matrix has an entry. */
export function handBackFlat(
  connected: Float64Array,
  inputs: number,
  relevance: Float64Array,
): Float64Array {
  const result = new Float64Array(inputs);
  relevance.forEach((r, k) => {
    const row = connected.subarray(k * inputs, (k + 1) * inputs);
    const count = row.reduce((a, b) => a + b, 0);
    row.forEach((one, j) => result[j] += one * r / count);
  });
  return result;
}
