/**
 * The axioms of a run's methods on its own classifier and pictures, and the file that keeps the verdicts.
 *
 * @module
 */

import { join } from "node:path";
import { ImageError, messageOf, UsageError } from "../base/errors.ts";
import { canonicalJson, type Json, sha256 } from "../base/json.ts";
import { floats, sizeOf } from "../base/tensor.ts";
import { openClassifier } from "../classifier/open.ts";
import { type CorpusImage, readPicture } from "../image/image_file.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
import { type ReadySample, samplesOfImage } from "../attribution/samples_of_image.ts";
import { type AxiomContext, type AxiomResult, checkAxioms } from "../experiments/axioms/mod.ts";
import { createCompute } from "../gpu/create_compute.ts";
import { findGpu } from "../gpu/device.ts";
import type { Method } from "../methods/mod.ts";
import type { Backend } from "../runtime/session.ts";
import type { ExplainOptions } from "./options/mod.ts";
import type { Setup } from "./open.ts";
import type { ClassChoice } from "../attribution/request.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { TargetChoice } from "../classifier/target.ts";
import { flag } from "../base/flag.ts";

/** Name of the file of verdicts in a run's folder. */
const FILE = "axioms.json";

/** A verdict and what it holds for: classifier, layer, target, settings of the method. */
interface AxiomRecord extends AxiomResult {
  readonly key: string;
}

/** What verdicts depend on: a run's setup, or what its manifest says of it. */
export interface VerdictScope {
  readonly classifier: Pick<Classifier, "key" | "placementRule">;
  readonly classes: ClassChoice;
  readonly methods: readonly {
    readonly name: string;
    readonly settings?: Readonly<Record<string, Json>>;
    readonly target?: TargetChoice;
  }[];
  readonly target: TargetChoice;
}

/** Told of an image that cannot be used: its path, and why. */
export type OnFailure = (path: string, reason: string) => void;

/** An axiom context that owns what it opened. */
export type OwnedAxiomContext = AxiomContext & AsyncDisposable;

/**
 * What axioms are checked on: the first samples of the images, as many as a batch holds, and the class that is explained (by default the predicted
 * one of each). Images that cannot be used are passed over.
 *
 * @param onFailure is told of each of them
 * @throws {UsageError} when there is no sample, or the run's folder has a damaged file of verdicts.
 */
export async function openAxiomContext(
  setup: Setup,
  images: readonly CorpusImage[],
  options: ExplainOptions & { readonly seed: number; readonly out?: string },
  onFailure: OnFailure,
): Promise<OwnedAxiomContext> {
  // A file that cannot be added to is found out before the work, not after it.
  if (options.out !== undefined) await readRecords(options.out);
  const samples = await firstSamples(setup, images, onFailure);
  const { classifier, compute, target } = setup;
  const size = sizeOf(classifier.inputShape);
  const data = new Float32Array(samples.length * size);
  samples.forEach(({ input }, i) => data.set(input, i * size));
  const inputs = floats([samples.length, ...classifier.inputShape], data);
  const forward = await classifier.forward(inputs);
  const count = classifier.classes.length;
  const chosen = setup.classes;
  const classes = samples.map((_, row) => {
    if (typeof chosen === "number") return chosen;
    const own = forward.probabilities.data.subarray(row * count, (row + 1) * count);
    // The first where they are not numbers: its maps will say so.
    return Math.max(0, own.indexOf(Math.max(...own)));
  });
  forward.dispose();
  let other: ReturnType<typeof openOther> | undefined;
  return {
    classifier,
    compute,
    inputs,
    keys: samples.map(({ key }) => key),
    classes,
    target,
    seed: options.seed,
    other: () => other ??= openOther(classifier),
    async [Symbol.asyncDispose]() {
      await other?.then(({ classifier }) => classifier.dispose());
    },
  };
}

async function firstSamples(
  setup: Setup,
  images: readonly CorpusImage[],
  onFailure: OnFailure,
): Promise<ReadySample[]> {
  const samples: ReadySample[] = [];
  for (const image of images) {
    try {
      samples.push(
        ...(await samplesOfImage(setup, await readPicture(image, setup.orientation))).samples,
      );
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      onFailure(image.path, error.message);
    }
    if (samples.length >= setup.classifier.batch) break;
  }
  if (samples.length === 0) {
    throw new UsageError(
      `Cannot check ${setup.classifier.card.name}: no sample in ${images.length} images; give other images, or ${
        flag("samples")
      } image`,
    );
  }
  return samples.slice(0, setup.classifier.batch);
}

/** The classifier on another backend: the CPU for WebGPU; for the CPU a hardware GPU, else WebAssembly. */
async function openOther(own: Classifier) {
  const gpu = own.backend === "webgpu" ? undefined : await findGpu();
  const backend: Backend = own.backend === "webgpu"
    ? "native"
    : gpu && !gpu.software
    ? "webgpu"
    : own.backend === "native"
    ? "wasm"
    : "native";
  const classifier = await openClassifier(own.source, {
    backend,
    batch: own.batch,
    layer: own.layer.name,
    placement: own.placementRule,
  });
  return { classifier, compute: await createCompute(backend === "webgpu" ? "gpu" : "cpu") };
}

/**
 * Checks the methods.
 *
 * @param onVerdict is told of each verdict at once, since some methods take long
 */
export async function checkMethods(
  context: AxiomContext,
  methods: readonly Method[],
  onVerdict: (result: AxiomResult) => void,
): Promise<AxiomResult[]> {
  const results: AxiomResult[] = [];
  const contexts = new Map([[context.target, context]]);
  for (const method of methods) {
    const target = method.target ?? context.target;
    const own = contexts.get(target) ?? { ...context, target };
    contexts.set(target, own);
    for await (const result of checkAxioms(own, [method])) {
      results.push(result);
      onVerdict(result);
    }
  }
  return results;
}

/** Adds verdicts to those that a run's folder holds, in the place of older ones of the same methods and settings. */
export async function writeAxioms(
  folder: OwnedFolder,
  setup: Setup,
  results: readonly AxiomResult[],
): Promise<void> {
  const key = keys(setup);
  const made = results.map((result): AxiomRecord => ({ ...result, key: key(result.method) }));
  const replaced = new Set(made.map(({ key }) => key));
  const kept = (await readRecords(folder.folder)).filter((record) => !replaced.has(record.key));
  // A list of verdicts is ours, whoever put it there: what it says is kept.
  if (folder.find(FILE) === "foreign") folder.adopt(FILE);
  await folder.write(FILE, JSON.stringify([...kept, ...made], null, 1) + "\n");
}

/** The verdicts of a run's folder that hold for these methods on this classifier; none where they were never checked. */
export async function readAxioms(folder: string, scope: VerdictScope): Promise<AxiomResult[]> {
  const key = keys(scope);
  const names = new Map(scope.methods.map(({ name }) => [key(name), name]));
  return (await readRecords(folder))
    .filter((record) => names.get(record.key) === record.method)
    .map(({ key: _, ...result }) => result);
}

async function readRecords(folder: string): Promise<AxiomRecord[]> {
  try {
    const records: unknown = JSON.parse(await Deno.readTextFile(join(folder, FILE)));
    if (!Array.isArray(records)) throw new SyntaxError("it is not a list");
    const bad = records.findIndex((record) => !isRecord(record));
    if (bad >= 0) throw new SyntaxError(`its entry ${bad} is not a verdict`);
    return records;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new UsageError(
      `Cannot read ${join(folder, FILE)}: ${messageOf(error)}; remove it, and check again`,
    );
  }
}

function isRecord(value: unknown): value is AxiomRecord {
  if (typeof value !== "object" || value === null) return false;
  const { key, axiom, source, method, bound, verdict, value: figure } = value as Partial<
    AxiomRecord
  >;
  const limit: unknown = bound && Object.values(bound)[0];
  return [key, axiom, source, method].every((text) => typeof text === "string") &&
    typeof limit === "number" && ["holds", "fails", "skipped"].includes(verdict!) &&
    (figure === undefined || typeof figure === "number");
}

/** What the verdict on a method depends on, as one hash. */
function keys({ classifier, classes, methods, target }: VerdictScope): (method: string) => string {
  return (name) => {
    const method = methods.find((method) => method.name === name);
    return sha256(canonicalJson({
      classifier: classifier.key,
      placement: classifier.placementRule,
      target: method?.target ?? target,
      // Checked on the predicted classes, a verdict holds for whatever a run explains.
      ...typeof classes === "number" ? { class: classes } : {},
      method: name,
      settings: method?.settings ?? null,
    }));
  };
}
