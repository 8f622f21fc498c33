import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { readNpy } from "../../src/base/npy.ts";
import { Accumulator } from "../../src/association/accumulator.ts";
import { associationMatrix } from "../../src/association/matrices.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAgrees, type GoldenNumber } from "../statistics/golden_number.ts";
import { assertAtLeast } from "../assert_that.ts";

/** Python writes bare NaN and infinities, which JSON does not know; they become null. */
const json = (goldens: URL, path: string) =>
  JSON.parse(
    Deno.readTextFileSync(new URL(path, goldens)).replace(/: (-?Infinity|NaN)\b/g, ": null"),
  );

goldenTest("dice and phi of every incidence matrix are the reference's", (goldens) => {
  const { cases } = json(goldens, "statistics/02c_incidence_matrices.json");
  assertAtLeast(cases.length, 2);
  for (const { input, expected } of cases) {
    const classes = Array.from({ length: input.n_emotions }, (_, at) => `emotion ${at}`);
    const counts = new Accumulator({ classes, threshold: .5 });
    for (const [at, row] of input.presence_rows_by_image.entries()) {
      const predicted: number = input.emotion_label[at];
      const scores = [...row as string].map((bit, object) => ({
        label: String(object).padStart(3, "0"),
        class: predicted,
        importance: Number(bit),
      }));
      counts.add({ predicted, targets: [predicted], scores });
    }
    for (const [name, key] of [["count", "n11"], ["dice", "dice"], ["phi", "phi"]] as const) {
      const { values } = associationMatrix(counts, MEASURES[name], "none");
      const wanted: GoldenNumber[] = expected[key].flat();
      assert.equal(values.length, wanted.length);
      wanted.forEach((value, at) => assertAgrees(values[at], value, 1e-13, `${name} ${at}`));
    }
  }
});

goldenTest(
  "the paper's object × emotion table gives its dice and correlation matrices",
  (goldens) => {
    const folder = new URL("cam/stats/", goldens);
    const npy = (name: string) => readNpy(Deno.readFileSync(new URL(name, folder)));
    const columns: string[] = json(goldens, "cam/stats/emo_obj_columns.json");
    const metrics: string[] = json(goldens, "cam/stats/metrics.json").order;
    const filtered = parse(Deno.readTextFileSync(new URL("filtered_emo_obj.csv", folder)), {
      columns: true,
    }) as { dir_image_path: string; emonet_emotion: string; detected_object: string }[];
    const firstClass = columns.indexOf("Adoration");
    const objects = columns.slice(0, firstClass), classes = columns.slice(firstClass);

    const images = Map.groupBy(filtered, (row) => row.dir_image_path);
    assert.equal(images.size, npy("emo_obj_binary.npy").shape[0]);
    const counts = new Accumulator({ classes, threshold: .3 });
    for (const rows of images.values()) {
      const predicted = classes.indexOf(rows[0].emonet_emotion);
      // The reference's table has columns for 24 chosen objects only.
      const chosen = rows.filter((row) => objects.includes(row.detected_object));
      const scores = chosen.map((row) => ({
        label: row.detected_object,
        class: predicted,
        importance: 1,
      }));
      counts.add({ predicted, targets: [predicted], scores, labels: objects });
    }
    const matrices = npy("emo_obj_matrices_f64.npy");
    const size = columns.length;
    let compared = 0;
    for (const [name, metric] of [["dice", "dice"], ["phi", "correlation"]] as const) {
      const { values, objects: rows } = associationMatrix(counts, MEASURES[name], "grad-cam");
      for (const [row, object] of rows.entries()) {
        for (const [column] of classes.entries()) {
          const at = (metrics.indexOf(metric) * size + columns.indexOf(object)) * size +
            firstClass +
            column;
          const value = values[row * classes.length + column];
          assertAgrees(value, Number(matrices.data[at]), 1e-12, `${name} ${object} ${column}`);
          compared++;
        }
      }
    }
    assert.equal(compared, 2 * objects.length * classes.length);
  },
);
