/**
 * `report.html`: from a finished run to the data of its page, and the page. No model is read; pictures of the samples shown are.
 *
 * @module
 */

import type { Agreement } from "../association/agreement.ts";
import type { MethodOutput } from "../association/count_run.ts";
import { methodLabels } from "../association/labels.ts";
import { strongestAssociations } from "../association/strongest.ts";
import { mapConcurrently } from "../base/concurrency.ts";
import { ImageError } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { count, plural } from "../base/number_text.ts";
import { failedAxioms } from "../experiments/failed_axioms.ts";
import { saysOf } from "../experiments/axioms/mod.ts";
import {
  chooseSamples,
  type Fact,
  type Failure,
  type HeatMatrixData,
  report as reportPage,
  type ReportData,
  SAMPLE_RULE,
  type SampleFigure,
} from "../figures/mod.ts";
import type { Compute } from "../gpu/compute.ts";
import { createCompute } from "../gpu/create_compute.ts";
import { decodeImage } from "../image/decode.ts";
import type { RgbImage } from "../image/image.ts";
import { readImageFile } from "../image/image_file.ts";
import type { FinishedRun } from "../ledger/finished_run.ts";
import type { PredictionRow } from "../ledger/rows.ts";
import type { Output, RunToWrite } from "./output.ts";
import { sampleFigure } from "./sample_figure.ts";

/** Samples that a report shows. */
const SHOWN = 24;
/** Pictures whose overlays are drawn at a time: encoding runs on other threads. */
const DRAWN_AT_ONCE = 3;

const BOX_MEAN_NAMES = {
  exact: "exact integral",
  pixels: "whole pixels",
  paper: "whole pixels of the detector's letterbox",
} as const;

/** The output `report.html`. */
export const report: Output = {
  file: "report.html",
  async write(folder, run, notices) {
    const data = await reportData(run, notices);
    await folder.write("report.html", reportPage(data));
    const missing = data.samples.missing ?? [];
    if (missing.length === 0) return [];
    return [
      `${plural(missing.length, "picture")} of the report's samples could not be drawn: ${
        missing.map(({ path, reason }) => `${path} (${reason})`).join(", ")
      }`,
    ];
  },
};

/**
 * Collects everything for the page; pictures of the samples shown are read again.
 *
 * @param notices what other outputs gave, beside those of the manifest
 */
export async function reportData(
  toWrite: RunToWrite,
  notices: readonly string[] = [],
): Promise<ReportData> {
  const { run, counted, summary, verdicts } = toWrite;
  const { manifest, threshold } = run;
  const outputs = counted.methods;
  const failures: Failure[] = [];
  for (const row of run.images()) {
    if (row.status === "failed") failures.push({ path: row.path, reason: row.error ?? "" });
  }
  const first = outputs[0];
  const failed = failedAxioms(verdicts, run.methods);
  const label = methodLabels(
    new Set(outputs.filter(({ control }) => control).map(({ method }) => method)),
    failed,
  );
  const associations = strongestAssociations(outputs, new Set(failed.keys()));
  const { card } = manifest.classifier;
  return {
    title: manifest.title,
    question: `Which objects drive the predictions of ${card.title ?? card.name}? ` +
      `Importance is the mean of a class activation map in each box; an object is salient where it is over ${threshold}.`,
    command: manifest.command,
    counts: {
      images: summary.images,
      failed: summary.failed,
      duplicates: run.duplicates().reduce((sum, { paths }) => sum + paths.length - 1, 0),
      samples: first.counts.samples,
      sampleKind: manifest.analysis.samples === "faces" ? "face crop" : "whole image",
      boxes: first.boxes,
      undefinedImportances: summary.undefinedImportances,
    },
    settings: settingFacts(run),
    matrices: matrixOrder(outputs).map((matrix) => ({
      ...matrix,
      method: label(matrix.method),
      n: first.counts.samples,
    })),
    associations: {
      ...associations,
      rows: associations.rows.map((row) => ({ ...row, method: label(row.method) })),
    },
    ...outputs.length > 1 ? { agreement: agreementMatrix(outputs, counted.agreement, label) } : {},
    axioms: verdicts.map((result) => ({
      method: label(result.method),
      axiom: result.axiom,
      ...(result.value === undefined ? {} : { value: result.value }),
      bound: "atMost" in result.bound ? `≤ ${result.bound.atMost}` : `≥ ${result.bound.atLeast}`,
      verdict: result.verdict,
      says: saysOf(result),
    })),
    models: manifest.models,
    runtime: {
      backend: manifest.backend.name,
      reason: manifest.backend.reason,
      ...(manifest.backend.adapter ? { adapter: manifest.backend.adapter } : {}),
      versions: Object.entries(manifest.versions).map(([name, value]) => ({ name, value })),
    },
    stages: Object.entries(summary.milliseconds)
      .map(([name, milliseconds]) => ({ name, seconds: milliseconds / 1000 })),
    failures,
    samples: { rule: SAMPLE_RULE, ...await shownSamples(toWrite) },
    cite: citations(run),
    credits: manifest.credits,
    cautions: [...new Set([...manifest.notices, ...notices])],
  };
}

/** The settings that a reader of the page needs, in words. */
function settingFacts({ manifest, classes, explained }: FinishedRun): Fact[] {
  const { analysis, classifier, methods } = manifest;
  const fact = (name: string, value: string | number): Fact => ({ name, value: String(value) });
  const layers = classifier.layers.join(" + ");
  return [
    fact("samples", analysis.samples === "faces" ? "one for each face found" : "whole images"),
    fact("methods", methods.map(({ title }) => title).join(", ")),
    fact("target score", analysis.target),
    fact("explained class", typeof explained === "number" ? classes[explained] : explained),
    fact("target layer", classifier.layers.length > 1 ? `${layers} fused` : layers),
    fact("placement of maps", classifier.placement),
    fact("mean in a box", BOX_MEAN_NAMES[analysis.boxMean]),
    fact("salience threshold", analysis.threshold),
    fact(
      "orientation of pictures",
      analysis.orientation === "exif" ? "upright (EXIF)" : "as stored",
    ),
    fact("batch size", classifier.batch),
    fact("seed", analysis.seed),
  ];
}

function agreementMatrix(
  outputs: readonly MethodOutput[],
  agreement: Agreement,
  label: (method: string) => string,
): HeatMatrixData {
  const names = outputs.map(({ method }) => method);
  return {
    name: "Correlation of box importances, method × method",
    facts: `${names.length} methods over ${count(outputs[0].boxes)} boxes.`,
    measure: "correlation",
    units: "Pearson correlation, −1..1",
    signed: true,
    method: "all methods",
    objects: names.map(label),
    classes: names,
    values: names.flatMap((_, i) => names.map((_, j) => agreement.correlation(i, j))),
  };
}

/** The measure that compares across base rates first. */
function matrixOrder(outputs: readonly MethodOutput[]) {
  const order = ["mean-importance", "phi", "dice", "count"];
  return order.flatMap((name) =>
    outputs.flatMap(({ matrices }) => matrices.filter(({ measure }) => measure === name))
  );
}

/** A sample that a report could show. */
interface ShowableSample {
  readonly id: string;
  readonly predicted: string;
  readonly probability: number;
  readonly row: PredictionRow;
}

/** The samples with their overlays, in their order, and the pictures that are not what they were. */
async function shownSamples(
  { run, fileOf }: RunToWrite,
): Promise<{ shown: SampleFigure[]; missing?: Failure[] }> {
  const chosen = samplesToShow(run);
  // Each picture is decoded once for all of its samples.
  const byPath = Map.groupBy(chosen, ({ row }) => row.path);
  const figures = new Map<ShowableSample, SampleFigure>();
  const missing: Failure[] = [];
  // Maps of a page are few: the CPU's twins of the kernels give the same page on any machine.
  const compute = await createCompute("cpu");
  const images = [...run.images()].filter(({ path }) => byPath.has(path));
  await mapConcurrently(images, DRAWN_AT_ONCE, async ({ path, sha256 }) => {
    const picture = await pictureOf(fileOf(path), sha256, run.manifest.analysis.orientation);
    if ("reason" in picture) {
      missing.push({ path, reason: picture.reason });
      return;
    }
    for (const sample of byPath.get(path)!) {
      const figure = await oneSample(run, compute, picture.image, sample);
      if (figure) figures.set(sample, figure);
    }
  });
  const order = images.map(({ path }) => path);
  missing.sort((a, b) => order.indexOf(a.path) - order.indexOf(b.path));
  return {
    shown: chosen.flatMap((sample) => figures.get(sample) ?? []),
    ...(missing.length > 0 ? { missing } : {}),
  };
}

/** A picture as the run saw it, or why it is not there: a report without it is better than none, and one with another would be wrong. */
async function pictureOf(
  file: string | undefined,
  hash: string | undefined,
  orientation: "exif" | "stored",
): Promise<{ image: RgbImage } | { reason: string }> {
  if (file === undefined) return { reason: "where its file was is not known" };
  try {
    const bytes = await readImageFile(file);
    if (sha256(bytes) !== hash) return { reason: "its file has changed since the run" };
    return { image: await decodeImage(bytes, { orientation }) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { reason: error.message };
  }
}

/** The samples that are shown, in their order. No more than a bounded number is held at a time, however large the run is. */
function samplesToShow(run: FinishedRun): ShowableSample[] {
  const { classes } = run;
  let candidates: ShowableSample[] = [];
  const choose = (limit: number) => {
    candidates = chooseSamples(candidates, limit).map((index) => candidates[index]);
  };
  // Taken in turn, this many hold the best of each class that can be among those shown.
  const bound = SHOWN * classes.length;
  for (const row of run.predictions()) {
    candidates.push({
      id: `${row.path}#${String(row.sample.idx).padStart(4, "0")}`,
      predicted: classes[row.predicted],
      probability: row.probabilities[row.predicted],
      row,
    });
    if (candidates.length >= 2 * bound) choose(bound);
  }
  choose(SHOWN);
  return candidates;
}

async function oneSample(
  run: FinishedRun,
  compute: Compute,
  picture: RgbImage,
  { row, predicted, probability }: ShowableSample,
): Promise<SampleFigure | undefined> {
  const { classes, explained, methods: [method], threshold, manifest } = run;
  const target = typeof explained === "number" ? explained : row.predicted;
  const raw = run.map(row.sample.id, method, target);
  if (!raw) return undefined;
  const whole = manifest.analysis.samples === "image";
  const { card: { input }, input: inputShape } = manifest.classifier;
  const overlay = await sampleFigure(compute, { ...method, input, inputShape }, {
    title: `${method.title}, ${classes[target]}`,
    image: picture,
    region: row.sample,
    whole,
    raw,
    boxes: run.scores(row.sample.id, method, target)
      .map(({ box, importance }) => ({ ...box, importance })),
    threshold,
    ...(whole ? { width: 480 } : {}),
  });
  return {
    predicted,
    probability,
    path: row.path,
    ...(whole ? {} : { part: `face ${row.sample.idx + 1}` }),
    overlay,
  };
}

function citations({ methods, manifest: { classifier: { card } } }: FinishedRun): string[] {
  return [
    "EmoCAM, arXiv 2407.14314: the procedure of mean class activation in object boxes over a corpus.",
    ...methods.map(({ title, source }) => `${title}: ${source}`),
    ...(card.citation ? [`${card.name}: ${card.citation}`] : []),
  ];
}
