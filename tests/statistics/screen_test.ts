/** The screen of claims, against tables counted one by one. */

import assert from "node:assert/strict";
import { createRng, type Rng } from "../../src/base/rng.ts";
import { type Cell, screenClaims, type ScreenedUnits } from "../../src/statistics/screen.ts";
import { assertClose } from "../assert_close.ts";
import { assertLess, assertMore } from "../assert_that.ts";

const CLASSES = 4, OBJECTS = 7;

/** Units with objects, salient in some of those where they are detected. */
interface Units {
  label: number[];
  detected: boolean[][];
  salient: boolean[][];
  weights?: number[];
}

function randomUnits(rng: Rng, n: number): Units {
  const each = <T>(value: (unit: number) => T) => Array.from({ length: n }, (_, i) => value(i));
  const label = each(() => rng.below(CLASSES));
  const scene = each(() => rng.below(2));
  const detected = Array.from(
    { length: OBJECTS },
    (_, o) =>
      each((i) => rng.uniform() < (o % 2 === scene[i] ? .6 : .2) + (o === label[i] ? .2 : 0)),
  );
  return {
    label,
    detected,
    salient: detected.map((row) => row.map((d) => d && rng.uniform() < .7)),
  };
}

/** As the screen takes them. */
function listed({ label, detected, salient, weights }: Units): ScreenedUnits {
  const where = (row: boolean[]) => [...row.keys()].filter((i) => row[i]);
  return {
    label,
    weights,
    salient: (object) => where(salient[object]),
    detected: (object) => where(detected[object]),
  };
}

const allCells: Cell[] = Array.from(
  { length: OBJECTS * CLASSES },
  (_, i) => ({ object: i % OBJECTS, class: Math.floor(i / OBJECTS) }),
);

/** z² and odds ratio of a cell given a rival, from the definition. */
function twin(units: Units, cell: Cell, rival: number): { chi2: number; odds: number } {
  let excess = 0, variance = 0, above = 0, below = 0;
  for (const given of [false, true]) {
    const table = [[0, 0], [0, 0]];
    units.label.forEach((label, i) => {
      if (units.detected[rival][i] !== given) return;
      const weight = units.weights?.[i] ?? 1;
      table[Number(units.salient[cell.object][i])][Number(label === cell.class)] += weight;
    });
    const [[d, c], [b, a]] = table, n = a + b + c + d;
    if (n <= 1) continue;
    excess += a - (a + b) * (a + c) / n;
    variance += (a + b) * (c + d) * (a + c) * (b + d) / (n ** 2 * (n - 1));
    above += a * d / n;
    below += b * c / n;
  }
  return { chi2: excess ** 2 / variance, odds: above / below };
}

Deno.test("a claim is kept where Mantel and Haenszel's test holds given every other claim of its class", () => {
  const rng = createRng(13);
  let kept = 0, dropped = 0;
  for (let round = 0; round < 10; round++) {
    const units = randomUnits(rng, 300);
    if (round % 2) units.weights = units.label.map(() => 1 / (1 + rng.below(3)));
    const claims = allCells.filter(() => rng.uniform() < .6);
    const screened = screenClaims(claims, listed(units));
    claims.forEach((claim, at) => {
      const rivals = claims.filter((other) => other !== claim && other.class === claim.class);
      const tests = rivals.map(({ object }) => ({ object, ...twin(units, claim, object) }));
      const signed = tests.map(({ chi2, odds }) => Math.sqrt(chi2) * Math.sign(odds - 1));
      // χ² of one degree of freedom is over 3.841459 where p < .05.
      const holds = tests.every(({ chi2, odds }) => chi2 >= 3.841458820694124 && odds > 1);
      assert.equal(screened[at].kept, holds);
      if (holds) kept++;
      else dropped++;
      const worst = signed.indexOf(Math.min(...signed));
      assert.equal(screened[at].rival, tests[worst]?.object);
      if (worst < 0) return;
      assertClose(screened[at].z, signed[worst], { absolute: 1e-9 });
      assertClose(screened[at].oddsRatio, tests[worst].odds, { relative: 1e-9 });
    });
  }
  assertMore(kept, 10);
  assertMore(dropped, 10);
});

Deno.test("what comes along with a cause is dropped, and the cause stays", () => {
  const rng = createRng(7), n = 20000;
  const cause = Array.from({ length: n }, () => rng.uniform() < .2);
  const along = cause.map((there) => rng.uniform() < (there ? .7 : .1));
  const label = cause.map((there) => rng.uniform() < (there ? .15 : .1) ? 1 : 0);
  const units = listed({ label, detected: [cause, along], salient: [cause, along] });
  const claims = [{ object: 0, class: 1 }, { object: 1, class: 1 }];
  const [first, second] = screenClaims(claims, units);
  assert.deepEqual([first.kept, first.rival], [true, 1]);
  assert.deepEqual([second.kept, second.rival], [false, 0]);
  assertLess(Math.abs(second.z), 2);
});

Deno.test("units repeated with their share of the weight give the same verdicts", () => {
  const units = randomUnits(createRng(3), 400), copies = 5;
  const repeat = <T>(values: T[]) => values.flatMap((value) => Array<T>(copies).fill(value));
  const five = listed({
    label: repeat(units.label),
    detected: units.detected.map(repeat),
    salient: units.salient.map(repeat),
    weights: repeat(units.label.map(() => 1 / copies)),
  });
  const one = screenClaims(allCells, listed(units));
  for (const [at, { kept, rival, z }] of screenClaims(allCells, five).entries()) {
    assert.deepEqual([kept, rival], [one[at].kept, one[at].rival]);
    assertClose(z, one[at].z, { absolute: 1e-9 });
  }
});

Deno.test("the order of claims and of units does not matter", () => {
  const units = randomUnits(createRng(4), 300);
  const one = screenClaims(allCells, listed(units));
  const back = screenClaims(allCells.toReversed(), listed(units)).reverse();
  assert.deepEqual(back, one);
  const turned = (rows: boolean[][]) => rows.map((row) => row.toReversed());
  const mirrored = listed({
    label: units.label.toReversed(),
    detected: turned(units.detected),
    salient: turned(units.salient),
  });
  assert.deepEqual(screenClaims(allCells, mirrored), one);
});

Deno.test("a claim without another of its class is kept, and says that nothing was compared", () => {
  const units = listed(randomUnits(createRng(5), 50));
  const alone = { kept: true, rival: undefined, z: NaN, oddsRatio: NaN };
  assert.deepEqual(screenClaims([], units), []);
  assert.deepEqual(screenClaims([{ object: 1, class: 0 }, { object: 2, class: 1 }], units), [
    alone,
    alone,
  ]);
});

Deno.test("two objects that are always together take each other away, by whole units or by weights", () => {
  const rng = createRng(6), n = 200;
  const there = Array.from({ length: n }, () => rng.uniform() < .4);
  const label = there.map((own) => Number(own && rng.uniform() < .8));
  const claims = [{ object: 0, class: 1 }, { object: 1, class: 1 }];
  const own = { label, detected: [there, there], salient: [there, there] };
  const nothing = { kept: false, z: NaN, oddsRatio: NaN };
  for (const weights of [undefined, label.map(() => 1 / 3), label.map((_, i) => 1 / (1 + i % 7))]) {
    assert.deepEqual(screenClaims(claims, listed(weights ? { ...own, weights } : own)), [
      { ...nothing, rival: 1 },
      { ...nothing, rival: 0 },
    ]);
  }
});
