/**
 * `check`: the axioms of each method on a user's model.
 *
 * @module
 */

import { join } from "node:path";
import { ImageError, UsageError } from "../base/errors.ts";
import { floats, sizeOf } from "../base/tensor.ts";
import { openClassifier } from "../classifier/classifier.ts";
import { findClassifier } from "../classifier/source.ts";
import { type CorpusImage, findImages } from "../corpus/images.ts";
import { type ReadySample, samplesOfImage } from "../corpus/samples_of_image.ts";
import { type AxiomContext, type AxiomResult, checkAxioms } from "../experiments/axioms/mod.ts";
import { cascade, type CascadeStep } from "../experiments/cascade.ts";
import { createCompute } from "../gpu/compute.ts";
import { closeGpu, findGpu } from "../gpu/device.ts";
import { MODELS_FOLDER } from "../runtime/card.ts";
import type { Backend } from "../runtime/session.ts";
import { type ExplainOptions, openSetup, type Setup } from "./setup.ts";
import { textTable } from "./terminal.ts";

/** Options of `check`, parsed. */
export interface CheckOptions extends ExplainOptions {
  readonly seed: number;
  readonly cascade?: boolean;
  readonly json?: boolean;
}

/**
 * Checks the axioms and prints a table of figures and verdicts.
 *
 * @returns the exit status: 0 when every axiom that could be checked holds (those of controls aside), 1 when one fails.
 * @throws {UsageError} when no sample can be had, or an option cannot be used.
 */
export async function runCheck(paths: readonly string[], options: CheckOptions): Promise<number> {
  const images = await findImages(paths.length > 0 ? paths : [join(MODELS_FOLDER, "photos")]);
  const setup = await openSetup(options, images);
  const others: { dispose(): Promise<void> }[] = [];
  try {
    const samples = await firstSamples(setup, images);
    const context = await contextOf(setup, options, samples, others);
    for (const notice of setup.notices) console.error(`note: ${notice}`);
    const results: AxiomResult[] = [];
    for await (const result of checkAxioms(context, setup.methods)) {
      results.push(result);
      // Some methods take long: what is done is said at once.
      console.error(`${result.method}: ${result.axiom}: ${result.verdict}`);
    }
    const steps = options.cascade ? await Array.fromAsync(cascade(context, setup.methods)) : [];
    if (options.json) console.log(JSON.stringify({ axioms: results, cascade: steps }, null, 1));
    else {
      console.log(
        `${setup.classifier.card.name}, layer ${setup.classifier.layer.name}, target ${options.target}, ` +
          `${samples.length} samples, backend ${setup.backend.backend}\n`,
      );
      console.log(resultTable(results));
      if (steps.length > 0) {
        console.log(
          "\nCorrelation with the trained model's maps, layers re-drawn from the output down:\n",
        );
        console.log(cascadeTable(setup.methods.map(({ name }) => name), steps));
      }
    }
    // A control is there to fail: it decides nothing.
    const controls = setup.methods.filter(({ family }) => family === "control");
    const failed = results.filter(({ verdict, method }) =>
      verdict === "fails" && !controls.some(({ name }) => name === method)
    );
    return failed.length > 0 ? 1 : 0;
  } finally {
    for (const other of others) await other.dispose();
    await setup.dispose();
    await closeGpu();
  }
}

/** The first samples of the images, as many as a batch holds. Images that cannot be used are passed over. */
async function firstSamples(
  setup: Setup,
  images: readonly CorpusImage[],
): Promise<ReadySample[]> {
  const samples: ReadySample[] = [];
  for (const image of images) {
    try {
      samples.push(...(await samplesOfImage(setup, image)).samples);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
    }
    if (samples.length >= setup.classifier.batch) break;
  }
  if (samples.length === 0) {
    throw new UsageError(
      `Cannot check ${setup.classifier.card.name}: no sample in ${images.length} images; give other images, or --samples image`,
    );
  }
  return samples.slice(0, setup.classifier.batch);
}

async function contextOf(
  { classifier, compute, target }: Setup,
  options: CheckOptions,
  samples: readonly ReadySample[],
  others: { dispose(): Promise<void> }[],
): Promise<AxiomContext> {
  const size = sizeOf(classifier.inputShape);
  const data = new Float32Array(samples.length * size);
  samples.forEach(({ input }, i) => data.set(input, i * size));
  const inputs = floats([samples.length, ...classifier.inputShape], data);
  const forward = await classifier.forward(inputs);
  const count = classifier.classes.length;
  const classes = samples.map((_, row) => {
    const own = forward.probabilities.data.subarray(row * count, (row + 1) * count);
    return own.indexOf(Math.max(...own));
  });
  forward.dispose();
  let other: ReturnType<AxiomContext["other"]> | undefined;
  return {
    classifier,
    compute,
    inputs,
    keys: samples.map(({ key }) => key),
    classes,
    target,
    seed: options.seed,
    other: () => other ??= openOther(classifier.backend, options, others),
  };
}

/** The classifier on another backend: the CPU for WebGPU; for the CPU a hardware GPU, else WebAssembly. */
async function openOther(
  own: Backend,
  options: CheckOptions,
  others: { dispose(): Promise<void> }[],
): ReturnType<AxiomContext["other"]> {
  const gpu = own === "webgpu" ? undefined : await findGpu();
  const backend: Backend = own === "webgpu"
    ? "native"
    : gpu && !gpu.software
    ? "webgpu"
    : own === "native"
    ? "wasm"
    : "native";
  const classifier = await openClassifier(await findClassifier(options.classifier), {
    backend,
    batch: options.batch,
    layer: options.layer?.[0],
    placement: options.placement,
  });
  others.push(classifier);
  return { classifier, compute: await createCompute(backend === "webgpu" ? "gpu" : "cpu") };
}

function resultTable(results: readonly AxiomResult[]): string {
  return textTable(
    ["method", "axiom", "figure", "bound", "verdict", "how it is measured, or why it is skipped"],
    results.map(({ method, axiom, value, bound, verdict, source, reason }) => [
      method,
      axiom,
      value === undefined ? "" : value.toPrecision(3),
      "atMost" in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`,
      verdict,
      reason ?? source,
    ]),
  );
}

function cascadeTable(methods: readonly string[], steps: readonly CascadeStep[]): string {
  return textTable(
    [
      "method",
      ...steps.map(({ layers }, i) => i === steps.length - 1 ? `all ${layers}` : String(layers)),
    ],
    methods.map((name, m) => [
      name,
      ...steps.map(({ correlations }) =>
        Number.isNaN(correlations[m]!) ? "n/a" : correlations[m]!.toFixed(2)
      ),
    ]),
  );
}
