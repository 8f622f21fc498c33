/**
 * `agreement.csv`: with several methods, the correlations of their box importances.
 *
 * @module
 */

import type { Agreement } from "../association/agreement.ts";
import { csvText } from "../base/csv.ts";
import { writeWhole } from "../base/files.ts";
import { NOTHING, type Output } from "./output.ts";

/** The output `agreement.csv`. */
export const agreement: Output = {
  file: "agreement.csv",
  when: ({ run }) => run.methods.length > 1,
  async write(path, { run, counted }) {
    const names = run.methods.map(({ name }) => name);
    await writeWhole(path, agreementCsv(names, counted.agreement));
    return NOTHING;
  },
  async clear(path) {
    await Deno.remove(path).catch(() => {});
  },
};

function agreementCsv(methods: readonly string[], agreement: Agreement): string {
  const lines = methods.map((
    name,
    i,
  ) => [name, ...methods.map((_, j) => agreement.correlation(i, j))]);
  return csvText([["method", ...methods], ...lines]);
}
