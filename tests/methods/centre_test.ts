import assert from "node:assert/strict";
import { centre } from "../../src/methods/centre.ts";
import { mapOf, miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("centre is a Gaussian of a quarter of each side, the same for all and symmetric", async () => {
  const classifier = await miniXception();
  const map = await withContext(
    classifier,
    noiseInputs(classifier, 1),
    "logit",
    (c) => mapOf(centre, c, [0, 1, 2, 3]),
  );
  const value = (row: number, y: number, x: number) => map.data[(row * 64 + y) * 64 + x];
  for (const [y, x] of [[0, 0], [31, 32], [10, 50]] as const) {
    const expected = Math.exp(-(((x + 0.5 - 32) / 16) ** 2 + ((y + 0.5 - 32) / 16) ** 2) / 2);
    for (let row = 0; row < 4; row++) {
      assertClose(value(row, y, x), expected, 1e-7);
      assert.equal(value(row, y, x), value(row, 63 - y, 63 - x));
    }
  }
  await classifier.dispose();
});
