/** Every case of the reference's statistics of tables, p values and distributions. */

import { assertAtLeast } from "../assert_that.ts";
import { goldenTest } from "../shared_goldens.ts";
import { TABLE_FILES } from "../statistics/table_cases.ts";

for (const [name, assertCase] of Object.entries(TABLE_FILES)) {
  goldenTest(`${name}: every case is the reference's`, (goldens) => {
    const url = new URL(`statistics/${name}.json`, goldens);
    const { cases } = JSON.parse(Deno.readTextFileSync(url));
    assertAtLeast(cases.length, 1);
    for (const golden of cases) assertCase(golden);
  });
}
