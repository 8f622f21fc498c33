/** Analyses through the API, with all model calls counted, for tests of what is computed and what is not. */

import { join } from "node:path";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import type { CorpusImage } from "../../src/image/image_file.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { OUTPUTS, writeOutputs } from "../../src/outputs/mod.ts";
import { type Analysis, registerStages, type Stages } from "../../src/corpus/plan.ts";
import { streamCorpus, type StreamHooks, type StreamSummary } from "../../src/corpus/stream.ts";
import { boxesDetector, type Detector, readBoxes } from "../../src/detectors/mod.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { METHODS } from "../../src/methods/mod.ts";
import { FinishedRun } from "../../src/ledger/finished_run.ts";
import type { Manifest } from "../../src/ledger/manifest.ts";
import type { RunToWrite } from "../../src/outputs/output.ts";
import { analysisRecord } from "../../src/corpus/analysis_record.ts";
import { countRun } from "../../src/association/count_run.ts";

/** How often the models were called; `resumed` counts batches that started from stored activations. */
export interface Calls {
  detections: number;
  forwards: number;
  resumed: number;
  gradients: number;
}

/** Counters at zero. */
export const noCalls = (): Calls => ({ detections: 0, forwards: 0, resumed: 0, gradients: 0 });

/** A shipped classifier whose calls are counted. */
export async function countedClassifier(
  name: string,
  calls: Calls,
  batch = 4,
): Promise<Classifier> {
  const classifier = await openClassifier(await findClassifier(name), { backend: "native", batch });
  return {
    ...classifier,
    forward(input) {
      calls.forwards++;
      return classifier.forward(input);
    },
    resume(...stored) {
      calls.resumed++;
      return classifier.resume(...stored);
    },
    gradient(...asked) {
      calls.gradients++;
      return classifier.gradient(...asked);
    },
  };
}

/** A file of boxes whose look-ups for pictures are counted. */
export async function countedBoxes(
  file: string,
  images: readonly CorpusImage[],
  calls: Calls,
): Promise<Detector> {
  const table = readBoxes(await Deno.readFile(file), "boxes.csv");
  const detector = boxesDetector(table, images.map(({ path }) => path));
  return {
    ...detector,
    detect(image, path) {
      calls.detections++;
      return detector.detect(image, path);
    },
  };
}

/** Images of a folder by their names, in the order given. */
export function imagesOf(folder: string, names: readonly string[]): CorpusImage[] {
  return names.map((path) => ({ path, file: join(folder, path) }));
}

/** Methods by name. */
export const methodsOf = (...names: string[]) =>
  METHODS.filter((method) => names.includes(method.name));

/** An analysis of whole images by Grad-CAM of the predicted class; `changes` say otherwise. */
export async function analysisOf(
  needed: Pick<Analysis, "images" | "classifier" | "detector">,
  changes: Partial<Analysis> = {},
): Promise<Analysis> {
  return {
    ...needed,
    samples: "image",
    methods: methodsOf("grad-cam"),
    target: "logit",
    seed: 0,
    classes: "predicted",
    boxMean: "exact",
    orientation: "exif",
    compute: await createCompute("cpu"),
    activationBudget: 2 ** 30,
    ...changes,
  };
}

/** Runs an analysis in a folder, as the command `analyze` does, and writes its tables. */
export async function runIn(
  folder: string,
  analysis: Analysis,
  hooks: StreamHooks = {},
  threshold = 0.3,
): Promise<{ summary: StreamSummary; reasons: readonly string[] }> {
  await Deno.mkdir(folder, { recursive: true });
  using ledger = Ledger.open(join(folder, "ledger.sqlite"));
  const stages = registerStages(ledger, analysis);
  const run = ledger.startRun({});
  const summary = await streamCorpus(analysis, ledger, run, stages, hooks);
  if (!summary.interrupted) {
    await writeOutputs(
      folder,
      toWrite(finishedRun(ledger, run, analysis, stages, threshold)),
      OUTPUTS,
    );
  }
  return { summary, reasons: stages.reasons };
}

/** A run through the API as a finished one, with a manifest that says of its surroundings what can be said in a test. */
export function finishedRun(
  ledger: Ledger,
  run: number,
  analysis: Analysis,
  stages: Stages,
  threshold = 0.3,
  args: Manifest["arguments"] = {},
): FinishedRun {
  return new FinishedRun(ledger, run, {
    emocam: "0",
    command: "deno task analyze",
    arguments: args,
    from: ".",
    title: "a test",
    settings: {},
    versions: {},
    machine: {},
    environment: {},
    backend: { name: "native", reason: "asked for" },
    models: [],
    credits: [],
    notices: [],
    ...analysisRecord(analysis, stages, { threshold, target: analysis.target }),
  });
}

/** A finished run with what its outputs are made of; no picture is found again. */
export function toWrite(run: FinishedRun): RunToWrite {
  const counted = countRun(run);
  const images = [...run.images()];
  return {
    run,
    counted,
    summary: {
      images: images.length,
      failed: images.filter(({ status }) => status === "failed").length,
      samples: counted.methods[0].counts.samples,
      reused: 0,
      boxes: counted.methods[0].boxes,
      undefinedImportances: 0,
      milliseconds: {},
    },
    verdicts: [],
    fileOf: () => undefined,
  };
}
