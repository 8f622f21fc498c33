import assert from "node:assert/strict";
import { defined } from "../../src/base/defined.ts";

Deno.test("defined keeps what is there, also what is false or empty, and drops what is undefined", () => {
  const maybe = (value: number): number | undefined => value > 0 ? value : undefined;
  const members: { a: number; b?: number; c?: string; d?: null } = defined({
    a: 0,
    b: maybe(0),
    c: "" as string | undefined,
    d: null,
  });
  assert.deepEqual(members, { a: 0, c: "", d: null });
  assert.deepEqual(Object.keys(members), ["a", "c", "d"]);
  assert.deepEqual(defined({}), {});
});
