import assert from "node:assert/strict";
import {
  ELEMENT_FORMATS,
  isTorchType,
  nearest,
  swapBytes,
} from "../../../src/importers/torch/element_types.ts";

Deno.test("halves of both kinds have the values of their bits", () => {
  const decode16 = (type: "float16" | "bfloat16", bits: number[]) => [
    ...ELEMENT_FORMATS[type].decode(Uint16Array.from(bits).buffer),
  ];
  // IEEE 754 binary16: 1, -2, largest, smallest subnormal, infinity.
  assert.deepEqual(decode16("float16", [0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00]), [
    1,
    -2,
    65504,
    2 ** -24,
    Infinity,
  ]);
  assert.deepEqual(decode16("bfloat16", [0x3f80, 0xc000, 0x7f80, 0x0001]), [
    1,
    -2,
    Infinity,
    2 ** -133,
  ]);
});

Deno.test("64-bit integers become the nearest float32, rounded once", () => {
  // 2^60 + 2^36 is a tie of float32, decided to even; one more is above it, which a detour over double would lose.
  const tie = 2n ** 60n + 2n ** 36n;
  assert.equal(Number(tie + 1n), Number(tie));
  const values = [tie, tie + 1n, tie - 1n, -tie - 1n, 2n ** 63n - 1n, -(2n ** 63n), 5n];
  const expected = [
    2 ** 60,
    2 ** 60 + 2 ** 37,
    2 ** 60,
    -(2 ** 60 + 2 ** 37),
    2 ** 63,
    -(2 ** 63),
    5,
  ];
  const decoded = ELEMENT_FORMATS.int64.decode(BigInt64Array.from(values).buffer);
  assert.deepEqual([...decoded], expected);
  assert.equal(Math.fround(nearest(2n ** 64n - 1n)), 2 ** 64);
  assert.deepEqual([...ELEMENT_FORMATS.uint64.decode(BigUint64Array.of(tie + 1n).buffer)], [
    2 ** 60 + 2 ** 37,
  ]);
});

Deno.test("every other type converts as a number; bool is 0 or 1; NaN stays", () => {
  assert.deepEqual([...ELEMENT_FORMATS.float64.decode(Float64Array.of(0.1, 1e300, NaN).buffer)], [
    Math.fround(0.1),
    Infinity,
    NaN,
  ]);
  assert.deepEqual([...ELEMENT_FORMATS.int32.decode(Int32Array.of(-1, 2 ** 31 - 1).buffer)], [
    -1,
    2 ** 31,
  ]);
  assert.deepEqual([...ELEMENT_FORMATS.int8.decode(Int8Array.of(-128).buffer)], [-128]);
  assert.deepEqual([...ELEMENT_FORMATS.uint16.decode(Uint16Array.of(65535).buffer)], [65535]);
  assert.deepEqual([...ELEMENT_FORMATS.bool.decode(Uint8Array.of(0, 1, 255).buffer)], [0, 1, 1]);
});

Deno.test("swapBytes reverses each element, twice is nothing", () => {
  const bytes = Uint8Array.from({ length: 16 }, (_, i) => i);
  const swapped = bytes.slice();
  swapBytes(swapped, 8);
  assert.deepEqual([...swapped.slice(0, 8)], [7, 6, 5, 4, 3, 2, 1, 0]);
  swapBytes(swapped, 8);
  assert.deepEqual(swapped, bytes);
  swapBytes(swapped, 1);
  assert.deepEqual(swapped, bytes);
});

Deno.test("only own names are types", () => {
  assert.equal(isTorchType("float32"), true);
  assert.equal(isTorchType("constructor"), false);
  assert.equal(isTorchType("float8_e4m3fn"), false);
});
