import assert from "node:assert/strict";
import {
  coordinate,
  count,
  duration,
  fixed,
  plural,
  probability,
  significant,
} from "../../src/base/number_text.ts";

Deno.test("fixed writes a true minus, no signed zero, n/a and infinities", () => {
  assert.deepEqual([0.414, -0.08, -0.001, NaN, Infinity, -Infinity, -0].map((v) => fixed(v)), [
    "0.41",
    "−0.08",
    "0.00",
    "n/a",
    "∞",
    "−∞",
    "0.00",
  ]);
  assert.equal(fixed(12.6, 0), "13");
});

Deno.test("significant writes three digits, small ones with their exponent", () => {
  assert.deepEqual([0.96512, -0.0148, 5.49e-7, -9.99e-4, 0, 12.3456, NaN].map(significant), [
    "0.965",
    "−0.0148",
    "5.49e−7",
    "−9.99e−4",
    "0.00",
    "12.3",
    "n/a",
  ]);
});

Deno.test("count groups thousands, plural chooses the word", () => {
  assert.deepEqual([0, 999, 25869, 1234567].map(count), [
    "0",
    "999",
    "25\u202f869",
    "1\u202f234\u202f567",
  ]);
  assert.deepEqual([plural(1, "box", "boxes"), plural(0, "box", "boxes")], ["1 box", "0 boxes"]);
});

Deno.test("probability and duration read as in a paper", () => {
  assert.deepEqual([0.0004, 0.001, 0.25, NaN].map(probability), [
    "< 0.001",
    "0.001",
    "0.250",
    "n/a",
  ]);
  assert.deepEqual([0.034, 1.93, 59.97, 185, 7620].map(duration), [
    "0.03 s",
    "1.9 s",
    "1 min 00 s",
    "3 min 05 s",
    "2 h 07 min",
  ]);
});

Deno.test("a duration has two parts at most, and no part is rounded up to a whole of the next", () => {
  assert.deepEqual(
    [0, 0.04, 4.26, 9.96, 12.3, 59.4, 59.7, 60, 200, 239.7, 3599, 3599.6, 3600, 7500, 90000, NaN]
      .map(duration),
    [
      "0.00 s",
      "0.04 s",
      "4.3 s",
      "10.0 s",
      "12.3 s",
      "59.4 s",
      "59.7 s",
      "1 min 00 s",
      "3 min 20 s",
      "4 min 00 s",
      "59 min 59 s",
      "1 h 00 min",
      "1 h 00 min",
      "2 h 05 min",
      "25 h 00 min",
      "n/a",
    ],
  );
});

Deno.test("coordinate keeps two decimals and never writes a negative zero or an exponent", () => {
  assert.deepEqual([1 / 3, -0.0001, 1e-9, 12].map(coordinate), ["0.33", "0", "0", "12"]);
});
