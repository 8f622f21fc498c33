/**
 * `statistics/METHOD.csv`: every cell of a method with its counts, measures of association, interval and p.
 *
 * @module
 */

import { type CellTests, weightedTable } from "../association/cell_tests.ts";
import type { RunStatistics } from "../association/statistics.ts";
import type { Field } from "../base/csv.ts";
import { CELL_MEASURES } from "../statistics/cell_measures/mod.ts";
import { logOddsInterval } from "../statistics/intervals/log_odds.ts";
import { NOTHING, type Output } from "./output.ts";
import { writeTable } from "./table.ts";

const fileOf = (method: string) => `statistics/${method}.csv`;

/** The output `statistics/`. */
export const statistics: Output<RunStatistics> = {
  file: "statistics",
  folder: true,
  names({ methods }) {
    const all = new Set(methods.map(fileOf));
    return (name) => all.has(name);
  },
  write(folder, { inquiry: { run, tests } }) {
    for (const own of tests) {
      writeTable(folder.file(fileOf(run.methods[own.method].name)), HEADER, rowsOf(own));
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
function* rowsOf(tests: CellTests): Generator<Field[]> {
  const { incidence, units, counts, p, q } = tests;
  const { objects, columns, classes, label } = incidence;
  for (const [row, object] of objects.entries()) {
    for (const [column, target] of columns.entries()) {
      const at = row * columns.length + column;
      const table = weightedTable(tests, at);
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
