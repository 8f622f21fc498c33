import assert from "node:assert/strict";
import { canonicalJson, sha256 } from "../../src/base/json.ts";

Deno.test("canonicalJson() does not depend on the order in which keys were set", () => {
  assert.equal(
    canonicalJson({ b: [1, { d: null, c: "x" }], a: true }),
    '{"a":true,"b":[1,{"c":"x","d":null}]}',
  );
  assert.equal(canonicalJson({ a: 1, b: 2 }), canonicalJson({ b: 2, a: 1 }));
});

Deno.test("sha256() is the standard hash of bytes and of UTF-8 text", () => {
  // FIPS 180-2, appendix B.1
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  assert.equal(sha256("abc"), expected);
  assert.equal(sha256(Uint8Array.of(97, 98, 99)), expected);
});
