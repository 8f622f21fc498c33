import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { readNpy } from "../../src/base/npy.ts";
import { csvText } from "../../src/base/csv.ts";
import {
  annotationObjectIncidence,
  emotionAnnotationIncidence,
  emotionObjectIncidence,
} from "../../src/experiments/paper/analyses.ts";
import type { BinaryTable } from "../../src/experiments/paper/binary_table.ts";
import { imageList, uniqueDetections } from "../../src/experiments/paper/filters.ts";
import { compareMethods, lowerTriangle } from "../../src/experiments/paper/method_comparison.ts";
import {
  type Annotation,
  emonetOutputs,
  PAPER_SETTINGS,
  type PaperInput,
  type PaperMethod,
  type PaperSettings,
  referenceImage,
  yoloOutputs,
} from "../../src/experiments/paper/mod.ts";
import { valenceArousal } from "../../src/experiments/paper/valence_arousal.ts";
import { fisherInterval, pearson, spearman } from "../../src/statistics/correlation.ts";
import { similarityMatrix, similarityNamed } from "../../src/statistics/similarity/mod.ts";
import { goldenTest } from "../shared_goldens.ts";
import { readEmonetOutputs, readYoloOutputs } from "../experiments/paper/read_reference_tables.ts";
import { assertAgrees, type GoldenNumber } from "../statistics/golden_number.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast } from "../assert_that.ts";

const FOLDER = "cam/stats/";
const METHODS = ["gradcam", "ablation", "lime", "lrp", "lift"];

/** Measures that variances or logarithms go into: 1e-6 is asked of them; measured 5e-14. */
const TOLERANCE = 1e-12;

interface Loaded {
  readonly text: (name: string) => string;
  readonly json: (name: string) => unknown;
  readonly numbers: (name: string) => { shape: readonly number[]; data: Float64Array };
  readonly settings: PaperSettings;
  readonly annotations: readonly Annotation[];
  readonly input: PaperInput & { readonly annotations: readonly Annotation[] };
}

function load(goldens: URL): Loaded {
  const text = (name: string) => Deno.readTextFileSync(new URL(FOLDER + name, goldens));
  // Python writes bare NaN and infinities, which JSON does not know.
  const json = (name: string) =>
    JSON.parse(text(name).replace(/(: ?|\[|, )(-?Infinity|NaN)\b/g, '$1"$2"')) as unknown;
  const numbers = (name: string) => {
    const { shape, data } = readNpy(Deno.readFileSync(new URL(FOLDER + name, goldens)));
    return { shape, data: Float64Array.from(data as ArrayLike<number>) };
  };
  const thresholds = json("thresholds.json") as Record<string, number>;
  const settings: PaperSettings = {
    ...PAPER_SETTINGS,
    filters: {
      importance: thresholds.obj_importance_thres!,
      emotion: thresholds.emo_conf_thres!,
      object: thresholds.obj_conf_thres!,
      ambiguity: thresholds.ann_ambiguity_thres!,
    },
  };
  const lines: Record<string, string>[] = parse(text("annotations.csv"), { columns: true });
  const annotations = lines.map((line) => ({
    image: referenceImage(line.image_path!),
    emotion: line.emotion!,
    valence: Number(line.valence),
    arousal: Number(line.arousal),
    ambiguity: Number(line.ambiguity),
  }));
  const methods: PaperMethod[] = METHODS.map((name) => {
    const file = `outputs_${name}/yolo_outputs_${name}.csv`;
    return { name, title: name, detections: readYoloOutputs(text(file), file) };
  });
  const { predictions, emotions } = readEmonetOutputs(
    text("outputs_gradcam/emonet_outputs_gradcam.csv"),
    "emonet_outputs_gradcam.csv",
  );
  return {
    text,
    json,
    numbers,
    settings,
    annotations,
    input: { emotions, predictions, annotations, methods },
  };
}

/** The three binary tables by the names of their files. */
function tables({ input, settings }: Loaded): [string, BinaryTable][] {
  const gradcam = input.methods[0];
  return [
    ["emo_obj", emotionObjectIncidence(input, gradcam, settings).table],
    ["ann_obj", annotationObjectIncidence(input.annotations, gradcam, settings).table],
    ["emo_ann", emotionAnnotationIncidence(input, settings).table],
  ];
}

function assertSame(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  message: string,
) {
  assert.equal(got.length, wanted.length, message);
  for (let i = 0; i < got.length; i++) {
    assertAgrees(got[i], wanted[i], tolerance, `${message} at ${i}`);
  }
}

goldenTest("the paper's filtered tables are the published code's, row for row", (goldens) => {
  const loaded = load(goldens);
  const { input, settings, annotations, text } = loaded;
  const gradcam = input.methods[0];
  const csv = (name: string): string[][] => parse(text(`filtered_${name}.csv`), { from: 2 });

  const images = imageList(annotations, input.predictions, "published");
  const unique = uniqueDetections(images, gradcam.detections);
  const numbers = csv("yolo_dedup");
  assert.equal(unique.length, numbers.length);
  unique.forEach(({ image, detection: found }, row) => {
    const fields = numbers[row];
    const number = (field: string) => field === "" ? NaN : Number(field);
    assert.deepEqual([image, found?.emotion ?? "", found?.object ?? ""], [
      fields[0],
      fields[1],
      fields[3],
    ]);
    assertSame(
      [found?.emotionConfidence ?? NaN, found?.objectConfidence ?? NaN, found?.importance ?? NaN],
      [number(fields[2]), number(fields[4]), number(fields[5])],
      0,
      `row ${row}`,
    );
  });

  const objects = emotionObjectIncidence(input, gradcam, settings).rows;
  assert.deepEqual(
    objects.map(({ image, emotion, object }) => [image, emotion, object]),
    csv("emo_obj"),
  );
  const annotated = annotationObjectIncidence(annotations, gradcam, settings).rows;
  assert.deepEqual(
    annotated.map(({ image, emotion, object }) => [image, emotion, object]),
    csv("ann_obj"),
  );
  const pairs = emotionAnnotationIncidence(input, settings).rows;
  assert.deepEqual(
    pairs.map(({ image, prediction, annotation }) => [
      image,
      prediction.emotion,
      annotation.emotion,
    ]),
    csv("emo_ann"),
  );
  const values = csv("val").map((row) => row.map(Number));
  const arousals = csv("aro").map((row) => row.map(Number));
  assert.deepEqual(
    pairs.map(({ prediction, annotation }) => [prediction.valence, annotation.valence]),
    values,
  );
  assert.deepEqual(
    pairs.map(({ prediction, annotation }) => [prediction.arousal, annotation.arousal]),
    arousals,
  );
});

goldenTest("the paper's binary vectors are the published code's", (goldens) => {
  const loaded = load(goldens);
  for (const [name, { images, features, vectors }] of tables(loaded)) {
    assert.deepEqual(features, loaded.json(`${name}_columns.json`), name);
    const { shape, data } = loaded.numbers(`${name}_binary.npy`);
    assert.deepEqual([images.length, features.length], shape);
    const flat = images.flatMap((_, row) => vectors.map((vector) => vector[row]));
    assertSame(flat, data, 0, name);
  }
});

goldenTest(
  "all 22 similarity matrices and the five of the thesis are the reference's",
  (goldens) => {
    const loaded = load(goldens);
    const { order } = loaded.json("metrics.json") as { order: string[] };
    assert.equal(order.length, 22);
    const own = ["jaccard", "rajski", "smc", "dice", "cosine"];
    for (const [name, { features, vectors }] of tables(loaded)) {
      const all = loaded.numbers(`${name}_matrices_f64.npy`).data;
      const size = features.length ** 2;
      order.forEach((measure, at) => {
        const { values } = similarityMatrix(vectors, similarityNamed(measure));
        assertSame(
          values,
          all.subarray(at * size, (at + 1) * size),
          TOLERANCE,
          `${name} ${measure}`,
        );
      });
      for (const measure of own) {
        const { values } = similarityMatrix(vectors, similarityNamed(`thesis-${measure}`));
        const { data } = loaded.numbers(`${name}_${measure}_correlation_matrix_f64.npy`);
        assertSame(values, data, TOLERANCE, `${name} thesis-${measure}`);
      }
    }
  },
);

goldenTest("valence and arousal against annotation are the reference's, with p", (goldens) => {
  const loaded = load(goldens);
  const wanted = loaded.json("valence_arousal.json") as Record<string, unknown>;
  const { rows } = emotionAnnotationIncidence(loaded.input, loaded.settings);
  const result = valenceArousal(rows);
  for (const quantity of ["valence", "arousal"] as const) {
    const { n, pearson_r, pearson_p, spearman_rho, spearman_p } = wanted[quantity] as Record<
      string,
      number
    >;
    const { pearson, spearman } = result[quantity];
    assert.equal(pearson.n, n);
    assertSame([pearson.r, spearman.r], [pearson_r!, spearman_rho!], 1e-12, quantity);
    assertSame(
      fisherInterval(pearson),
      (wanted[quantity] as { pearson_ci95_fisher: number[] }).pearson_ci95_fisher,
      1e-12,
      quantity,
    );
    assertClose(pearson.p / pearson_p!, 1, 1e-9, quantity);
    assertClose(spearman.p / spearman_p!, 1, 1e-9, quantity);
  }
  assertSame(result.pearson.flat(), (wanted.val_aro_pearson as number[][]).flat(), 1e-12, "matrix");
});

goldenTest("the comparison of methods is the reference's", (goldens) => {
  const loaded = load(goldens);
  const { input, settings } = loaded;
  const wanted = loaded.json("meta.json") as {
    n_total: number;
    n_after_dropna: number;
    spearman_pandas_pairwise_complete: number[][];
    p_values_after_dropna: (number | null)[][];
    feature_columns: string[];
  };
  const vectors = input.methods.map((method) => {
    const { features, vectors } = emotionObjectIncidence(input, method, settings).table;
    assert.deepEqual(features, wanted.feature_columns);
    const { values } = similarityMatrix(vectors, similarityNamed("dice"));
    return lowerTriangle(values, features.length);
  });
  const { shape, data } = loaded.numbers("meta_vectors_f64.npy");
  assert.deepEqual(shape, [wanted.n_total, METHODS.length]);
  vectors.forEach((vector, column) =>
    assertSame(
      vector,
      Float64Array.from(vector, (_, row) => data[row * METHODS.length + column]),
      1e-15,
      METHODS[column],
    )
  );
  const { rho, p, dyads, complete } = compareMethods(vectors);
  assert.deepEqual([dyads, complete], [wanted.n_total, wanted.n_after_dropna]);
  assertSame(rho.flat(), wanted.spearman_pandas_pairwise_complete.flat(), 1e-12, "rho");
  p.flat().forEach((value, at) => {
    const expected = wanted.p_values_after_dropna.flat()[at];
    if (expected === null) assert.equal(value, NaN);
    else assertClose(value, expected!, { relative: 1e-9 }, `p ${at}`);
  });
});

goldenTest(
  "the published code's tables of outputs, read and made again, are the same bytes",
  (goldens) => {
    const { text } = load(goldens);
    for (const method of METHODS) {
      const emonet = text(`outputs_${method}/emonet_outputs_${method}.csv`);
      const { predictions, emotions } = readEmonetOutputs(emonet, method);
      const table = emonetOutputs(predictions, emotions);
      assert.equal(csvText([table.header, ...table.rows]), emonet);
      const yolo = text(`outputs_${method}/yolo_outputs_${method}.csv`);
      const boxes = yoloOutputs(readYoloOutputs(yolo, method));
      assert.equal(csvText([boxes.header, ...boxes.rows]), yolo);
    }
  },
);

goldenTest("correlations of vectors are scipy's, with p", (goldens) => {
  const cases = load(goldens).json("correlation_cases.json") as {
    a: number[];
    b: number[];
    pearson: [number, number];
    spearman: [number, number];
  }[];
  assertAtLeast(cases.length, 6);
  for (const { a, b, ...wanted } of cases) {
    const r = pearson(a, b), rho = spearman(a, b);
    assertSame([r.r, rho.r], [wanted.pearson[0], wanted.spearman[0]], 1e-12, `${a.length} pairs`);
    assertClose(r.p, wanted.pearson[1], { relative: 1e-9 });
    assertClose(rho.p, wanted.spearman[1], { relative: 1e-9 });
  }
});

goldenTest("correlations of short, tied and constant vectors are scipy's", (goldens) => {
  const { cases } = JSON.parse(
    Deno.readTextFileSync(new URL("statistics/04a_correlation.json", goldens)),
  );
  assertAtLeast(cases.length, 16);
  for (const { input: { x, y }, expected } of cases) {
    const { r, p } = pearson(x, y), rho = spearman(x, y);
    const message = `${x.length} pairs`;
    assertAgrees(r, expected.pearson.r, 1e-12, `${message}: r`);
    fisherInterval({ r, p, n: x.length }).forEach((bound, at) => {
      const wanted = expected.pearson.fisher_ci95?.[at];
      if (wanted !== undefined) assertAgrees(bound, wanted, 1e-12, message);
    });
    assertAgrees(rho.r, expected.spearman.rho, 1e-12, `${message}: rho`);
    // Relative, but for p of a correlation of 1 up to rounding, which is rounding itself.
    for (const [got, wanted] of [[p, expected.pearson.p], [rho.p, expected.spearman.p]]) {
      if (typeof wanted === "string") assert.equal(got, NaN, message);
      else {
        const nearlyOne = 1 - Math.abs(got === p ? r : rho.r) < 1e-14;
        assertClose(
          got,
          wanted,
          1e-9 * wanted + (nearlyOne ? 1e-14 : 0),
          `${message}: p`,
        );
      }
    }
  }
});

goldenTest("distances of pairs and of sets of binary vectors are scipy's", (goldens) => {
  const json = (name: string) =>
    JSON.parse(Deno.readTextFileSync(new URL(`statistics/${name}.json`, goldens)));
  const vector = (bits: string) => Uint8Array.from(bits, Number);
  const asSimilarity = (value: GoldenNumber): GoldenNumber =>
    typeof value === "number" ? 1 - value : String(1 - Number(value)) as GoldenNumber;
  const joint = ["mahalanobis", "seuclidean"];
  let compared = 0;
  const check = (
    name: string,
    vectors: Uint8Array[],
    expected: GoldenNumber[],
    tolerance: number,
    message: string,
  ) => {
    const m = vectors.length;
    const { values } = similarityMatrix(vectors, similarityNamed(name));
    let at = 0;
    for (let i = 0; i < m; i++) {
      for (let j = i + 1; j < m; j++, at++) {
        const wanted = asSimilarity(expected[at]);
        const value = values[i * m + j];
        assertAgrees(value, wanted, tolerance, `${message} ${name} ${at}`);
        compared++;
      }
    }
    assert.equal(at, expected.length);
  };
  for (const [at, { input, expected }] of json("01a_binary_pairs").cases.entries()) {
    for (const [name, value] of Object.entries(expected)) {
      if (joint.includes(name)) continue;
      const tolerance = name === "jensenshannon" ? 2e-8 : 1e-12;
      const vectors = [vector(input.u), vector(input.v)];
      check(name, vectors, [value as GoldenNumber], tolerance, `pair ${at}`);
    }
  }
  for (
    const [at, { input, expected, covariance_condition }] of json("01b_binary_matrix").cases
      .entries()
  ) {
    const vectors = input.rows.map(vector);
    for (const [name, values] of Object.entries(expected)) {
      if (name === "mahalanobis" && !(Number(covariance_condition) < 1e6)) continue;
      const tolerance = name === "mahalanobis" ? 1e-9 : name === "jensenshannon" ? 2e-8 : 1e-10;
      check(name, vectors, values as GoldenNumber[], tolerance, `set ${at}`);
    }
  }
  for (const [at, { input, expected }] of json("01c_reference_custom").cases.entries()) {
    const vectors: Uint8Array[] = input.rows.map(vector);
    for (const [name, values] of Object.entries(expected)) {
      // Restated there with a product of numbers; the thesis's own code, which cam/stats ran, multiplies booleans.
      if (name === "cosine_custom") continue;
      const own = similarityNamed(`thesis-${name.replace("_custom", "")}`);
      const { values: got } = similarityMatrix(vectors, own);
      assertSame(got, (values as number[][]).flat(), 1e-12, `set ${at} ${name}`);
    }
  }
  assert.ok(compared > 5000, `only ${compared} distances`);
});
