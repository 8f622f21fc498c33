import assert from "node:assert/strict";
import { correlationP } from "../../src/statistics/student_t.ts";
import golden from "../golden/paper/p_values.json" with { type: "json" };
import { assertClose } from "../assert_close.ts";

Deno.test("p is that of 420 digits for any size, down to the smallest doubles", () => {
  let denormal = 0;
  for (const [r, n, wanted] of golden.cases as [number, number, number][]) {
    const p = correlationP(r, n);
    // Half the smallest double is what rounding does to a denormal; the rest is relative.
    const bound = 1e-11 * wanted + (wanted < 1e-300 ? 5e-324 : 0);
    assertClose(p, wanted, bound, `r ${r}, n ${n}`);
    assert.equal(correlationP(-r, n), p);
    if (wanted > 0 && wanted < 2.2e-308) denormal++;
  }
  assert.ok(denormal >= 16, `only ${denormal} denormals`);
});

Deno.test("few pairs have closed forms: ν = 1, 2, 3, 4", () => {
  for (let r = 0; r <= 1; r += 1 / 64) {
    const angle = Math.asin(r), cosine = Math.sqrt((1 - r) * (1 + r));
    const wanted = [
      1 - 2 / Math.PI * angle,
      1 - r,
      1 - 2 / Math.PI * (angle + r * cosine),
      1 - r * (3 - r * r) / 2,
    ];
    wanted.forEach((p, at) =>
      assertClose(correlationP(r, at + 3), p, 1e-15, `ν ${at + 1}, r ${r}`)
    );
  }
});

Deno.test("p falls as r grows, without a step where the two sums meet", () => {
  for (const n of [3, 4, 7, 30, 171, 946, 25_869]) {
    const meet = Math.sqrt(1 / (n - 1)); // t² = 1
    let last = Infinity;
    for (let k = -50; k <= 50; k++) {
      const p = correlationP(meet * (1 + k * 1e-9), n);
      assert.ok(p < last, `n ${n}, k ${k}`);
      last = p;
    }
    const below = correlationP(meet * (1 - 1e-12), n), above = correlationP(meet * (1 + 1e-12), n);
    assertClose(below, above, 1e-11, `n ${n}: ${below}, ${above}`);
  }
});

Deno.test("the ends: 1 at 0, 0 at ±1, NaN for NaN and for fewer than three pairs", () => {
  for (const n of [3, 4, 1000]) {
    assert.equal(correlationP(0, n), 1);
    assert.equal(correlationP(1, n), 0);
    assert.equal(correlationP(-1, n), 0);
    assert.equal(correlationP(NaN, n), NaN);
  }
  for (const n of [0, 1, 2]) assert.equal(correlationP(.5, n), NaN);
  assert.equal(correlationP(.97, 946), 0);
});
