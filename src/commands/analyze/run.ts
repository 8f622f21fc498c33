/**
 * `analyze`: from a corpus to object × class matrices.
 *
 * @module
 */

import { basename, join } from "node:path";
import type { Agreement } from "../../association/agreement.ts";
import { strongestAssociations } from "../../association/strongest.ts";
import { refuseConflictingBoxes } from "../../corpus/conflicting_boxes.ts";
import { findImages } from "../../corpora/find_images.ts";
import type { CorpusImage } from "../../image/image_file.ts";
import { Ledger } from "../../ledger/ledger.ts";
import { writeOutputs } from "../../outputs/mod.ts";
import { countRun, type MethodOutput } from "../../association/count_run.ts";
import { type Analysis, registerStages } from "../../corpus/plan.ts";
import { streamCorpus, type StreamSummary } from "../../corpus/stream.ts";
import { duration, plural } from "../../base/number_text.ts";
import { closeGpu } from "../../gpu/device.ts";
import { MODELS_FOLDER } from "../../runtime/card.ts";
import { checkMethods, openAxiomContext, readAxioms, writeAxioms } from "../../run/verdicts.ts";
import { prepareFolder, takeFolder } from "../../run/folder.ts";
import { createManifest, writeManifest } from "../../run/manifest.ts";
import { flag } from "../../base/flag.ts";
import { commandLine } from "../../run/options/again.ts";
import type { AnalyzeOptions } from "../../run/options/mod.ts";
import { failedAxioms } from "../../experiments/failed_axioms.ts";
import { methodLabels } from "../../association/labels.ts";
import { paperSettings } from "../../outputs/paper.ts";
import { layersText, openSetup, type Setup } from "../../run/open.ts";
import { holdCache, LEDGER_FILE, RUN_LEDGER_FILE } from "../../run/shared_cache.ts";
import {
  associationsText,
  createProgress,
  pairTable,
  printFailure,
  printRemarks,
  printVerdict,
  progressText,
} from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { INTERRUPTED } from "../exit_codes.ts";
import { FinishedRun } from "../../ledger/finished_run.ts";
import type { RunSummary } from "../../outputs/output.ts";
import { analysisRecord } from "../../corpus/analysis_record.ts";

/** Changed images that are named; the others are counted. */
const CHANGED = 5;

/**
 * Runs an analysis and prints what was found.
 *
 * @param given images that are known already, instead of those of `paths`; `quiet`: findings are not printed
 * @returns the exit status: 0 when all or some images succeeded, 1 when none did (or any failed under `strict`).
 * @throws {UsageError} and ModelError before any work, when something asked for cannot be used.
 */
export async function runAnalyze(
  paths: readonly string[],
  options: AnalyzeOptions,
  given: {
    readonly images?: readonly CorpusImage[];
    readonly quiet?: boolean;
    /** The ledger, where it is not that of --out: shared with other runs. */
    readonly ledger?: string;
  } = {},
): Promise<number> {
  const shipped = paths.length === 0;
  const { images, setup } = await openRun(paths, options, given.images);
  await prepareFolder(flag("out"), options.out);
  using taken = takeFolder(options.out, "analyze");
  printRemarks(taken.remarks);
  using cache = given.ledger === undefined ? await holdCache(options) : undefined;
  if (cache) printRemarks(cache.remarks);
  const path = given.ledger ?? cache?.ledger ?? join(options.out, LEDGER_FILE);
  using ledger = Ledger.open(path, {
    fresh: options.fresh ?? false,
  });
  try {
    const analysis: Analysis = {
      ...setup,
      images: await refuseConflictingBoxes(images, setup.detector),
      seed: options.seed,
      activationBudget: options.activationCache * 2 ** 20,
    };
    const stages = registerStages(ledger, analysis);
    const record = analysisRecord(analysis, stages, {
      threshold: options.threshold,
      target: options.target,
      layers: setup.layers.map(({ name }) => name),
    });
    const manifest = await createManifest(
      {
        title: shipped ? "The eight photographs that ship with emocam" : titleOf(paths),
        command: commandLine(paths, options),
        arguments: argumentsOf(paths, options),
        credits: shipped ? await shippedCredits() : [],
      },
      setup,
      record,
    );
    const run = ledger.startRun(manifest);
    // In a shared ledger other runs' settings are not changes.
    announce(setup, images.length, given.ledger === undefined ? stages.reasons : []);
    if (options.check) {
      await using context = await openAxiomContext(setup, analysis.images, options, printFailure);
      await writeAxioms(
        options.out,
        setup,
        await checkMethods(context, setup.methods, printVerdict),
      );
    }
    const axioms = await readAxioms(options.out, setup);
    const summary = await stream(analysis, ledger, run, stages, !given.ledger && !cache);
    if (summary.interrupted) {
      ledger.finishRun(run, "interrupted");
      console.error(
        `interrupted after ${summary.done} of ${
          plural(summary.total, "image")
        }; the same command continues from there`,
      );
      return INTERRUPTED;
    }
    ledger.finishRun(run, "finished", manifest);
    const finished = new FinishedRun(ledger, run, manifest);
    const counted = countRun(finished);
    const ended = counts(summary, counted.methods);
    const files = new Map(images.map(({ path, file }) => [path, file]));
    const remarks = await writeOutputs(options.out, {
      run: finished,
      counted,
      summary: ended,
      verdicts: axioms,
      fileOf: (path) => files.get(path),
    });
    const own = join(options.out, RUN_LEDGER_FILE);
    if (path !== join(options.out, LEDGER_FILE)) {
      ledger.copyRun(run, Object.values(manifest.stages), own);
    }
    const told = { ...manifest, notices: [...manifest.notices, ...remarks] };
    await writeManifest(options.out, told, finished, {
      ledger: path === join(options.out, LEDGER_FILE) ? path : own,
      run,
      summary: ended,
      axioms,
      files: shipped ? undefined : files,
    });
    ledger.finishRun(run, "finished", { ...told, summary: ended, axioms });
    const { methods: outputs, agreement } = counted;
    if (given.quiet) return summary.failed === summary.total ? 1 : 0;
    for (const remark of remarks) console.error(`note: ${remark}`);
    const failing = failedAxioms(axioms, finished.methods);
    printOutcome(
      options,
      summary,
      outputs,
      agreement,
      ledger.duplicates(run).length,
      failing,
    );
    for (const [method, failed] of failing) {
      console.log(
        `${method} fails on this classifier: ${failed.join(", ")} (the report has the figures)`,
      );
    }
    if (summary.failed === summary.total) return 1;
    return options.strict && summary.failed > 0 ? 1 : 0;
  } finally {
    await setup.dispose();
    await closeGpu();
  }
}

/**
 * Opens everything that a run needs and closes it again, so that one of several runs cannot stop when others have worked for hours.
 *
 * @throws {UsageError} and ModelError as `runAnalyze`.
 */
export async function tryAnalyze(
  paths: readonly string[],
  options: AnalyzeOptions,
): Promise<void> {
  const { setup } = await openRun(paths, options);
  await setup.dispose();
}

async function openRun(
  paths: readonly string[],
  options: AnalyzeOptions,
  given?: readonly CorpusImage[],
): Promise<{ images: readonly CorpusImage[]; setup: Setup }> {
  const found = given ??
    await findImages(paths.length === 0 ? [join(MODELS_FOLDER, "photos")] : paths, {
      ...options.labels ? { labels: options.labels } : {},
    });
  const images = options.limit === undefined ? found : found.slice(0, options.limit);
  const setup = await openSetup(options, images);
  // Names that are not known stop the run now, not at its end.
  if (options.preset) paperSettings(options, options.threshold, setup.detector.labels);
  return { images, setup };
}

/** Says what is about to happen, on standard error. */
function announce(setup: Setup, images: number, reasons: readonly string[]): void {
  const { backend, classifier, detector, layers, methods } = setup;
  const cut = layers.map(({ name, channels, height, width }) => ({
    name: `${name} (${channels}×${height}×${width})`,
  }));
  console.error(
    `${plural(images, "image")}; classifier ${classifier.card.name} cut at ` +
      `${layersText({ layers: cut })}, detector ${detector.name}, ` +
      `${
        methods.map(({ name }) => name).join(", ")
      }; backend ${backend.backend} (${backend.reason})`,
  );
  for (const notice of setup.notices) console.error(`note: ${notice}`);
  for (const reason of reasons) console.error(reason);
}

/** Streams with progress; Ctrl-C ends it after the current batch. */
async function stream(
  analysis: Analysis,
  ledger: Ledger,
  run: number,
  stages: Parameters<typeof streamCorpus>[3],
  ownLedger: boolean,
): Promise<StreamSummary> {
  const progress = createProgress();
  const started = performance.now();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  const changed: [path: string, from: string, to: string][] = [];
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    return await streamCorpus(analysis, ledger, run, stages, {
      onProgress: (at) =>
        progress.show(
          () => progressText(at, (performance.now() - started) / 1000),
          at.done === at.total,
        ),
      onFailure: printFailure,
      // In a shared ledger, other images may have the same names.
      ...ownLedger ? { onChange: (...change) => changed.push(change) } : {},
      signal: stop.signal,
    });
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    progress.end();
    for (const [path, from, to] of changed.slice(0, CHANGED)) {
      const hash = (text: string) => `${text.slice(0, 7)}…`;
      console.error(
        `${legible(path)} was computed again: sha256 changed from ${hash(from)} to ${hash(to)}`,
      );
    }
    if (changed.length > CHANGED) console.error(`… and ${changed.length - CHANGED} more`);
  }
}

/** The arguments as resolved, for the manifest. */
function argumentsOf(paths: readonly string[], options: AnalyzeOptions): Record<string, unknown> {
  return { command: "analyze", paths, ...options };
}

function counts(summary: StreamSummary, outputs: readonly MethodOutput[]): RunSummary {
  const { total, failed, samples, reused, timings } = summary;
  return {
    images: total,
    failed,
    samples,
    reused,
    boxes: outputs[0]?.boxes ?? 0,
    undefinedImportances: outputs.reduce((sum, { undefinedBoxes }) => sum + undefinedBoxes, 0),
    milliseconds: Object.fromEntries(
      Object.entries(timings).map(([stage, time]) => [stage, Math.round(time)]),
    ),
  };
}

function titleOf(paths: readonly string[]): string {
  return paths.length === 1
    ? basename(paths[0])
    : `${basename(paths[0])} and ${paths.length - 1} more`;
}

/** The credits of the photographs that ship, one a table row of their CREDITS.md. */
async function shippedCredits(): Promise<string[]> {
  const text = await Deno.readTextFile(join(MODELS_FOLDER, "photos", "CREDITS.md"));
  return text.split("\n").filter((line) => /^\|(?! file |-)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()).join("; "));
}

/** What was found, and where everything lies, on standard output. */
function printOutcome(
  options: AnalyzeOptions,
  summary: StreamSummary,
  outputs: readonly MethodOutput[],
  agreement: Agreement,
  duplicates: number,
  failing: ReadonlyMap<string, readonly string[]>,
): void {
  const [first] = outputs;
  const { samples } = first!.counts;
  const associations = strongestAssociations(outputs, new Set(failing.keys()));
  console.log(`\n${associationsText(associations, samples)}`);
  if (outputs.length > 1 && samples > 0) {
    const controls = new Set(outputs.filter(({ control }) => control).map(({ method }) => method));
    const label = methodLabels(controls, failing);
    console.log("\nCorrelation of box importances between methods:\n");
    console.log(
      pairTable(
        outputs.map(({ method }) => label(method)),
        (row, column) => agreement.correlation(row, column),
      ),
    );
  }
  const seconds = Object.values(summary.timings).reduce((a, b) => a + b, 0) / 1000;
  const failed = summary.failed > 0 ? `, ${summary.failed} failed (images.csv says why)` : "";
  console.log(
    `\n${plural(summary.total, "image")}${failed}, ${plural(summary.samples, "sample")}, ` +
      `${plural(first!.boxes, "box", "boxes")}; ` +
      `${plural(summary.reused, "image was", "images were")} computed before; ` +
      `${duration(seconds)} of work`,
  );
  if (duplicates > 0) {
    const are = duplicates === 1 ? "picture is" : "pictures are";
    console.log(`${duplicates} ${are} in the corpus more than once: each copy counts`);
  }
  const out = options.out;
  console.log(`matrices  ${join(out, "matrices")}`);
  console.log(`tables    ${join(out, "images.csv")}, predictions.csv, boxes.csv, run.json`);
  if (options.preset) console.log(`paper     ${join(out, "paper")}`);
  console.log(`report    ${join(out, "report.html")}`);
}
