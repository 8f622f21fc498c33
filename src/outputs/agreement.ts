/**
 * `agreement.csv`: with several methods, the correlations of their box importances.
 *
 * @module
 */

import type { Agreement } from "../association/agreement.ts";
import { csvText } from "../base/csv.ts";
import { NOTHING, type Output } from "./output.ts";

/** The output `agreement.csv`. */
export const agreement: Output = {
  file: "agreement.csv",
  when: ({ run }) => run.methods.length > 1,
  names: ({ methods }) => (name) => methods.length > 1 && name === "agreement.csv",
  async write(folder, { run, counted }) {
    const names = run.methods.map(({ name }) => name);
    await folder.write("agreement.csv", agreementCsv(names, counted.agreement));
    return NOTHING;
  },
};

function agreementCsv(methods: readonly string[], agreement: Agreement): string {
  const lines = methods.map((
    name,
    i,
  ) => [name, ...methods.map((_, j) => agreement.correlation(i, j))]);
  return csvText([["method", ...methods], ...lines]);
}
