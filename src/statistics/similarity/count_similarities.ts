/**
 * The similarity measures of binary vectors that their counts a, b, c, d decide: one line each.
 *
 * Each is 1 − the distance that `scipy.spatial.distance.pdist` has under the name (scipy 1.17.1; kulczynski1 and sokalmichener, which it
 * has no longer, as of 1.13.1). Written m = b + c. 0/0 is NaN where nothing else is said, as there.
 *
 * 1 − distance lies in 0..1 (correlation and yule: −1..1) for the bounded distances only. For canberra, chebyshev, cityblock, euclidean,
 * minkowski and sqeuclidean it is not a similarity in any useful sense (about −100 for 100 images that differ), and kulczynski1 is itself a
 * similarity, so that 1 − it turns the order round. They are here because the paper's code offers them.
 *
 * @module
 */

import type { ContingencyTable } from "./contingency.ts";
import type { CountedSimilarity } from "./similarity.ts";

const differing = ({ b, c }: ContingencyTable) => b + c;
const euclidean = ({ b, c }: ContingencyTable) => Math.sqrt(b + c);
const hamming = ({ b, c, n }: ContingencyTable) => (b + c) / n;
const dice = ({ a, b, c }: ContingencyTable) => (b + c) / (2 * a + b + c);
const rogersTanimoto = ({ a, b, c, d }: ContingencyTable) => 2 * (b + c) / (a + d + 2 * (b + c));

/** 1 − √(JSD): half the divergences of u and v, each scaled to the sum 1, from their mean. */
function jensenShannon({ a, b, c }: ContingencyTable): number {
  if (a + b === 0 || a + c === 0) return Infinity;
  const p = 1 / (a + b), q = 1 / (a + c);
  const mean = (p + q) / 2;
  const shared = a * (p * Math.log(p / mean) + q * Math.log(q / mean));
  return Math.sqrt(Math.max(0, (b * p + c * q) * Math.LN2 + shared) / 2);
}

function correlation({ a, b, c, d }: ContingencyTable): number {
  const product = (a + b) * (c + d) * ((a + c) * (b + d));
  return 1 - (a * d - b * c) / Math.sqrt(product);
}

/** The twenty measures, in alphabetical order. */
export const COUNT_SIMILARITIES: readonly CountedSimilarity[] = [
  {
    name: "braycurtis",
    title: "Bray-Curtis",
    source: "Σ|u−v| / Σ|u+v| = m / (2a + m): dice, for binary vectors",
    distance: dice,
  },
  {
    name: "canberra",
    title: "Canberra",
    source: "Σ |u−v| / (|u|+|v|), 0/0 terms 0 = m",
    distance: differing,
  },
  {
    name: "chebyshev",
    title: "Chebyshev",
    source: "max |u−v| = 1 where m > 0, else 0",
    distance: (counts) => differing(counts) > 0 ? 1 : 0,
  },
  {
    name: "cityblock",
    title: "City-Block",
    source: "Σ|u−v| = m",
    distance: differing,
  },
  {
    name: "correlation",
    title: "Pearson",
    source: "1 − (ad − bc) / √((a+b)(c+d)(a+c)(b+d)): 1 − phi",
    distance: correlation,
  },
  {
    name: "cosine",
    title: "Cosine",
    source: "1 − a / √((a+b)(a+c))",
    distance: ({ a, b, c }) => 1 - a / Math.sqrt((a + b) * (a + c)),
  },
  {
    name: "dice",
    title: "Dice",
    source: "m / (2a + m), Dice 1945; the paper's measure",
    distance: dice,
  },
  {
    name: "euclidean",
    title: "Euclidean",
    source: "√m",
    distance: euclidean,
  },
  {
    name: "hamming",
    title: "Hamming",
    source: "m / n",
    distance: hamming,
  },
  {
    name: "jaccard",
    title: "Jaccard",
    source: "m / (a + m), 0 where both are empty; Jaccard 1901",
    distance: ({ a, b, c }) => b + c === 0 ? 0 : (b + c) / (a + b + c),
  },
  {
    name: "jensenshannon",
    title: "Jensen-Shannon",
    source:
      "√(Jensen-Shannon divergence), natural logarithm, of u/Σu and v/Σv; ∞ where one is empty",
    distance: jensenShannon,
  },
  {
    name: "kulczynski1",
    title: "Kulczynski",
    source: "a / m, a similarity itself: ∞ for equal vectors, NaN for empty ones",
    distance: (counts) => counts.a / differing(counts),
  },
  {
    name: "matching",
    title: "Simple Matching",
    source: "m / n: hamming",
    distance: hamming,
  },
  {
    name: "minkowski",
    title: "Minkowski",
    source: "(Σ|u−v|²)^½ = √m: euclidean",
    distance: euclidean,
  },
  {
    name: "rogerstanimoto",
    title: "Rogers-Tanimoto",
    source: "2m / (a + d + 2m), Rogers and Tanimoto 1960",
    distance: rogersTanimoto,
  },
  {
    name: "russellrao",
    title: "Russell-Rao",
    source: "(n − a) / n",
    distance: ({ a, n }) => (n - a) / n,
  },
  {
    name: "sokalmichener",
    title: "Sokal-Michener",
    source: "2m / (a + d + 2m): scipy's is rogerstanimoto",
    distance: rogersTanimoto,
  },
  {
    name: "sokalsneath",
    title: "Sokal-Sneath",
    source: "2m / (a + 2m)",
    distance: ({ a, b, c }) => 2 * (b + c) / (a + 2 * (b + c)),
  },
  {
    name: "sqeuclidean",
    title: "Squared Euclidean Distance",
    source: "m",
    distance: differing,
  },
  {
    name: "yule",
    title: "Yule",
    source: "2bc / (ad + bc), 0 where bc = 0; 1 − it is Yule's Q, Yule 1900",
    distance: ({ a, b, c, d }) => b * c === 0 ? 0 : 2 * b * c / (a * d + b * c),
  },
];
