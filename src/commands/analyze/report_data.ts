/**
 * From a finished run to the data of its report page.
 *
 * @module
 */

import { mapConcurrently } from "../../base/concurrency.ts";
import { ImageError } from "../../base/errors.ts";
import type { Json } from "../../base/json.ts";
import { strongestAssociations } from "../../association/strongest.ts";
import type { Agreement } from "../../association/agreement.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { PredictionRow } from "../../ledger/rows.ts";
import type { MethodOutput } from "../../association/count_run.ts";
import type { Analysis, Stages } from "../../corpus/plan.ts";
import { targetsOf } from "../../attribution/request.ts";
import type { StreamSummary } from "../../corpus/stream.ts";
import {
  chooseSamples,
  type Fact,
  type HeatMatrixData,
  type ModelFacts,
  type ReportData,
  SAMPLE_RULE,
  type SampleFigure,
} from "../../figures/mod.ts";
import { count } from "../../base/number_text.ts";
import { type AxiomResult, saysOf } from "../../experiments/axioms/mod.ts";
import { decodeImage } from "../../image/decode.ts";
import type { RgbImage } from "../../image/image.ts";
import { findCard } from "../../runtime/card.ts";
import { failedAxioms } from "../run/verdicts.ts";
import type { Manifest } from "../run/manifest.ts";
import { sampleFigure } from "../run/sample_figures.ts";
import type { Setup } from "../run/setup.ts";
import { methodLabels } from "../terminal.ts";

/** Samples that a report shows. */
const SHOWN = 24;
/** Pictures whose overlays are drawn at a time: encoding runs on other threads. */
const DRAWN_AT_ONCE = 3;

/** What the report is made from. */
export interface FinishedRun {
  readonly ledger: Ledger;
  readonly run: number;
  readonly analysis: Analysis;
  readonly setup: Setup;
  readonly stages: Stages;
  readonly outputs: readonly MethodOutput[];
  readonly agreement: Agreement;
  readonly summary: StreamSummary;
  readonly manifest: Manifest;
  readonly threshold: number;
  readonly title: string;
  readonly command: string;
  readonly settings: readonly Fact[];
  readonly credits: readonly string[];
  /** Verdicts on the methods, where they were checked. */
  readonly axioms: readonly AxiomResult[];
}

/** Collects everything for the page; pictures of the samples shown are read again. */
export async function reportData(finished: FinishedRun): Promise<ReportData> {
  const { ledger, run, setup, outputs, summary, manifest, threshold } = finished;
  const failures: { path: string; reason: string }[] = [];
  for (const row of ledger.imageRows(run)) {
    if (row.status === "failed") failures.push({ path: row.path, reason: row.error ?? "" });
  }
  const first = outputs[0];
  const { axioms } = finished;
  const failed = failedAxioms(axioms, setup.methods);
  const label = methodLabels(
    new Set(outputs.filter(({ control }) => control).map(({ method }) => method)),
    failed,
  );
  const associations = strongestAssociations(outputs, new Set(failed.keys()));
  return {
    title: finished.title,
    question:
      `Which objects drive the predictions of ${
        setup.classifier.card.title ?? setup.classifier.card.name
      }? ` +
      `Importance is the mean of a class activation map in each box; an object is salient where it is over ${threshold}.`,
    command: finished.command,
    counts: {
      images: summary.total,
      failed: summary.failed,
      duplicates: ledger.duplicates(run).reduce((sum, { paths }) => sum + paths.length - 1, 0),
      samples: first.counts.samples,
      sampleKind: setup.samples === "faces" ? "face crop" : "whole image",
      boxes: first.boxes,
      undefinedImportances: outputs.reduce((sum, { undefinedBoxes }) => sum + undefinedBoxes, 0),
    },
    settings: finished.settings,
    matrices: matrixOrder(outputs).map((matrix) => ({
      ...matrix,
      method: label(matrix.method),
      n: first.counts.samples,
    })),
    associations: {
      ...associations,
      rows: associations.rows.map((row) => ({ ...row, method: label(row.method) })),
    },
    ...outputs.length > 1 ? { agreement: agreementMatrix(outputs, finished.agreement, label) } : {},
    axioms: axioms.map((result) => ({
      method: label(result.method),
      axiom: result.axiom,
      ...(result.value === undefined ? {} : { value: result.value }),
      bound: "atMost" in result.bound ? `≤ ${result.bound.atMost}` : `≥ ${result.bound.atLeast}`,
      verdict: result.verdict,
      says: saysOf(result),
    })),
    models: await modelFacts(setup),
    runtime: {
      backend: manifest.backend.name,
      reason: manifest.backend.reason,
      ...(manifest.backend.adapter ? { adapter: manifest.backend.adapter } : {}),
      versions: Object.entries(manifest.versions).map(([name, value]) => ({ name, value })),
    },
    stages: Object.entries(summary.timings)
      .map(([name, milliseconds]) => ({ name, seconds: milliseconds / 1000 })),
    failures,
    samples: {
      rule: SAMPLE_RULE,
      shown: await shownSamples(finished),
    },
    cite: citations(setup),
    credits: finished.credits,
    cautions: setup.notices,
  };
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

async function modelFacts({ classifier, detector }: Setup): Promise<ModelFacts[]> {
  const fact = (role: string, card: Omit<ModelFacts, "role" | "sha256">, sha256: string) => ({
    role,
    name: card.name,
    sha256,
    licence: card.licence,
    source: card.source,
    ...(card.title ? { title: card.title } : {}),
    ...(card.bytes ? { bytes: card.bytes } : {}),
    ...(card.citation ? { citation: card.citation } : {}),
    ...(card.note ? { note: card.note } : {}),
  } as ModelFacts);
  const facts = [
    fact("classifier", classifier.card as never, String(classifier.key.model)),
  ];
  for (const name of cardNames(detector.key)) {
    try {
      const { card } = await findCard(name);
      if ("sha256" in card && card.sha256) facts.push(fact(card.task, card as never, card.sha256));
    } catch {
      // A user's own detector may name no shipped card; its key is in run.json all the same.
    }
  }
  return facts;
}

/** Names of cards that a detector's key mentions, under any key called `card` or `name`. */
function cardNames(key: Json): string[] {
  if (key === null || typeof key !== "object") return [];
  if (Array.isArray(key)) return key.flatMap(cardNames);
  return Object.entries(key).flatMap(([name, value]) =>
    (name === "card" || name === "name") && typeof value === "string" ? [value] : cardNames(value)
  );
}

/** A sample that a report could show. */
interface ShowableSample {
  readonly id: string;
  readonly predicted: string;
  readonly probability: number;
  readonly row: PredictionRow;
}

async function shownSamples(finished: FinishedRun): Promise<SampleFigure[]> {
  const chosen = samplesToShow(finished);
  // Each picture is decoded once for all of its samples.
  const byPath = Map.groupBy(chosen, ({ row }) => row.path);
  const images = finished.analysis.images.filter(({ path }) => byPath.has(path));
  const figures = new Map<ShowableSample, SampleFigure>();
  await mapConcurrently(images, DRAWN_AT_ONCE, async (image) => {
    await unlessGone(async () => {
      const picture = await decodeImage(await Deno.readFile(image.file), {
        orientation: finished.analysis.orientation,
      });
      for (const sample of byPath.get(image.path)!) {
        const figure = await unlessGone(() => oneSample(finished, picture, sample));
        if (figure) figures.set(sample, figure);
      }
    });
  });
  return chosen.flatMap((sample) => figures.get(sample) ?? []);
}

/** The samples that are shown, in their order. No more than a bounded number is held at a time, however large the run is. */
function samplesToShow({ ledger, run, setup: { classifier }, stages }: FinishedRun) {
  const sampled = { sampling: stages.sampling.id, forward: stages.forward.id };
  let candidates: ShowableSample[] = [];
  const choose = (limit: number) => {
    candidates = chooseSamples(candidates, limit).map((index) => candidates[index]);
  };
  // Taken in turn, this many hold the best of each class that can be among those shown.
  const bound = SHOWN * classifier.classes.length;
  for (const row of ledger.predictionRows(run, sampled)) {
    candidates.push({
      id: `${row.path}#${String(row.sample.idx).padStart(4, "0")}`,
      predicted: classifier.classes[row.predicted],
      probability: row.probabilities[row.predicted],
      row,
    });
    if (candidates.length >= 2 * bound) choose(bound);
  }
  choose(SHOWN);
  return candidates;
}

async function oneSample(
  { ledger, analysis, setup, stages, threshold }: FinishedRun,
  picture: RgbImage,
  { row, predicted, probability }: ShowableSample,
): Promise<SampleFigure | undefined> {
  const { classifier, compute } = setup;
  const method = setup.methods[0];
  const own = stages.methods[0];
  const [target] = typeof analysis.classes === "number"
    ? [analysis.classes]
    : targetsOf("predicted", row.predicted, classifier.classes.length);
  const raw = ledger.map(row.sample.id, own.map.id, target!);
  if (!raw) return undefined;
  const whole = setup.samples === "image";
  const overlay = await sampleFigure(compute, classifier, method, {
    title: `${method.title}, ${classifier.classes[target!]}`,
    image: picture,
    region: row.sample,
    whole,
    raw,
    boxes: ledger.scoresOf(row.sample.id, own.score.id, target!)
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

/** What `work` gives, or nothing: a picture was there when it was analysed, and a report without it is better than none. */
async function unlessGone<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof ImageError) return undefined;
    throw error;
  }
}

function citations({ methods, classifier }: Setup): string[] {
  return [
    "EmoCAM, arXiv 2407.14314: the procedure of mean class activation in object boxes over a corpus.",
    ...methods.map(({ title, source }) => `${title}: ${source}`),
    ...(classifier.card.citation ? [`${classifier.card.name}: ${classifier.card.citation}`] : []),
  ];
}
