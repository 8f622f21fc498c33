import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { UsageError } from "../../../src/base/errors.ts";
import {
  SIMILARITIES,
  similarityMatrix,
  similarityNamed,
} from "../../../src/statistics/similarity/mod.ts";
import { contingencyTable, pack } from "../../../src/statistics/similarity/contingency.ts";
import corpus from "../../golden/paper/corpus.json" with { type: "json" };
import { assertAgrees } from "../golden_number.ts";
import { assertAtLeast, assertEvery, assertMore } from "../../assert_that.ts";
import { assertClose } from "../../assert_close.ts";

type Vector = readonly number[];

const sum = (n: number, term: (i: number) => number) => {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
};
const norm = (u: Vector) => Math.sqrt(sum(u.length, (i) => u[i] ** 2));
const dot = (u: Vector, v: Vector) => sum(u.length, (i) => u[i] * v[i]);
const centred = (u: Vector) => u.map((value) => value - sum(u.length, (i) => u[i]) / u.length);
const differ = (u: Vector, v: Vector) => sum(u.length, (i) => Math.abs(u[i] - v[i]));
const share = (u: Vector, v: Vector) => sum(u.length, (i) => Math.min(u[i], v[i]));
const agree = (u: Vector, v: Vector) => sum(u.length, (i) => u[i] === v[i] ? 1 : 0);
const union = (u: Vector, v: Vector) => sum(u.length, (i) => Math.max(u[i], v[i]));
const scaled = (u: Vector) => u.map((value) => value / sum(u.length, (i) => u[i]));
const divergence = (p: Vector, q: Vector) =>
  sum(p.length, (i) => p[i] === 0 ? 0 : p[i] * Math.log(p[i] / q[i]));

/** The distances from their definitions on vectors of any numbers, or, if there is none, on sets of images. */
const SLOW: Record<string, (u: Vector, v: Vector) => number> = {
  braycurtis: (u, v) => differ(u, v) / sum(u.length, (i) => Math.abs(u[i] + v[i])),
  canberra: (u, v) =>
    sum(u.length, (i) => u[i] || v[i] ? Math.abs(u[i] - v[i]) / (u[i] + v[i]) : 0),
  chebyshev: (u, v) => Math.max(...u.map((value, i) => Math.abs(value - v[i]))),
  cityblock: differ,
  correlation: (u, v) =>
    new Set(u).size < 2 || new Set(v).size < 2
      ? NaN
      : 1 - dot(centred(u), centred(v)) / norm(centred(u)) / norm(centred(v)),
  cosine: (u, v) => 1 - dot(u, v) / norm(u) / norm(v),
  dice: (u, v) => differ(u, v) / (2 * share(u, v) + differ(u, v)),
  euclidean: (u, v) => norm(u.map((value, i) => value - v[i])),
  hamming: (u, v) => differ(u, v) / u.length,
  jaccard: (u, v) => union(u, v) === 0 ? 0 : 1 - share(u, v) / union(u, v),
  jensenshannon(u, v) {
    if (!u.includes(1) || !v.includes(1)) return Infinity;
    const p = scaled(u), q = scaled(v), mean = p.map((value, i) => (value + q[i]) / 2);
    return Math.sqrt(Math.max(0, divergence(p, mean) + divergence(q, mean)) / 2);
  },
  kulczynski1: (u, v) => share(u, v) / differ(u, v),
  matching: (u, v) => 1 - agree(u, v) / u.length,
  minkowski: (u, v) => sum(u.length, (i) => Math.abs(u[i] - v[i]) ** 2) ** .5,
  rogerstanimoto: (u, v) => 2 * differ(u, v) / (agree(u, v) + 2 * differ(u, v)),
  russellrao: (u, v) => (u.length - share(u, v)) / u.length,
  sokalmichener: (u, v) => 2 * differ(u, v) / (agree(u, v) + 2 * differ(u, v)),
  sokalsneath: (u, v) => 2 * differ(u, v) / (share(u, v) + 2 * differ(u, v)),
  sqeuclidean: (u, v) => norm(u.map((value, i) => value - v[i])) ** 2,
  yule(u, v) {
    const neither = agree(u, v) - share(u, v);
    const bc = (union(u, v) - sum(v.length, (i) => v[i])) *
      (union(u, v) - sum(u.length, (i) => u[i]));
    return bc === 0 ? 0 : 2 * bc / (share(u, v) * neither + bc);
  },
  "thesis-smc": (u, v) => differ(u, v) / u.length,
  "thesis-dice": (u, v) => union(u, v) ? 2 * share(u, v) / (share(u, v) + union(u, v)) : 0,
  "thesis-cosine": (u, v) => share(u, v) > 0 ? 1 / (norm(u) * norm(v)) : 0,
  "thesis-jaccard": (u, v) => union(u, v) === 0 ? 0 : 1 - share(u, v) / union(u, v),
  "thesis-rajski": (u, v) => u.includes(1) ? 1 - share(u, v) / sum(u.length, (i) => u[i]) : 0,
};
const JOINT = ["mahalanobis", "seuclidean"];

/** Random vectors of several densities, with an empty one, a full one and a repeated one. */
function vectors(n: number, seed: number): Uint8Array[] {
  const rng = createRng(seed);
  const random = [.05, .2, .5, .5, .8, .97].map((density) =>
    Uint8Array.from({ length: n }, () => rng.uniform() < density ? 1 : 0)
  );
  return [new Uint8Array(n), ...random, new Uint8Array(n).fill(1), random[2].slice()];
}

Deno.test("there are scipy's 22 in alphabetical order, and the thesis's five", () => {
  const names = SIMILARITIES.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 22), names.slice(0, 22).toSorted());
  assert.deepEqual(names.toSorted(), [...Object.keys(SLOW), ...JOINT].toSorted());
  assert.equal(names.length, 27);
  for (const { name, title, source } of SIMILARITIES) {
    assert.equal(similarityNamed(name).name, name);
    assertMore(title.length, 0);
    assertMore(source.length, 0);
  }
  assert.throws(() => similarityNamed("Dice"), UsageError);
});

Deno.test("each measure is one minus its definition on vectors", () => {
  for (const n of [1, 2, 7, 31, 32, 33, 100, 250]) {
    const all = vectors(n, n);
    for (const similarity of SIMILARITIES) {
      const slow = SLOW[similarity.name];
      if (!slow) continue;
      const { values } = similarityMatrix(all, similarity);
      for (let i = 0; i < all.length; i++) {
        for (let j = i + 1; j < all.length; j++) {
          const wanted = 1 - slow([...all[i]], [...all[j]]);
          const value = values[i * all.length + j];
          // The definition's divergence of equal vectors is a rounding residue, whose root is 1e-8.
          const tolerance = similarity.name === "jensenshannon" ? 2e-8 : 1e-12;
          assertAgrees(value, wanted, tolerance, `${similarity.name}, n ${n}, ${i} ${j}`);
        }
      }
    }
  }
});

Deno.test("distances of two sets of vectors are scipy's", () => {
  assert.equal(corpus.distances.length, 2);
  for (const { vectors: strings, ...measures } of corpus.distances) {
    const all = strings.map((bits) => Uint8Array.from(bits, Number));
    assertAtLeast(Object.keys(measures).length, 19);
    for (const [name, distances] of Object.entries(measures)) {
      const { values } = similarityMatrix(all, similarityNamed(name));
      let at = 0;
      for (let i = 0; i < all.length; i++) {
        assert.equal(values[i * all.length + i], 1);
        for (let j = i + 1; j < all.length; j++) {
          const wanted = 1 - Number(distances[at++]);
          const value = values[i * all.length + j];
          const tolerance = name === "jensenshannon" ? 2e-8 : 1e-12;
          assertAgrees(value, wanted, tolerance, `${name} ${i} ${j}`);
          assert.equal(values[j * all.length + i], value);
        }
      }
      assert.equal(at, distances.length);
    }
  }
});

Deno.test("the order of images does not matter, and a feature twice is like itself", () => {
  const all = vectors(60, 9);
  const order = Array.from({ length: 60 }, (_, i) => (i * 17) % 60);
  const shuffled = all.map((vector) => Uint8Array.from(order, (i) => vector[i]));
  for (const similarity of SIMILARITIES) {
    const { values } = similarityMatrix(all, similarity);
    const { values: again } = similarityMatrix(shuffled, similarity);
    values.forEach((value, at) =>
      assertAgrees(again[at], value, 1e-12, `${similarity.name} ${at}`)
    );
    // The last vector repeats the fourth: towards all before both they are the same.
    for (let i = 0; i < 3; i++) {
      const m = all.length;
      assert.equal(values[i * m + 3], values[i * m + m - 1], similarity.name);
    }
  }
});

Deno.test("seuclidean needs every image to vary, mahalanobis more vectors than images that are independent", () => {
  const of = (rows: string[]) => rows.map((bits) => Uint8Array.from(bits, Number));
  const standardised = similarityMatrix(of(["10", "11", "01"]), similarityNamed("seuclidean"));
  // Both images have two ones among three: variance 1/3.
  assertClose(standardised.values[2], 1 - Math.sqrt(6), 1e-15);
  const constant = similarityMatrix(of(["101", "111", "011"]), similarityNamed("seuclidean"));
  assert.deepEqual([1, 2, 5].map((at) => constant.values[at]), [NaN, NaN, NaN]);
  const few = similarityMatrix(of(["10", "01"]), similarityNamed("mahalanobis"));
  assert.match(few.reason!, /2 images over 2 vectors is singular: it needs at least 3 vectors/);
  const dependent = similarityMatrix(of(["11", "00", "11", "00"]), similarityNamed("mahalanobis"));
  assert.match(dependent.reason!, /its rank over these 4 vectors is 1/);
  for (const { values } of [few, dependent]) assertEvery(values, Number.isNaN);
});

Deno.test("vectors are counted 32 elements at a time, at any length", () => {
  for (const n of [0, 1, 31, 32, 33, 64, 65, 1000]) {
    const all = vectors(n, n + 1);
    const packed = pack(all);
    for (let i = 0; i < all.length; i++) {
      for (let j = 0; j < all.length; j++) {
        const count = (u: number, v: number) =>
          sum(n, (k) => all[i][k] === u && all[j][k] === v ? 1 : 0);
        assert.deepEqual(contingencyTable(packed, i, j), {
          a: count(1, 1),
          b: count(1, 0),
          c: count(0, 1),
          d: count(0, 0),
          n,
        });
      }
    }
  }
  assert.throws(() => pack([new Uint8Array(3), new Uint8Array(4)]), RangeError);
});
