/** The long table and the incidence hold what the accumulator counts, and copies of a picture are no further observations. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { countRun } from "../../src/association/count_run.ts";
import {
  type IncidenceFilter,
  incidenceOf,
  listsOf,
  salientIn,
} from "../../src/association/incidence.ts";
import { type LongTable, readLongTable } from "../../src/association/long_table.ts";
import { openFinishedRun } from "../../src/ledger/finished_run.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { writeSyntheticRun } from "./synthetic_run.ts";

/** Counts of one cell, sample by sample from the table itself. */
function slowCell(table: LongTable, method: number, object: string, target: number) {
  let a = 0, b = 0, c = 0, d = 0;
  for (let s = 0; s < table.predicted.length; s++) {
    let salient = false;
    for (let box = table.firstBox[s]; box < table.firstBox[s + 1]; box++) {
      const layer = table.layers > 1 ? target : 0;
      if (table.objects[table.object[box]] !== object) continue;
      salient ||= table.importance[method][box * table.layers + layer] > .3;
    }
    const is = table.predicted[s] === target;
    if (is) salient ? a++ : c++;
    else salient ? b++ : d++;
  }
  return { a, b, c, d };
}

Deno.test("the table of a run has the counts of its matrices, for the predicted class and for all", () =>
  withFolder(async (folder) => {
    for (const explained of ["predicted", "all", "happy"]) {
      const out = join(folder, explained);
      const given = ["--methods", "grad-cam,centre", "--class", explained, "--out", out];
      const { status, err } = await emocam("analyze", ...given);
      assert.equal(status, 0, err);
      using stored = await openFinishedRun(out);
      const table = readLongTable(stored.run);
      const counted = countRun(stored.run);
      assert.equal(table.predicted.length, 24);
      assert.equal(table.images.length, 8);
      assert.equal(table.layers, explained === "all" ? table.classes.length : 1);
      for (const [m, { counts }] of counted.methods.entries()) {
        assert.deepEqual(table.objects, counts.objects);
        assert.deepEqual(table.columns, counts.columns);
        const incidence = incidenceOf(table, m, { threshold: stored.run.threshold });
        for (const [o, object] of table.objects.entries()) {
          for (const target of table.columns) {
            const { a, b, c, d } = counts.cell(object, target)!;
            assert.deepEqual(slowCell(table, m, object, target), { a, b, c, d });
            const samples = salientIn(incidence, o, target);
            const both = samples.filter((s) => incidence.label[s] === target).length;
            assert.deepEqual([both, samples.length - both], [a, b]);
          }
        }
      }
    }
  }));

Deno.test("lists of an object's samples are ascending, and a sample counts once", () => {
  const told = [[2, 0, 2], [], [1, 2]];
  const { first, samples } = listsOf(4, 3, (sample, add) => told[sample].forEach(add));
  assert.deepEqual([...first], [0, 1, 2, 4, 4]);
  assert.deepEqual([...samples], [0, 2, 0, 2]);
});

Deno.test("what lies at a limit is not over it, though the table has it in float32", () =>
  withFolder(async (folder) => {
    // .3 as float32 is over .3; the run itself compares doubles.
    const box = { label: "tree", confidence: .3, x0: 0, y0: 0, x1: 9, y1: 9 };
    const at = { samples: [{ probabilities: [.7, .3], importance: [[.3]] }], boxes: [box] };
    await writeSyntheticRun(folder, { classes: ["a", "b"], images: [at] });
    using stored = await openFinishedRun(folder);
    const table = readLongTable(stored.run);
    const counted = (filter: IncidenceFilter) => {
      const { label, detected, salient } = incidenceOf(table, 0, filter);
      return [label.length, detected.samples.length, salient[0].samples.length];
    };
    assert.deepEqual(counted({ threshold: .3 }), [1, 1, 0]);
    assert.deepEqual(counted({ threshold: .29, objectConfidence: .3 }), [1, 0, 0]);
    assert.deepEqual(counted({ threshold: .29, emotionConfidence: .7 }), [0, 0, 0]);
    assert.deepEqual(
      counted({ threshold: .29, objectConfidence: .29, emotionConfidence: .69 }),
      [1, 1, 1],
    );
  }));
