/**
 * The tables and matrices of a run, read from its ledger in one pass each.
 *
 * @module
 */

import { join } from "node:path";
import { floats } from "../base/tensor.ts";
import { fileNames } from "../base/file_names.ts";
import { writeNpy } from "../base/npy.ts";
import { headValues } from "../classifier/heads.ts";
import { gridOf } from "../methods/mod.ts";
import { MEASURES } from "../statistics/measures/mod.ts";
import { Accumulator } from "../association/accumulator.ts";
import { Agreement } from "../association/agreement.ts";
import { csvText } from "../base/csv.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { associationMatrix, matrixCsv } from "../association/matrices.ts";
import type { RunImageRow, ScoredSample } from "../ledger/rows.ts";
import type { Analysis, Stages } from "../corpus/plan.ts";
import { targetsOf } from "../attribution/request.ts";
import { writeBoxes } from "./boxes.ts";
import { writePredictions } from "./predictions.ts";
import { writeImages } from "./images.ts";
import { turned } from "../ledger/stored_size.ts";
import { writeWhole } from "../base/files.ts";
import type { MethodOutput, RunOutput } from "../association/count_run.ts";

/**
 * Writes `images.csv`, `predictions.csv`, `boxes.csv`, `matrices/METHOD.MEASURE.csv` and, for several methods,
 * `agreement.csv` of a run into its folder. The same ledger rows give the same bytes.
 */
export async function writeOutputs(
  folder: string,
  ledger: Ledger,
  run: number,
  analysis: Analysis,
  stages: Stages,
  threshold: number,
): Promise<RunOutput> {
  const { classes } = analysis.classifier;
  const methods = analysis.methods.map(({ name }) => name);
  const sampled = { sampling: stages.sampling.id, forward: stages.forward.id };
  writeImages(
    join(folder, "images.csv"),
    imagesOf(ledger, run, analysis, stages),
    ledger.annotationNames(run),
  );
  const { card } = analysis.classifier;
  writePredictions(join(folder, "predictions.csv"), ledger.predictionRows(run, sampled), classes, {
    names: Object.keys(card.heads ?? {}),
    of: (probabilities) => Object.values(headValues(card, probabilities)),
  });
  writeBoxes(
    join(folder, "boxes.csv"),
    scoredSamples(ledger, run, analysis, stages),
    methods,
    classes,
  );
  const matricesFolder = join(folder, "matrices");
  await clearFolder(matricesFolder);
  const { counted, agreement } = countRun(ledger, run, analysis, stages, threshold);
  const outputs: MethodOutput[] = [];
  for (const [m, method] of methods.entries()) {
    const { counts, boxes, undefinedBoxes } = counted[m];
    const matrices = Object.values(MEASURES).map((measure) =>
      associationMatrix(counts, measure, method)
    );
    for (const matrix of matrices) {
      await writeWhole(join(matricesFolder, `${method}.${matrix.measure}.csv`), matrixCsv(matrix));
    }
    const control = analysis.methods[m].family === "control";
    outputs.push({ method, control, counts, matrices, boxes, undefinedBoxes });
  }
  if (methods.length > 1) {
    await writeWhole(join(folder, AGREEMENT), agreementCsv(methods, agreement));
  } else await Deno.remove(join(folder, AGREEMENT)).catch(() => {});
  return { methods: outputs, agreement };
}

/** The images of a run, with their sizes as it saw them. */
function* imagesOf(
  ledger: Ledger,
  run: number,
  { orientation }: Analysis,
  stages: Stages,
): Generator<RunImageRow> {
  for (const row of ledger.imageRows(run, stages.sampling.id)) yield turned(row, orientation);
}

/** File of the correlations between methods. */
const AGREEMENT = "agreement.csv";

function agreementCsv(methods: readonly string[], agreement: Agreement): string {
  const lines = methods.map((
    name,
    i,
  ) => [name, ...methods.map((_, j) => agreement.correlation(i, j))]);
  return csvText([["method", ...methods], ...lines]);
}

/**
 * The samples of a run under each method, with the scores of the classes that this run explains: an earlier run may have
 * left those of other classes in the ledger.
 */
function* scoredSamples(
  ledger: Ledger,
  run: number,
  { classifier, classes }: Analysis,
  stages: Stages,
): Generator<ScoredSample> {
  const sampled = { sampling: stages.sampling.id, forward: stages.forward.id };
  const scoring = stages.methods.map(({ score }) => score.id);
  for (const sample of ledger.scoreRows(run, sampled, scoring)) {
    const wanted = targetsOf(classes, sample.predicted, classifier.classes.length);
    const targets = sample.targets.filter((target) => wanted.includes(target));
    if (targets.length < wanted.length) continue;
    yield {
      ...sample,
      targets,
      scores: sample.scores.filter((score) => wanted.includes(score.class)),
    };
  }
}

/** Counts a run into one accumulator a method, and the agreement of the methods. */
function countRun(
  ledger: Ledger,
  run: number,
  analysis: Analysis,
  stages: Stages,
  threshold: number,
) {
  const { classifier, classes: choice, methods, detector } = analysis;
  const counted = methods.map(() => ({
    counts: new Accumulator({
      classes: classifier.classes,
      threshold,
      columns: typeof choice === "number" ? [choice] : undefined,
    }),
    boxes: 0,
    undefinedBoxes: 0,
  }));
  const agreement = new Agreement(methods.length);
  // Importances of the sample at work, by box and class.
  let boxes = new Map<string, number[]>();
  for (const sample of scoredSamples(ledger, run, analysis, stages)) {
    const own = counted[sample.method];
    for (const { class: target, box, importance } of sample.scores) {
      const key = `${box.id} ${target}`;
      let importances = boxes.get(key);
      if (!importances) boxes.set(key, importances = new Array<number>(methods.length).fill(NaN));
      importances[sample.method] = importance;
    }
    if (sample.method === methods.length - 1) {
      for (const importances of boxes.values()) agreement.add(importances);
      boxes = new Map();
    }
    // A box has a score for each class that is explained.
    own.boxes += new Set(sample.scores.map(({ box }) => box.id)).size;
    const scores = sample.scores.map(({ class: target, box: { label }, importance }) => {
      if (Number.isNaN(importance)) own.undefinedBoxes++;
      return { label, class: target, importance };
    });
    own.counts.add({
      predicted: sample.predicted,
      targets: sample.targets,
      scores,
      // A detector of a few known parts lists them all; 601 rows of zeros would help nobody.
      ...(detector.labels && detector.labels.length <= 40 ? { labels: detector.labels } : {}),
    });
  }
  return { counted, agreement };
}

/**
 * Writes the raw maps (before ReLU and normalisation), `maps/METHOD/IMAGE.npy`: float32 [samples, h, w], or
 * [samples, classes, h, w] where all classes were explained. Images without samples have no file.
 *
 * @returns the number of files.
 */
export async function writeMaps(
  folder: string,
  ledger: Ledger,
  run: number,
  analysis: Analysis,
  stages: Stages,
): Promise<number> {
  const { classes } = analysis.classifier;
  await clearFolder(join(folder, "maps"));
  let files = 0;
  for (const [m, method] of analysis.methods.entries()) {
    const own = join(folder, "maps", method.name);
    const { height, width } = gridOf(method, analysis.classifier);
    await Deno.mkdir(own, { recursive: true });
    const nameOf = fileNames();
    let current:
      | { ordinal: number; path: string; samples: number; maps: Float32Array[] }
      | undefined;
    const finish = async () => {
      if (!current) return;
      const perSample = current.maps.length / current.samples;
      const data = new Float32Array(current.maps.length * height * width);
      current.maps.forEach((map, i) => data.set(map, i * height * width));
      const shape = analysis.classes === "all"
        ? [current.samples, perSample, height, width]
        : [current.samples, height, width];
      await writeWhole(
        join(own, `${nameOf(current.path)}.npy`),
        writeNpy(floats(shape, data)),
      );
      files++;
    };
    const targets = { sampling: stages.sampling.id, map: stages.methods[m].map.id };
    let lastSample = -1;
    for (const row of ledger.mapRows(run, targets)) {
      const prediction = ledger.prediction(row.sample.id, stages.forward.id);
      if (
        !prediction ||
        !targetsOf(analysis.classes, prediction.predicted, classes.length).includes(row.class)
      ) {
        continue;
      }
      if (current?.ordinal !== row.ordinal) {
        await finish();
        current = { ordinal: row.ordinal, path: row.path, samples: 0, maps: [] };
        lastSample = -1;
      }
      if (row.sample.idx !== lastSample) current.samples++;
      lastSample = row.sample.idx;
      current.maps.push(row.raw);
    }
    await finish();
  }
  return files;
}

/** Makes a folder, and removes what an earlier run of other methods left in it. */
async function clearFolder(folder: string): Promise<void> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
}
