import assert from "node:assert/strict";
import {
  broadcastDim,
  formatShape,
  isAnonymous,
  meet,
  product,
  quotient,
} from "../../src/onnx/dims.ts";

Deno.test("products of extents have one form, and dividing undoes multiplying", () => {
  assert.equal(product([]), 1);
  assert.equal(product([2, 3]), 6);
  assert.equal(product(["N", 256, 6, 6]), "N*9216");
  assert.equal(product([2, "W", 3, "H"]), product(["H", 6, "W"]));
  assert.equal(product(["N", 0]), 0);
  assert.equal(product(["N*2", "M", 3]), "M*N*6");
  for (const [a, b] of [["N", 9216], ["N*2", "M*3"], [5, 7], ["?x:0", 4]] as const) {
    assert.equal(quotient(product([a, b])!, b), a);
    assert.equal(quotient(product([a, b])!, a), b);
  }
});

Deno.test("what does not divide, or cannot be told to, is undefined", () => {
  assert.equal(quotient(7, 2), undefined);
  assert.equal(quotient("N", 2), undefined);
  assert.equal(quotient(6, "N"), undefined);
  assert.equal(quotient(5, 0), undefined);
  assert.equal(quotient("N*6", "M*2"), undefined);
  assert.equal(product(["floor(H/2)", 3]), undefined);
  assert.equal(product(["floor(H/2)", 1]), "floor(H/2)");
  assert.equal(quotient("2*s0 + 1", "2*s0 + 1"), 1);
});

Deno.test("two descriptions of one extent: a number takes precedence over a name, a name over an anonymous one", () => {
  assert.equal(meet(3, 3), 3);
  assert.equal(meet(3, 4), undefined);
  assert.equal(meet("N", 4), 4);
  assert.equal(meet("?a:0", "N"), "N");
  assert.equal(meet("N", "?a:0"), "N");
  assert.equal(meet("N", "M"), "N");
});

Deno.test("extents broadcast as in NumPy, with names", () => {
  assert.equal(broadcastDim(1, 5, "?"), 5);
  assert.equal(broadcastDim("N", 1, "?"), "N");
  assert.equal(broadcastDim("N", "N", "?"), "N");
  assert.equal(broadcastDim("N", 5, "?"), 5);
  assert.equal(broadcastDim("N", "?a:0", "?"), "N");
  assert.equal(broadcastDim("N", "M", "?b:0"), "?b:0");
  assert.equal(broadcastDim(2, 3, "?"), undefined);
});

Deno.test("shapes print as people write them", () => {
  assert.equal(formatShape(["N", 3, "?x:2", 64]), "[N, 3, ?, 64]");
  assert.equal(formatShape([]), "[]");
  assert.equal(formatShape(undefined), "of unknown rank");
  assert.deepEqual(["?x:2", "N", 3, "N*?x:2"].map(isAnonymous), [true, false, false, true]);
});
