import assert from "node:assert/strict";
import { randomMap } from "../../src/methods/random_map.ts";
import { mapOf, miniXception, noiseInputs, withContext } from "./shipped.ts";
import { assertEvery } from "../assert_that.ts";

Deno.test("random-map depends on sample, class and seed, not on the place in the batch", async () => {
  const classifier = await miniXception();
  const inputs = noiseInputs(classifier, 4);
  const run = (keys: string[], classes: number[]) =>
    withContext(classifier, inputs, "logit", (context) => mapOf(randomMap, context, classes), keys);
  const first = await run(["a", "b", "c", "d"], [0, 1, 2, 3]);
  const turned = await run(["d", "c", "b", "a"], [3, 2, 1, 0]);
  assert.deepEqual(first.shape, [4, 8, 8]);
  for (let row = 0; row < 4; row++) {
    const other = 3 - row;
    assert.deepEqual(
      first.data.slice(row * 64, row * 64 + 64),
      turned.data.slice(other * 64, other * 64 + 64),
    );
  }
  assert.notDeepEqual(first.data, (await run(["a", "b", "c", "d"], [1, 2, 3, 4])).data);
  assertEvery(first.data, (value) => value >= 0 && value < 1);
  assert.equal(new Set(first.data).size, 256);
  await classifier.dispose();
});
