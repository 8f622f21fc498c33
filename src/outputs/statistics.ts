/**
 * `statistics/METHOD.csv`: every cell of a method with its counts, measures of association, interval and p.
 *
 * @module
 */

import type { CellTests } from "../association/cell_tests.ts";
import type { Field } from "../base/csv.ts";
import { CELL_MEASURES } from "../statistics/cell_measures/mod.ts";
import { logOddsInterval } from "../statistics/intervals/log_odds.ts";
import { NOTHING, type Output } from "./output.ts";
import { writeTable } from "./table.ts";

const fileOf = (method: string) => `statistics/${method}.csv`;

/** The output `statistics/`. */
export const statistics: Output = {
  file: "statistics",
  folder: true,
  when: ({ statistics }) => statistics !== undefined,
  names({ methods, statistics }) {
    const all = new Set(statistics ? methods.map(fileOf) : []);
    return (name) => all.has(name);
  },
  write(folder, { run, statistics }) {
    for (const tests of statistics!.inquiry.tests) {
      writeTable(folder.file(fileOf(run.methods[tests.method].name)), HEADER, rowsOf(tests));
    }
    return NOTHING;
  },
};

const MEASURES = Object.values(CELL_MEASURES);
const HEADER = [
  "object",
  "class",
  "with_both",
  "with_object",
  "with_class",
  "samples",
  "units",
  ...MEASURES.map(({ name }) => name),
  "log_odds_low",
  "log_odds_high",
  "p",
  "q",
];

/** The counts are of samples; measures, interval and p are over units. */
function* rowsOf({ incidence, units, counts, weighted, p, q }: CellTests): Generator<Field[]> {
  const { objects, columns, classes, label } = incidence;
  for (const [row, object] of objects.entries()) {
    for (const [column, target] of columns.entries()) {
      const at = row * columns.length + column;
      const table = {
        a: weighted.a[at],
        b: weighted.b[at],
        c: weighted.c[at],
        d: weighted.d[at],
        n: units.count,
      };
      const { low, high } = logOddsInterval(table);
      const { a, b, c } = counts;
      yield [
        object,
        classes[target],
        a[at],
        a[at] + b[at],
        a[at] + c[at],
        label.length,
        units.count,
        ...MEASURES.map((measure) => measure.value(table)),
        low,
        high,
        p[at],
        q[at],
      ];
    }
  }
}
