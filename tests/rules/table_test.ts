import assert from "node:assert/strict";
import { GRADIENT_RULES } from "../../src/rules/gradient/mod.ts";
import type { RuleCase } from "./check_rule.ts";

/** Steps carry nothing, so there is no gradient to compare; backward_test.ts checks that they end the walk. */
const FLAT = ["Floor", "Ceil", "Round", "Sign"];

/** Keys of a table of rules that no case checks. */
function uncovered(keys: readonly string[], cases: readonly RuleCase[]): string[] {
  const checked = new Set(cases.map(({ op, domain }) => domain ? `${domain}.${op}` : op));
  return keys.filter((key) => !checked.has(key));
}

Deno.test("every gradient rule has a case in the tests of its family", async () => {
  const folder = new URL("./gradient/", import.meta.url);
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  const cases: RuleCase[] = [];
  for (const file of names.filter((name) => name.endsWith("_cases.ts"))) {
    const { CASES } = await import(new URL(file, folder).href) as { CASES: readonly RuleCase[] };
    cases.push(...CASES);
    const test = file.replace(/_cases\.ts$/, "_test.ts");
    assert.ok(names.includes(test), `no test checks the cases of ${file}`);
    assert.match(
      await Deno.readTextFile(new URL(test, folder)),
      /^await checkRules\("[^"]+", CASES\);$/m,
    );
  }
  assert.deepEqual(uncovered(Object.keys(GRADIENT_RULES), cases), FLAT);
});

Deno.test("the check for uncovered rules finds one", () => {
  const one = (op: string, domain?: string): RuleCase => ({
    name: "made",
    op,
    ...domain === undefined ? {} : { domain },
    inputs: [],
    forward: ([x]) => x!,
  });
  assert.deepEqual(uncovered(["Relu", "Gelu"], [one("Relu"), one("Gelu", "com.microsoft")]), [
    "Gelu",
  ]);
  assert.deepEqual(uncovered(["com.microsoft.Gelu"], [one("Gelu", "com.microsoft")]), []);
});
