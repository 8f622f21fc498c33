import assert from "node:assert/strict";
import { mapConcurrently } from "../../src/base/concurrency.ts";

/** A promise that is resolved from outside. */
function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** Lets everything that can continue do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("results keep the order of the items, whatever ends first", async () => {
  const gates = [gate(), gate(), gate()];
  const results = mapConcurrently(gates, 3, async ({ opened }, i) => {
    await opened;
    return i;
  });
  for (const { open } of gates.toReversed()) {
    open();
    await settle();
  }
  assert.deepEqual(await results, [0, 1, 2]);
});

Deno.test("no more items than the limit are in progress, and no fewer while there are some", async () => {
  const gates = Array.from({ length: 5 }, gate);
  const begun: number[] = [];
  const all = mapConcurrently(gates, 2, async ({ opened }, i) => {
    begun.push(i);
    await opened;
  });
  assert.deepEqual(begun, [0, 1]);
  for (const [i, { open }] of gates.entries()) {
    open();
    await settle();
    assert.deepEqual(begun, [0, 1, 2, 3, 4].slice(0, i + 3));
  }
  await all;
});

Deno.test("the first failure is thrown and no further item is begun", async () => {
  const begun: number[] = [];
  await assert.rejects(
    mapConcurrently([0, 1, 2, 3, 4, 5], 2, async (i) => {
      begun.push(i);
      await settle();
      if (i === 1) throw new TypeError("one is too many");
    }),
    new TypeError("one is too many"),
  );
  await settle();
  assert.deepEqual(begun.filter((i) => i > 2), []);
});

Deno.test("nothing to map gives an empty list; a limit below one is refused", async () => {
  assert.deepEqual(await mapConcurrently([], 3, () => Promise.resolve(1)), []);
  await assert.rejects(mapConcurrently([1], 0, () => Promise.resolve(1)), RangeError);
});
