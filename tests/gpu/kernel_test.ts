import assert from "node:assert/strict";
import { checkArguments, checkSlice, defineKernel, spread } from "../../src/gpu/kernel.ts";
import { assertAtLeast, assertAtMost, assertLess } from "../assert_that.ts";

const kernel = defineKernel({
  name: "sample",
  wgsl: "",
  params: { size: "u32", shift: "i32", factor: "f32" },
  buffers: [
    { name: "input", access: "read", type: "f32" },
    { name: "output", access: "write", type: "u32" },
  ],
  workgroup: 1,
  groups: ({ size }) => size,
  lengths: ({ size }) => [size, 2 * size],
  cpu() {},
});
const buffers = [{ type: "f32", length: 3 }, { type: "u32", length: 6 }] as const;

Deno.test("checkArguments passes what fits, longer buffers included", () => {
  checkArguments(kernel, { size: 3, shift: -1, factor: 0.5 }, buffers);
  checkArguments(kernel, { size: 2, shift: 2 ** 31 - 1, factor: -1e30 }, buffers);
});

Deno.test("checkArguments refuses parameters out of their types' ranges", () => {
  const params = { size: 3, shift: 0, factor: 1 };
  for (const size of [-1, 1.5, 2 ** 32, NaN]) {
    assert.throws(
      () => checkArguments(kernel, { ...params, size }, buffers),
      {
        name: "RangeError",
        message: `Cannot run kernel sample: parameter size is ${size}, not a u32`,
      },
    );
  }
  assert.throws(() => checkArguments(kernel, { ...params, shift: 2 ** 31 }, buffers), /not a i32/);
  assert.throws(
    () => checkArguments(kernel, { ...params, factor: Infinity }, buffers),
    /not a f32/,
  );
});

Deno.test("checkArguments refuses buffers that are missing, of another type or too short", () => {
  const params = { size: 3, shift: 0, factor: 1 };
  assert.throws(() => checkArguments(kernel, params, [buffers[0]]), /1 buffers given for 2/);
  assert.throws(
    () => checkArguments(kernel, params, [buffers[0], { type: "f32", length: 6 }]),
    /buffer output holds f32, not u32/,
  );
  assert.throws(
    () => checkArguments(kernel, { ...params, size: 4 }, [{ type: "f32", length: 4 }, buffers[1]]),
    /buffer output has 6 elements, 8 are needed/,
  );
});

Deno.test("checkSlice takes parts only", () => {
  checkSlice({ length: 5 }, 0, 5);
  checkSlice({ length: 5 }, 5, 5);
  for (const [from, to] of [[-1, 2], [3, 2], [0, 6], [NaN, 2]]) {
    assert.throws(() => checkSlice({ length: 5 }, from, to), /of a buffer: it has 5/);
  }
});

Deno.test("spread covers all workgroups within the limit, with fewer surplus ones than rows", () => {
  for (const limit of [1, 2, 7, 65535]) {
    for (const groups of [0, 1, 2, 3, 7, 8, 48, 49, 65535, 65536, 70_001, 4_294_836_225]) {
      if (groups > limit * limit) {
        assert.throws(() => spread(groups, limit), RangeError);
        continue;
      }
      const [x, y] = spread(groups, limit);
      assertAtMost(x, limit);
      assertAtMost(y, limit);
      assertAtLeast(x * y, groups);
      assertLess(x * y - groups, Math.max(y, 1));
    }
  }
});
