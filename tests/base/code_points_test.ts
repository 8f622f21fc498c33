import assert from "node:assert/strict";
import { compareCodePoints } from "../../src/base/code_points.ts";
import { createRng } from "../../src/base/rng.ts";

Deno.test("the order is that of the code points, on both sides of the surrogates", () => {
  const rng = createRng(19);
  const letters = ["a", "b", "\ud7ff", "\ue000", "ｄ", "\uffff", "\u{10000}", "𝒹", "\u{10ffff}"];
  const word = () =>
    Array.from({ length: rng.below(4) }, () => letters[rng.below(letters.length)]).join("");
  const points = (text: string) => [...text].map((letter) => letter.codePointAt(0)!);
  for (let trial = 0; trial < 2000; trial++) {
    const a = word(), b = word();
    const [p, q] = [points(a), points(b)];
    const at = p.findIndex((point, i) => point !== q[i]);
    const expected = at < 0 ? Math.sign(p.length - q.length) : Math.sign(p[at] - (q[at] ?? -1));
    assert.equal(Math.sign(compareCodePoints(a, b)), expected, JSON.stringify([a, b]));
  }
});
