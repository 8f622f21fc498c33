/** Chosen cases of the reference's statistics of tables, p values and distributions; `tests/goldens/statistics_tables_test.ts` has them all. */

import { assertAtLeast } from "../assert_that.ts";
import { TABLE_FILES } from "./table_cases.ts";

const folder = new URL("../golden/statistics/", import.meta.url);

for (const [name, assertCase] of Object.entries(TABLE_FILES)) {
  let text: string;
  try {
    text = Deno.readTextFileSync(new URL(`${name}.json`, folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) continue; // Too large for here.
    throw error;
  }
  Deno.test(`${name}: cases are the reference's`, () => {
    const { cases } = JSON.parse(text);
    assertAtLeast(cases.length, 2);
    for (const golden of cases) assertCase(golden);
  });
}
