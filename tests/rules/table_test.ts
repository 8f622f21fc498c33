import assert from "node:assert/strict";
import { GRADIENT_RULES } from "../../src/rules/gradient/mod.ts";

Deno.test("every gradient rule has a case in the tests of its family", () => {
  const folder = new URL("./gradient/", import.meta.url);
  let text = "";
  for (const { name } of Deno.readDirSync(folder)) {
    if (name.endsWith("_test.ts")) text += Deno.readTextFileSync(new URL(name, folder));
  }
  // Steps carry nothing, so there is no gradient to compare; backward_test.ts checks that they end the walk.
  const flat = new Set(["Floor", "Ceil", "Round", "Sign"]);
  const missing = Object.keys(GRADIENT_RULES).filter((key) => {
    const op = key.split(".").at(-1)!;
    return !flat.has(op) && !text.includes(`"${op}"`);
  });
  assert.deepEqual(missing, []);
});
