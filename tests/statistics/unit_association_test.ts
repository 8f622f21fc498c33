/** The test over units against all permutations, written out; and that neither copies nor dependence inside of units make evidence. */

import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { fisherExact } from "../../src/statistics/exact/fisher.ts";
import { UnitAssociationTest } from "../../src/statistics/unit_association.ts";
import { assertClose } from "../assert_close.ts";
import { assertLess } from "../assert_that.ts";

/** Units as lists of samples: whether the object is salient, and the class. */
type Corpus = readonly (readonly (readonly [salient: number, label: number])[])[];

function test(corpus: Corpus, target = 1, draws = 9999) {
  const label: number[] = [], unit: number[] = [], salient: number[] = [];
  for (const [u, samples] of corpus.entries()) {
    for (const [x, y] of samples) {
      if (x) salient.push(label.length);
      label.push(y);
      unit.push(u);
    }
  }
  const tests = new UnitAssociationTest(
    Int32Array.from(label),
    Int32Array.from(unit),
    corpus.length,
  );
  return tests.object(Int32Array.from(salient))(target, { draws, rng: () => createRng(5) });
}

function* permutations(n: number, done: number[] = []): Generator<number[]> {
  if (done.length === n) yield done;
  for (let i = 0; i < n; i++) if (!done.includes(i)) yield* permutations(n, [...done, i]);
}

/** T of every permutation of labels over units of equal size, by definition. */
function allValues(corpus: Corpus, target = 1): { observed: number; values: number[] } {
  const value = (order: readonly number[]) =>
    corpus.reduce((sum, samples, u) => {
      const labels = corpus[order[u]];
      return sum + samples.reduce((own, [x], s) =>
        own + (x && labels[s][1] === target ? 1 / samples.length : 0), 0);
    }, 0);
  const allowed = [...permutations(corpus.length)]
    .filter((order) => order.every((from, u) => corpus[from].length === corpus[u].length));
  return { observed: value([...corpus.keys()]), values: allowed.map(value) };
}

/** Sum of the probabilities of values that are no more probable than the observed one. */
function byProbability({ observed, values }: ReturnType<typeof allValues>): number {
  const key = (value: number) => value.toFixed(9);
  const counts = Map.groupBy(values, key);
  const own = counts.get(key(observed))!.length;
  return [...counts.values()].filter(({ length }) => length <= own)
    .reduce((sum, { length }) => sum + length, 0) / values.length;
}

const SINGLES: Corpus = [[[1, 1]], [[1, 1]], [[1, 0]], [[0, 1]], [[0, 0]], [[0, 0]], [[0, 2]]];

Deno.test("with one sample a unit it is Fisher's test, by all permutations", () => {
  const { p, exact, excess } = test(SINGLES);
  assert.equal(exact, true);
  assertClose(p, byProbability(allValues(SINGLES)), { absolute: 1e-12 });
  assert.equal(p, fisherExact({ a: 2, b: 1, c: 1, d: 3 }));
  assertClose(excess, 2 - 3 * 3 / 7, { absolute: 1e-12 });
});

Deno.test("units whose samples are alike, of two sizes: exact, by all permutations within the sizes", () => {
  const both = (x: number, y: number, times: number) =>
    Array.from({ length: times }, () => [x, y] as const);
  const corpus: Corpus = [
    both(1, 1, 1),
    both(1, 1, 1),
    both(0, 0, 1),
    both(0, 1, 1),
    both(1, 1, 3),
    both(0, 0, 3),
    both(0, 0, 3),
  ];
  const { p, exact } = test(corpus);
  assert.equal(exact, true);
  assertClose(p, byProbability(allValues(corpus)), { absolute: 1e-12 });
});

Deno.test("units with unlike samples: the drawn p is that of all permutations, within its error", () => {
  const corpus: Corpus = [
    [[1, 1], [0, 0]],
    [[1, 1], [1, 1]],
    [[1, 1], [0, 1]],
    [[0, 0], [0, 1]],
    [[0, 2], [1, 0]],
    [[0, 0], [0, 0]],
    [[0, 0], [1, 0]],
  ];
  const { observed, values } = allValues(corpus);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const exact = values.filter((own) => Math.abs(own - mean) >= Math.abs(observed - mean) - 1e-9)
    .length / values.length;
  const found = test(corpus);
  assert.equal(found.exact, false);
  assertClose(found.excess, observed - mean, { absolute: 1e-12 });
  // Drawn until 20 hits: a relative standard error of at most 1 / √20.
  assertLess(Math.abs(found.p - exact), 3.5 * exact / Math.sqrt(20));
});

Deno.test("every sample five times gives the same p, drawn or exact", () => {
  const mixed: Corpus = [
    ...SINGLES.flatMap((unit) => [[...unit, ...unit.map(([x]) => [x, 0] as const)]]),
    [[1, 1], [1, 1]],
    [[0, 0], [1, 2]],
    [[1, 1], [0, 1]],
  ];
  for (const corpus of [SINGLES, mixed]) {
    const repeated = corpus.map((samples) => samples.flatMap((own) => Array(5).fill(own)));
    assertClose(test(repeated).p, test(corpus).p, { relative: 1e-12 });
    assert.equal(test(repeated).exact, test(corpus).exact);
  }
});

Deno.test("samples of one unit may depend on each other: false alarms stay at 5 %, where samples taken singly give many", () => {
  let over = 0, single = 0;
  const corpora = 200;
  for (let seed = 0; seed < corpora; seed++) {
    const rng = createRng(seed).split("dependent");
    // In each of 40 pictures four faces with one mood, and one look; the two are independent.
    const corpus = Array.from({ length: 40 }, () => {
      const mood = rng.below(2), look = rng.below(2);
      const nearly = (value: number) => rng.uniform() < .1 ? 1 - value : value;
      return Array.from({ length: 4 }, () => [nearly(look), nearly(mood)] as const);
    });
    if (test(corpus, 1, 999).p <= .05) over++;
    const samples = corpus.flat().map((own) => [own]);
    if (test(samples).p <= .05) single++;
  }
  // 10 of 200 are expected, standard deviation 3.1: three of them below and above 20.
  assertLess(over, 20);
  assertLess(20, single);
});

Deno.test("what cannot be tested is NaN: no object, no class, everywhere, and units that are alone with their size", () => {
  const always: Corpus = [[[1, 1]], [[1, 0]]], never: Corpus = [[[0, 1]], [[0, 0]]];
  for (const corpus of [always, never]) assert.equal(test(corpus).p, NaN);
  assert.equal(test(SINGLES, 9).p, NaN);
  const alone: Corpus = [[[1, 1]], [[0, 0], [1, 0]], [[0, 0], [0, 0], [1, 1]]];
  assert.equal(test(alone).p, NaN);
});
