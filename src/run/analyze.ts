/**
 * An analysis: from a corpus to a folder of tables and a report. It prints nothing: what a user should see is told to its caller.
 *
 * @module
 */

import { basename, join } from "node:path";
import { countRun, type MethodOutput, type RunOutput } from "../association/count_run.ts";
import { analysisRecord } from "../corpus/analysis_record.ts";
import { refuseConflictingBoxes } from "../corpus/conflicting_boxes.ts";
import { type Analysis, registerStages } from "../corpus/plan.ts";
import { streamCorpus, type StreamHooks, type StreamSummary } from "../corpus/stream.ts";
import { findImages } from "../corpora/find_images.ts";
import type { AxiomResult } from "../experiments/axioms/mod.ts";
import { failedAxioms } from "../experiments/failed_axioms.ts";
import { closeGpu } from "../gpu/device.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { FinishedRun } from "../ledger/finished_run.ts";
import { MANIFEST_FILE } from "../ledger/manifest.ts";
import { ledgerProblem } from "../ledger/problem.ts";
import { Ledger } from "../ledger/ledger.ts";
import { isOfStatistics, OUTPUTS, plannedOutputs, writeOutputs } from "../outputs/mod.ts";
import type { RunSummary } from "../outputs/output.ts";
import { paperSettings } from "../outputs/paper.ts";
import { MODELS_FOLDER } from "../runtime/card.ts";
import { prepareFolder, takeFolder } from "./folder.ts";
import { createManifest, writeManifest } from "./manifest.ts";
import { OUTPUT_FOLDERS, ownFolder, refuseForeignLedger } from "./own_files.ts";
import { openSetup, type Setup } from "./open.ts";
import { commandLine } from "./options/again.ts";
import { startWords } from "./start_words.ts";
import type { AnalyzeOptions } from "./options/mod.ts";
import { holdCache, LEDGER_FILE, RUN_LEDGER_FILE } from "./shared_cache.ts";
import { checkMethods, openAxiomContext, readAxioms, writeAxioms } from "./verdicts.ts";
import { pathFrom } from "../base/files.ts";
import { flag } from "../base/flag.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
import { defined } from "../base/defined.ts";

/** Name of the table of runs, in a folder that holds several. */
export const PRODUCT_FILE = "product.csv";

/** What an analysis can be given beside its options. */
export interface AnalyzeInput {
  /** Images that are known already, instead of those of its paths. */
  readonly images?: readonly CorpusImage[];
  /** All images of the corpus, where `images` are a part of it. */
  readonly corpus?: readonly CorpusImage[] | undefined;
  /** The ledger, where it is not that of its own folder: shared with other runs. */
  readonly ledger?: string;
  /** The folder from which relative paths of images and models start, instead of the working directory. */
  readonly base?: string | undefined;
}

/** A way to stop the work on images, until it is disposed of. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
}

/** What happens during an analysis. */
export interface AnalyzeEvents extends Pick<StreamHooks, "onProgress" | "onFailure" | "onChange"> {
  /** A line that a user should see. */
  onRemark?(line: string): void;
  /** Everything is open and checked; `reasons` say why results of before are computed again. */
  onStart?(setup: Setup, images: number, reasons: readonly string[]): void;
  onVerdict?(result: AxiomResult): void;
  /** The work on images begins, which can be stopped; the end of that work disposes of what it gives. */
  interruption?(): Interruption;
}

/** What came of an analysis. */
export type AnalyzeOutcome = InterruptedRun | FinishedAnalysis;

/** It was stopped. The same call continues from there. */
export interface InterruptedRun {
  readonly kind: "interrupted";
  readonly done: number;
  readonly total: number;
}

/** All its images were worked on, and its outputs written. */
export interface FinishedAnalysis {
  readonly kind: "finished";
  readonly summary: StreamSummary;
  readonly counted: RunOutput;
  /** Pictures that are in the corpus more than once. */
  readonly duplicates: number;
  /** Methods that fail on this classifier, with the axioms. */
  readonly failing: ReadonlyMap<string, readonly string[]>;
  /** What a reader of the outputs must know, a line each. */
  readonly remarks: readonly string[];
}

/**
 * Analyses a corpus, and writes what was found into the folder `out`.
 *
 * @param paths of images; none for the photographs that ship
 * @throws {UsageError} and ModelError before any work, when something asked for cannot be used.
 */
export async function analyze(
  paths: readonly string[],
  options: AnalyzeOptions,
  given: AnalyzeInput = {},
  events: AnalyzeEvents = {},
): Promise<AnalyzeOutcome> {
  const opened = await openRun(paths, options, given);
  try {
    return await analyzeOpened(opened, paths, options, given, events);
  } finally {
    try {
      await opened.setup.dispose();
    } finally {
      await closeGpu();
    }
  }
}

async function analyzeOpened(
  { images, setup }: OpenRun,
  paths: readonly string[],
  options: AnalyzeOptions,
  given: AnalyzeInput,
  events: AnalyzeEvents,
): Promise<AnalyzeOutcome> {
  const owned = await ownRun(paths, options, given, { images, setup });
  const tell = (lines: readonly string[]) => lines.forEach((line) => events.onRemark?.(line));
  const shipped = paths.length === 0;
  await prepareFolder(flag("out"), options.out);
  using taken = takeFolder(options.out, "analyze");
  tell(taken.remarks);
  using cache = given.ledger === undefined ? await holdCache(options) : undefined;
  if (cache) tell(cache.remarks);
  const ownLedger = join(options.out, LEDGER_FILE);
  const path = given.ledger ?? cache?.ledger ?? ownLedger;
  using ledger = Ledger.open(path, { fresh: options.fresh ?? false });
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
        command: commandLine(paths, options, undefined, startWords(given.base)),
        arguments: argumentsOf(paths, options),
        base: given.base,
        credits: shipped ? await shippedCredits() : [],
      },
      setup,
      record,
    );
    const run = ledger.startRun(manifest);
    // In a shared ledger other runs' settings are not changes.
    events.onStart?.(setup, images.length, given.ledger === undefined ? stages.reasons : []);
    if (options.check) {
      await using context = await openAxiomContext(
        setup,
        analysis.images,
        options,
        (path, reason) => events.onFailure?.(path, reason),
      );
      const checked = await checkMethods(
        context,
        setup.methods,
        (result) => events.onVerdict?.(result),
      );
      await writeAxioms(owned, setup, checked);
    }
    const axioms = await readAxioms(options.out, setup);
    const summary = await stream(analysis, ledger, run, stages, {
      ...events,
      // In a shared ledger, other images may have the same names.
      ...path === ownLedger ? {} : { onChange: () => {} },
    });
    if (summary.interrupted) {
      ledger.finishRun(run, "interrupted");
      return { kind: "interrupted", done: summary.done, total: summary.total };
    }
    const finished = new FinishedRun(ledger, run, manifest);
    const counted = countRun(finished);
    const ended = counts(summary, counted.methods);
    const files = new Map(images.map(({ path, file }) => [path, file]));
    // Until the new one is written, the folder holds an unfinished run.
    owned.removeOthers((name) =>
      name === MANIFEST_FILE || name === PRODUCT_FILE || isOfStatistics(name)
    );
    const remarks = await writeOutputs(owned, {
      run: finished,
      counted,
      summary: ended,
      verdicts: axioms,
      fileOf: (path) => files.get(path),
    }, OUTPUTS);
    const told = { ...manifest, notices: [...manifest.notices, ...remarks] };
    ledger.finishRun(run, "finished", { ...told, summary: ended, axioms });
    const copy = join(options.out, RUN_LEDGER_FILE);
    if (path !== ownLedger) ledger.copyRun(run, Object.values(manifest.stages), copy);
    // Last: it says that everything else is there.
    await writeManifest(owned, told, finished, {
      ledger: path === ownLedger ? path : copy,
      run,
      summary: ended,
      axioms,
      files: shipped ? undefined : files,
    });
    owned.tidy();
    return {
      kind: "finished",
      summary,
      counted,
      duplicates: ledger.duplicates(run).length,
      failing: failedAxioms(axioms, finished.methods),
      remarks,
    };
  } catch (error) {
    throw ledgerProblem(error, path);
  }
}

async function stream(
  analysis: Analysis,
  ledger: Ledger,
  run: number,
  stages: Parameters<typeof streamCorpus>[3],
  { interruption, onProgress, onFailure, onChange }: AnalyzeEvents,
): Promise<StreamSummary> {
  using stopping = interruption?.();
  return await streamCorpus(analysis, ledger, run, stages, {
    ...defined({ onProgress, onFailure, onChange }),
    ...stopping ? { signal: stopping.signal } : {},
  });
}

/**
 * Opens everything that a run needs and closes it again, so that one of several runs cannot stop when others have worked for hours.
 *
 * @throws {UsageError} and ModelError as `analyze`.
 */
export async function tryAnalyze(
  paths: readonly string[],
  options: AnalyzeOptions,
): Promise<void> {
  const opened = await openRun(paths, options, {});
  try {
    await ownRun(paths, options, { ledger: "" }, opened);
  } finally {
    await opened.setup.dispose();
  }
}

/** Everything that a run works with; its owner disposes of the setup. */
interface OpenRun {
  readonly images: readonly CorpusImage[];
  readonly setup: Setup;
}

async function openRun(
  paths: readonly string[],
  options: AnalyzeOptions,
  { images: given, corpus = given, base }: AnalyzeInput,
): Promise<OpenRun> {
  const remarks: string[] = [];
  const found = given ??
    await findImages(paths.length === 0 ? [join(MODELS_FOLDER, "photos")] : paths, {
      ...options.labels ? { labels: options.labels } : {},
      base,
      note: (notice) => remarks.push(notice),
    });
  const images = options.limit === undefined ? found : found.slice(0, options.limit);
  const setup = await openSetup(options, images, { base, corpus: corpus ?? found, found: remarks });
  try {
    // Names that are not known stop the run now, not at its end.
    if (options.preset) paperSettings(options, options.threshold, setup.detector.labels);
  } catch (error) {
    await setup.dispose();
    throw error;
  }
  return { images, setup };
}

/**
 * The folder of a run, where nothing in it is in the way.
 *
 * @throws {UsageError} when one of the user's files would be replaced, or one that the run reads.
 */
async function ownRun(
  paths: readonly string[],
  options: AnalyzeOptions,
  { base, ledger }: AnalyzeInput,
  { images, setup }: OpenRun,
): Promise<OwnedFolder> {
  const named = [...paths, options.classifier, options.detector];
  const outputs = plannedOutputs({
    methods: setup.methods.map(({ name }) => name),
    images: images.map(({ path }) => path),
    maps: options.maps ?? false,
    paper: options.preset !== undefined,
  });
  const owned = await ownFolder(options.out, {
    option: flag("out"),
    writes: (name) => outputs(name) || name === MANIFEST_FILE,
    folders: OUTPUT_FOLDERS,
    inputs: [...named.map((path) => pathFrom(base, path)), ...images.map(({ file }) => file)],
  });
  await refuseForeignLedger(
    options.out,
    ledger === undefined && options.cache === undefined ? LEDGER_FILE : RUN_LEDGER_FILE,
  );
  return owned;
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
    .map((line) => line.split("|").slice(1, -1).map((cell) => plainText(cell.trim())).join("; "));
}

/** Markdown as text: code without its marks, links as their targets, seen from the project's folder. */
function plainText(cell: string): string {
  return cell.replace(/`([^`]*)`/g, "$1").replace(/\[[^\]]*\]\(\.\.\/([^)]*)\)/g, "models/$1");
}
