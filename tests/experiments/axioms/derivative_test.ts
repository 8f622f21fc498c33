import { derivatives } from "../../../src/experiments/axioms/_derivative.ts";
import { assertClose } from "../../assert_close.ts";
import { assertAtLeast, assertAtMost, assertMore } from "../../assert_that.ts";
import { createRng } from "../../../src/base/rng.ts";
import assert from "node:assert/strict";

const STEPS = { longest: 0.25, count: 12 };

/** Slopes at 0 of functions whose values are off by up to `rounding`, and the steps that were asked for. */
async function slopes(
  functions: readonly ((x: number) => number)[],
  { rounding = 0, enough = 1e-6 }: { rounding?: number; enough?: number } = {},
) {
  const rng = createRng(5);
  const off = () => rounding * (2 * rng.uniform() - 1);
  const steps: number[] = [];
  const found = await derivatives(
    (step) => {
      steps.push(step);
      return Promise.resolve(functions.map((f) => [f(step) + off(), f(-step) + off()] as const));
    },
    { value: functions[0](0), rounding, slope: 0 },
    STEPS,
    ({ uncertainty }) => uncertainty <= enough,
  );
  return { found, steps };
}

Deno.test("a straight line takes three steps", async () => {
  const { found: [{ value, uncertainty }], steps } = await slopes([(x) => 3 * x + 1]);
  assertClose(value, 3, 1e-12);
  assertAtMost(uncertainty, 1e-12);
  assert.deepEqual(steps, [0.25, 0.125, 0.0625]);
});

Deno.test("curved functions are extrapolated: no further off than they are said to be", async () => {
  const cases: [(x: number) => number, number][] = [
    [Math.exp, 1],
    [(x) => Math.exp(30 * x), 30],
    [(x) => Math.sin(5 * x + 1), 5 * Math.cos(1)],
    [(x) => 1 / (1 + Math.exp(-x - 4)), Math.exp(-4) / (1 + Math.exp(-4)) ** 2],
    [(x) => x ** 3 + x, 1],
  ];
  for (const [f, slope] of cases) {
    const { found: [{ value, uncertainty }] } = await slopes([f], { enough: 1e-7 });
    assertAtMost(uncertainty, 1e-7, `${f}`);
    assertAtMost(Math.abs(value - slope), 1e-7, `${f}`);
  }
});

Deno.test("rounding counts: no estimate is said to be better than values that are off allow", async () => {
  const rounding = 1e-4;
  const { found, steps } = await slopes([(x) => 2 * x, Math.sin], { rounding, enough: 1e-9 });
  for (const [i, slope] of [2, 1].entries()) {
    assertAtLeast(found[i].uncertainty, rounding / 0.25);
    assertAtMost(Math.abs(found[i].value - slope), found[i].uncertainty);
  }
  // A shorter step would only be worse.
  assert.equal(steps.length, 3);
});

Deno.test("steps that leave a function's domain are passed over", async () => {
  const { found: [{ value }] } = await slopes([(x) => Math.log(0.02 + x)], { enough: 1e-4 });
  assertClose(value, 50, 1e-4);
});

Deno.test("a function that jumps is uncertain", async () => {
  const { found: [{ uncertainty }] } = await slopes([Math.sign]);
  assertMore(uncertainty, 1);
});

Deno.test("a function that looks straight over long steps is told by short ones", async () => {
  // Straight but for a wave of a fiftieth that is far shorter than the longest steps.
  const f = (x: number) => 2 * x + 0.02 * Math.sin(50 * x);
  const { found: [{ value, uncertainty }] } = await slopes([f], { enough: 0.05 });
  assertAtMost(uncertainty, 0.05);
  assertClose(value, 3, 0.05);
});
