import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";
import { CELL_MEASURES } from "../../../src/statistics/cell_measures/mod.ts";
import { logOddsInterval } from "../../../src/statistics/intervals/log_odds.ts";
import { assertClose } from "../../assert_close.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

const cell = (a: number, b: number, c: number, d: number) => ({ a, b, c, d, n: a + b + c + d });
const NEUTRAL = {
  phi: 0,
  lift: 1,
  pmi: 0,
  npmi: 0,
  "adjusted-residual": 0,
  "log-odds": 0,
  "delta-p": 0,
};

Deno.test("every measure of a cell is listed under its own name and is neutral where object and class are independent", () => {
  for (const [name, measure] of Object.entries(CELL_MEASURES)) {
    assert.equal(measure.name, name);
    assertClose(
      measure.value(cell(6, 6, 6, 6)),
      NEUTRAL[name as keyof typeof NEUTRAL],
      1e-15,
      name,
    );
    assertClose(
      measure.value(cell(.25, .25, .25, .25)),
      NEUTRAL[name as keyof typeof NEUTRAL],
      1e-15,
      name,
    );
  }
});

Deno.test("measures of weighted counts are those of the counts as written in their papers", () => {
  const rng = createRng(5);
  for (let trial = 0; trial < 50; trial++) {
    const [a, b, c, d] = Array.from({ length: 4 }, () => 40 * rng.uniform()), n = a + b + c + d;
    const both = a / n, object = (a + b) / n, predicted = (a + c) / n;
    const covariance = both - object * predicted;
    const slow = {
      "phi": covariance / Math.sqrt(object * (1 - object) * predicted * (1 - predicted)),
      "lift": both / object / predicted,
      "pmi": Math.log(both) - Math.log(object) - Math.log(predicted),
      "npmi": Math.log(both / object / predicted) / -Math.log(both),
      "adjusted-residual": (a - n * object * predicted) /
        Math.sqrt(n * object * predicted * (1 - object) * (1 - predicted)),
      "log-odds": Math.log((a + .5) / (b + .5)) - Math.log((c + .5) / (d + .5)),
      "delta-p": both / object - (predicted - both) / (1 - object),
    };
    for (const [name, measure] of Object.entries(CELL_MEASURES)) {
      const value = measure.value({ a, b, c, d, n });
      assertClose(value, slow[name as keyof typeof slow], 1e-12, name);
      const signed = name === "lift" ? Math.log(value) : value;
      // Half counts pull the odds to 1, and over it where the rest is small.
      if (name !== "log-odds") assert.equal(Math.sign(signed), Math.sign(covariance), name);
    }
  }
});

Deno.test("logOddsInterval() holds its estimate and shrinks with images", () => {
  const few = logOddsInterval(cell(3, 10, 5, 40)),
    many = logOddsInterval(cell(300, 1000, 500, 4000));
  for (const { value, low, high } of [few, many]) {
    assertLess(low, value);
    assertMore(high, value);
  }
  assertLess(many.se, few.se / 9);
  assertLess(many.p, few.p);
  const { low, high, value } = logOddsInterval(cell(3, 10, 5, 40), .5);
  assertClose((high - low) / 2, .6744897501960817 * few.se, 1e-12);
  assertClose(value, few.value, 0);
});

Deno.test("logOddsInterval() turns round with its table", () => {
  const one = logOddsInterval(cell(3, 10, 5, 40)), other = logOddsInterval(cell(10, 3, 40, 5));
  assertClose([other.value, other.low, other.high], [-one.value, -one.high, -one.low], 1e-15);
  assertClose(other.p, one.p, 1e-15);
});

Deno.test("logOddsInterval() of nothing is not estimable, of an empty margin is wide", () => {
  assert.deepEqual(logOddsInterval(cell(0, 0, 0, 0)), {
    value: NaN,
    se: NaN,
    low: NaN,
    high: NaN,
    p: NaN,
  });
  const { low, high } = logOddsInterval(cell(0, 0, 50, 50));
  assertLess(low, -3.5);
  assertMore(high, 3.5);
});
