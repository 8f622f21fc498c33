import assert from "node:assert/strict";
import { fingerprintOf, settingChanges } from "../../src/ledger/stage.ts";

Deno.test("a fingerprint is the sha256 of the name, a line feed and the canonical JSON", () => {
  // printf 'forward\n{"a":[1,"x"],"b":null}' | sha256sum
  const settings = { b: null, c: undefined, a: [1, "x"] };
  assert.equal(
    fingerprintOf("forward", settings),
    "c223c684a48a0c3ca67891d9a68fb4735457ff590016deceb18e0d52fc98a43c",
  );
  assert.notEqual(fingerprintOf("backward", settings), fingerprintOf("forward", settings));
});

Deno.test("changes name each leaf that differs, and nothing else", () => {
  const same = { list: [1, { deep: true }], empty: [], none: null };
  assert.deepEqual(settingChanges(same, structuredClone(same)), []);
  assert.deepEqual(
    settingChanges(same, { list: [2, { deep: false }, 3], empty: {}, none: "x".repeat(80) }),
    [
      "empty changed from [] to {}",
      "list.0 changed from 1 to 2",
      "list.1.deep changed from true to false",
      "list.2 is new: 3",
      `none changed from null to "${"x".repeat(59)}…`,
    ],
  );
});
