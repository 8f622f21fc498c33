import assert from "node:assert/strict";
import { Hosts } from "../../src/download/hosts.ts";
import { assertAtMost } from "../assert_that.ts";

const wait = (milliseconds: number) => new Promise<void>((done) => setTimeout(done, milliseconds));

Deno.test("each host has its limit, in order of arrival, and others do not wait for it", async () => {
  const hosts = new Hosts(2, 0);
  let active = 0, most = 0;
  const order: number[] = [];
  const one = (i: number) =>
    hosts.visit("slow", async () => {
      most = Math.max(most, ++active);
      order.push(i);
      await wait(5);
      active--;
      if (i === 3) throw new Error("a failure frees its place too");
    });
  const slow = Promise.allSettled(Array.from({ length: 9 }, (_, i) => one(i)));
  let other = false;
  await hosts.visit("other", () => Promise.resolve(other = true));
  assert.equal(other, true);
  assertAtMost(order.length, 2);
  await slow;
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("requests to one host begin apart", async () => {
  const hosts = new Hosts(9, 40);
  const start = performance.now();
  const times = await Promise.all(["a", "a", "b", "a"].map(async (host) => {
    await hosts.pace(host);
    return performance.now() - start;
  }));
  // Timers fire up to a millisecond early.
  assert.ok(times[1] >= 39, times.join());
  assert.ok(times[3] >= 79, times.join());
  assert.ok(times[0] < 39, times.join());
  assert.ok(times[2] < 39, times.join());
});
