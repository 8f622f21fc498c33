/** The tests' own assertions: that they hold where they should, fail where they should, and say why. */

import assert from "node:assert/strict";
import { assertClose } from "./assert_close.ts";
import * as that from "./assert_that.ts";

const fails = (run: () => void, message: string) =>
  assert.throws(run, { name: "AssertionError", message });

Deno.test("numbers, arrays and tensors that differ by less than the tolerance are close", () => {
  assertClose(1.0625, 1, 0.125);
  assertClose([1, 2], new Float32Array([1.0625, 2]), 0.125);
  assertClose({ data: [1, 2], shape: [2, 1] }, { data: [1, 2.0625], shape: [2, 1] }, 0.125);
  assertClose({ data: [1, 2], shape: [2, 1] }, [1, 2], 0, "equal numbers need no tolerance");
  assertClose([], [], 0);
});

Deno.test("a failure says which element, both values, the difference and the tolerance", () => {
  fails(
    () => assertClose([1, 2, 3.25], [1, 2.125, 3], 0.0625, "weights"),
    "weights: element 2 is 3.25, not 3: the difference is 0.25, and less than 0.0625 was allowed (2 of 3 are off)",
  );
  fails(
    () => assertClose(1.5, 1, 0.5),
    "1.5, not 1: the difference is 0.5, and less than 0.5 was allowed",
  );
  const map = (last: number) => ({ data: [0, 0, 0, last], shape: [2, 2] });
  fails(
    () => assertClose(map(5), map(4), { ofRange: 0.125 }),
    "element [1,1] is 5, not 4: the difference is 1, and less than 0.5 (0.125 of the range, 4) was allowed (1 of 4 are off)",
  );
});

Deno.test("tolerances relative to an element, to the largest and to the range are added up", () => {
  assertClose([-8, 1], [-8.5, 1.0625], { relative: 0.125 });
  fails(
    () => assertClose([-8, 1.5], [-8, 1], { relative: 0.125 }),
    "element 1 is 1.5, not 1: the difference is 0.5, and less than 0.125 (0.125 of the expected number) was allowed (1 of 2 are off)",
  );
  assertClose([-8, 1.5], [-8, 1], { ofLargest: 0.125 });
  assertClose([-8, 2], [-8, 0], { absolute: 1, ofLargest: 0.125, ofRange: 0.125 });
  fails(
    () => assertClose([-8, 3], [-8, 0], { absolute: 1, ofLargest: 0.125, ofRange: 0.125 }),
    "element 1 is 3, not 0: the difference is 3, and less than 3 (0.125 of the largest, 8, 0.125 of the range, 8) was allowed (1 of 2 are off)",
  );
  assert.throws(() => assertClose([0, 0], [0, 0], { ofLargest: 1 }), /all expected numbers are 0/);
  assert.throws(() => assertClose([3, 3], [3, 3], { ofRange: 1 }), /numbers are equal/);
});

Deno.test("NaN is close to nothing, to NaN only where asked; infinities never", () => {
  assert.throws(() => assertClose(NaN, 1, 10), /^AssertionError.*: NaN, not 1: /);
  assert.throws(() => assertClose(1, NaN, 10), /1, not NaN/);
  assert.throws(() => assertClose(NaN, NaN, 10), /NaN, not NaN/);
  assert.throws(() => assertClose(Infinity, Infinity, 10), /Infinity, not Infinity/);
  assert.throws(() => assertClose([5, NaN], [1, 1], 1), /element 1 is NaN, not 1/);
  assertClose([NaN, 1], [NaN, 1.5], { absolute: 1, nan: true });
  assert.throws(() => assertClose([NaN, 1], [1, 1], { absolute: 1, nan: true }), /NaN, not 1/);
  assert.throws(() => assertClose([1, 1], [NaN, 1], { absolute: 1, nan: true }), /1, not NaN/);
  assert.throws(() => assertClose(1, 1.5, NaN), /less than NaN was allowed/);
});

Deno.test("other lengths and shapes are never close", () => {
  fails(() => assertClose([1, 2], [1], 10), "there are 2 numbers, not 1");
  fails(() => assertClose([], 1, 10), "there are 0 numbers, not 1");
  const flat = { data: [1, 2], shape: [2] };
  fails(() => assertClose(flat, { ...flat, shape: [2, 1] }, 10), "the shape is [2], not [2,1]");
});

Deno.test("comparisons include their limit where their name says so, and NaN fails all", () => {
  that.assertLess(1, 2);
  that.assertAtMost(2, 2);
  that.assertMore(2, 1);
  that.assertAtLeast(2, 2);
  fails(() => that.assertLess(2, 2), "2 is not less than 2");
  fails(() => that.assertAtMost(3, 2, "rows"), "rows: 3 is more than 2");
  fails(() => that.assertMore(2, 2), "2 is not more than 2");
  fails(() => that.assertAtLeast(1, 2), "1 is less than 2");
  for (const compare of [that.assertLess, that.assertAtMost, that.assertMore, that.assertAtLeast]) {
    assert.throws(() => compare(NaN, 0), /NaN/);
  }
});

Deno.test("what a text or a list contains, or does not, is printed with it", () => {
  that.assertIncludes("a line", "line");
  that.assertIncludes([1, NaN], NaN);
  that.assertExcludes(["a line"], "line");
  fails(() => that.assertIncludes("a line", "word"), '"word" is not in "a line"');
  fails(() => that.assertIncludes([1, 2], 3, "sizes"), "sizes: 3 is not in [ 1, 2 ]");
  fails(() => that.assertExcludes("a line", "line"), '"line" is in "a line"');
});

Deno.test("what holds of every value, of some, of none: a failure names the value and the condition", () => {
  const positive = (value: number) => value > 0;
  that.assertEvery(new Float32Array([1, 2]), positive);
  that.assertEvery([], positive);
  that.assertSome([-1, 2], positive);
  that.assertNone([-1, -2], positive);
  fails(
    () => that.assertEvery([1, -2], positive),
    "element 1 of 2, -2, does not satisfy (value)=>value > 0",
  );
  assert.throws(() => that.assertSome([-1, -2], positive, "rows"), /^.*rows: none of 2 satisfies/);
  assert.throws(() => that.assertNone([-1, 2], positive), /element 1, 2, satisfies/);
});
