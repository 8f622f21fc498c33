/**
 * A finished run: what `run.json` and the ledger hold, in the words of the analysis. No model is needed to read it.
 *
 * Everything that is made of a run (tables, matrices, report, statistics) takes a {@linkcode FinishedRun}.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { isFile } from "../base/files.ts";
import type { RawMap } from "../attribution/results.ts";
import { type ClassChoice, targetsOf } from "../attribution/request.ts";
import { MODELS_FOLDER } from "../runtime/card.ts";
import { ledgerProblem } from "./problem.ts";
import { Ledger } from "./ledger.ts";
import {
  fileOf,
  type FinishedManifest,
  type Manifest,
  type MethodRecord,
  readManifest,
  type VerdictRecord,
} from "./manifest.ts";
import type {
  BoxRow,
  Duplicates,
  MapRow,
  PredictionRow,
  RunImageRow,
  ScoredSample,
  ScoreRow,
} from "./rows.ts";
import { turned } from "./stored_size.ts";

/** A method of a run. */
export interface FinishedMethod extends MethodRecord {
  /** Key of its raw maps in the ledger. */
  readonly maps: number;
  /** Key of its importances. */
  readonly importances: number;
}

/** One sample under one method. */
export interface FinishedSample extends Omit<ScoredSample, "method"> {
  readonly method: FinishedMethod;
}

/** The boxes of one image. */
export interface ImageBoxes {
  readonly ordinal: number;
  readonly path: string;
  /** In the order of the detector's answer. */
  readonly boxes: readonly BoxRow[];
}

/** Stages that every run has, by their names in the manifest. */
const SAMPLES = "samples", PREDICTIONS = "predictions", DETECTIONS = "detections";

/** A run that has ended: what can be read of it without its models. */
export class FinishedRun {
  readonly manifest: Manifest;
  readonly methods: readonly FinishedMethod[];
  readonly #ledger: Ledger;
  readonly #run: number;
  readonly #detections: number;
  readonly #sampled: { readonly sampling: number; readonly forward: number };

  /**
   * @param ledger that holds the run; it stays its owner's
   * @param run its number there
   * @throws {UsageError} when a stage of the run is not in the ledger.
   */
  constructor(ledger: Ledger, run: number, manifest: Manifest) {
    const stage = (name: string): number => {
      const id = ledger.findStage(manifest.stages[name] ?? "");
      if (id !== undefined) return id;
      throw new UsageError(
        `Cannot read the run: its ledger does not hold its ${name}; ${repeat(manifest)}`,
      );
    };
    this.manifest = manifest;
    this.#ledger = ledger;
    this.#run = run;
    this.#sampled = { sampling: stage(SAMPLES), forward: stage(PREDICTIONS) };
    this.#detections = stage(DETECTIONS);
    this.methods = manifest.methods.map((method) => ({
      ...method,
      maps: stage(`${method.name} maps`),
      importances: stage(`${method.name} importances`),
    }));
  }

  /** The classifier's classes. */
  get classes(): readonly string[] {
    return this.manifest.classifier.card.classes;
  }

  /** All labels that the detector can give, where they are known. */
  get objects(): readonly string[] | undefined {
    return this.manifest.detector.labels;
  }

  /** A box is salient when its importance is over this. */
  get threshold(): number {
    return this.manifest.analysis.threshold;
  }

  /** Which classes are explained in each sample. */
  get explained(): ClassChoice {
    return this.manifest.analysis.classes;
  }

  /** The classes that are explained in a sample, given its predicted one. */
  targetsOf(predicted: number): readonly number[] {
    return targetsOf(this.explained, predicted, this.classes.length);
  }

  /** The images in the run's order, failed ones too, with their sizes as the run saw them. */
  *images(): Generator<RunImageRow> {
    const { orientation } = this.manifest.analysis;
    for (const row of this.#ledger.imageRows(this.#run, this.#sampled.sampling)) {
      yield turned(row, orientation);
    }
  }

  /** The names of all annotation columns, in order of first appearance. */
  annotationNames(): string[] {
    return this.#ledger.annotationNames(this.#run);
  }

  /** Groups of images that have equal bytes, in the order of their first images. */
  duplicates(): Duplicates[] {
    return this.#ledger.duplicates(this.#run);
  }

  /** The samples with the classifier's answers, by image and sample. */
  predictions(): Generator<PredictionRow> {
    return this.#ledger.predictionRows(this.#run, this.#sampled);
  }

  /** All boxes of the images in which objects were looked for, whether a sample scored them or not. */
  *boxes(): Generator<ImageBoxes> {
    for (const { ordinal, path, sha256 } of this.#ledger.imageRows(this.#run)) {
      const found = sha256 === undefined
        ? undefined
        : this.#ledger.detection(sha256, this.#detections);
      if (found) yield { ordinal, path, boxes: found.boxes };
    }
  }

  /**
   * The samples with the importances of their boxes, each once for each method (in the run's order), for the classes that the run explains: an
   * earlier run may have left those of other classes in the ledger.
   *
   * @param methods of the run; by default all
   */
  *samples(methods: readonly FinishedMethod[] = this.methods): Generator<FinishedSample> {
    const stages = methods.map(({ importances }) => importances);
    for (const sample of this.#ledger.scoreRows(this.#run, this.#sampled, stages)) {
      const wanted = this.targetsOf(sample.predicted);
      const targets = sample.targets.filter((target) => wanted.includes(target));
      if (targets.length < wanted.length) continue;
      yield {
        ...sample,
        method: methods[sample.method],
        targets,
        scores: sample.scores.filter((score) => wanted.includes(score.class)),
      };
    }
  }

  /** The raw maps of a method, by image, sample and class, for the classes that the run explains. */
  *maps({ maps }: FinishedMethod): Generator<MapRow> {
    const { sampling, forward } = this.#sampled;
    for (const row of this.#ledger.mapRows(this.#run, { sampling, map: maps })) {
      const prediction = this.#ledger.prediction(row.sample.id, forward);
      if (prediction && this.targetsOf(prediction.predicted).includes(row.class)) yield row;
    }
  }

  /** The raw map of one sample and class. */
  map(sample: number, { maps }: FinishedMethod, target: number): RawMap | undefined {
    return this.#ledger.map(sample, maps, target);
  }

  /** The boxes of one sample with their importances under the map of a class, by their places. */
  scores(sample: number, { importances }: FinishedMethod, target: number): ScoreRow[] {
    return this.#ledger.scoresOf(sample, importances, target);
  }

  /**
   * What the ledger lacks of a run that ended, or has otherwise: pruned results, and pictures of the same names that a later run brought. One line
   * each; none for a ledger that holds it whole.
   */
  lacks({ images, summary }: Pick<FinishedManifest, "images" | "summary">): string[] {
    const lacking: string[] = [];
    let place = 0, other: string | undefined;
    for (const { path, sha256 } of this.images()) {
      const recorded = images[place++];
      if (recorded?.path !== path || recorded.sha256 !== (sha256 ?? null)) other ??= path;
    }
    if (place !== images.length || other !== undefined) {
      const which = other ?? images[place]?.path;
      lacking.push(`its images (another run has other pictures of these names: ${which} …)`);
    }
    const count = (table: "prediction" | "map" | "scoring", stage: number) =>
      this.#ledger.countResults(this.#run, this.#sampled.sampling, table, stage);
    if (count("prediction", this.#sampled.forward) < summary.samples) lacking.push("predictions");
    const explained = summary.samples * (this.explained === "all" ? this.classes.length : 1);
    for (const { name, maps, importances } of this.methods) {
      if (count("map", maps) < explained) lacking.push(`${name} maps`);
      if (count("scoring", importances) < explained) lacking.push(`${name} importances`);
    }
    return lacking;
  }
}

/** A run that was read from its folder, and owns the ledger that it opened. */
export interface StoredRun extends Disposable {
  readonly folder: string;
  readonly run: FinishedRun;
  readonly manifest: FinishedManifest;
  readonly verdicts: readonly VerdictRecord[];
  /** Where a picture of the run was, by the image's path in the run. */
  fileOf(path: string): string | undefined;
}

/**
 * Opens a finished run by its folder: `run.json`, and the ledger that it names.
 *
 * @throws {UsageError} when there is no run, or its ledger is gone or no longer holds all of it, naming what.
 */
export async function openFinishedRun(folder: string): Promise<StoredRun> {
  const manifest = await readManifest(folder);
  const path = fileOf(folder, manifest.ledger.file);
  if (!await isFile(path)) {
    throw new UsageError(
      `Cannot read the run of ${folder}: its ledger ${path} is missing; ${repeat(manifest)}`,
    );
  }
  const ledger = Ledger.open(path, { mustExist: true });
  try {
    const run = new FinishedRun(ledger, manifest.ledger.run, manifest);
    const lacking = run.lacks(manifest);
    if (lacking.length > 0) {
      throw new UsageError(
        `Cannot read the run of ${folder}: its ledger ${path} no longer holds ${
          lacking.join(", ")
        }; ${repeat(manifest)}`,
      );
    }
    const shipped = join(MODELS_FOLDER, "photos");
    const files = new Map(manifest.images.map((image) => [
      image.path,
      image.file === undefined ? join(shipped, image.path) : fileOf(folder, image.file),
    ]));
    return {
      folder,
      run,
      manifest,
      verdicts: manifest.axioms,
      fileOf: (image) => files.get(image),
      [Symbol.dispose]: () => ledger.close(),
    };
  } catch (error) {
    ledger.close();
    throw ledgerProblem(error, path);
  }
}

function repeat({ command }: Manifest): string {
  return `give the command again: ${command}`;
}
