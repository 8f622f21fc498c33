/**
 * `explain`: what a classifier sees in a few images, or in ready input tensors.
 *
 * @module
 */

import { basename, join } from "node:path";
import { mapConcurrently } from "../base/concurrency.ts";
import { ImageError, messageOf, UsageError } from "../base/errors.ts";
import { fileNames } from "../base/file_names.ts";
import { readNpy, writeNpy } from "../base/npy.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import { headValues } from "../classifier/heads.ts";
import { type BatchSample, type MapResult, runBatch, type SampleResult } from "../corpus/batch.ts";
import { type CorpusImage, findImages } from "../corpus/images.ts";
import type { Analysis } from "../corpus/plan.ts";
import { samplesOfImage } from "../corpus/samples_of_image.ts";
import { type Sample, sizeOfRegion } from "../corpus/sampler.ts";
import type { Box } from "../detectors/mod.ts";
import { overlay } from "../figures/mod.ts";
import { closeGpu } from "../gpu/device.ts";
import type { RgbImage } from "../image/image.ts";
import { svgToPng } from "../image/render.ts";
import { gridOf } from "../methods/mod.ts";
import { prepareFolder } from "./folder.ts";
import { finalMapsOf, sampleFigure } from "./sample_figures.ts";
import { type ExplainOptions, openSetup, type Setup } from "./setup.ts";
import { printable, textTable } from "./terminal.ts";

/** Options of `explain`, parsed. */
export interface ExplainRunOptions extends ExplainOptions {
  readonly threshold: number;
  readonly seed: number;
  /** Folder of the overlays. */
  readonly out: string;
  readonly json?: boolean;
  /** Folder of raw and final maps. */
  readonly maps?: string;
}

/** One sample that was explained. */
interface Explained {
  /** Path of the image or tensor file, and the place in it. */
  readonly path: string;
  readonly index: number;
  readonly result: SampleResult;
  /** Absent for a tensor. */
  readonly picture?: { sample: Sample; boxes: readonly Box[] };
  /** Files, one a map. */
  overlays: readonly string[];
}

/** Overlays that are drawn at a time. */
const DRAWN_AT_ONCE = 3;
/** Classes listed in the terminal for each sample. */
const LISTED = 3;

/**
 * Explains images or `.npy` tensors, prints what was found, and writes overlays and maps.
 *
 * @returns the exit status: 0 when all or some inputs succeeded, 1 when none did.
 * @throws {UsageError} and ModelError when something asked for cannot be used.
 */
export async function runExplain(
  paths: readonly string[],
  options: ExplainRunOptions,
): Promise<number> {
  const arrays = paths.filter((path) => path.toLowerCase().endsWith(".npy"));
  if (arrays.length > 0 && arrays.length < paths.length) {
    throw new UsageError(
      `Cannot explain images and .npy tensors together: ${paths.length} paths, ${arrays.length} of them .npy`,
    );
  }
  const tensors = await Promise.all(
    arrays.map(async (path) => ({ path, input: await readInput(path) })),
  );
  const images = arrays.length > 0 ? [] : await findImages(paths);
  const setup = await openSetup(options, images, tensors[0]?.input.shape.slice(1));
  try {
    if (images.length > 0) await prepareFolder("--out", options.out);
    if (options.maps !== undefined) await prepareFolder("--maps", options.maps);
    const analysis: Analysis = { ...setup, images, seed: options.seed, activationBudget: 0 };
    const explained: Explained[] = [];
    const nameOf = fileNames();
    let failed = 0;
    for (const { path, input } of tensors) {
      explained.push(...await explainTensor(analysis, path, input));
    }
    for (const image of images) {
      try {
        const { picture, samples } = await explainImage(analysis, image);
        await writeOverlays(setup, picture, samples, nameOf, options);
        explained.push(...samples);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        console.error(`failed: ${printable(image.path)}: ${printable(error.message)}`);
        failed++;
      }
    }
    if (options.maps !== undefined) await writeMapArrays(setup, explained, options.maps);
    for (const notice of setup.notices) console.error(`note: ${notice}`);
    console.log(
      options.json
        ? JSON.stringify(asJson(setup, explained, options), null, 1)
        : asText(setup, explained, options),
    );
    return failed > 0 && failed === images.length ? 1 : 0;
  } finally {
    await setup.dispose();
    await closeGpu();
  }
}

/** A ready input [N, C, H, W], float32. @throws {UsageError} for anything else. */
async function readInput(path: string): Promise<Tensor> {
  try {
    const value = readNpy(await Deno.readFile(path));
    if (value.type === "float32" && value.shape.length === 4 && value.shape[0]! > 0) return value;
    throw new SyntaxError(`${value.type} of shape [${value.shape}], not float32 [N, C, H, W]`);
  } catch (error) {
    throw new UsageError(`Cannot use the input tensor ${path}: ${messageOf(error)}`);
  }
}

async function explainTensor(
  analysis: Analysis,
  path: string,
  input: Tensor,
): Promise<Explained[]> {
  const { classifier } = analysis;
  const [n, ...shape] = input.shape;
  if (shape.join() !== classifier.inputShape.join()) {
    throw new UsageError(
      `Cannot use the input tensor ${path}: its shape is [${input.shape}], model ${classifier.card.name} takes [N, ${
        classifier.inputShape.join(", ")
      }]`,
    );
  }
  const size = input.data.length / n!;
  const samples = Array.from({ length: n! }, (_, row): BatchSample => ({
    key: `${basename(path)}#${row}`,
    source: { kind: "forward", input: input.data.subarray(row * size, (row + 1) * size) },
    boxes: [],
    size: { width: classifier.inputShape[2], height: classifier.inputShape[1] },
    methods: [...analysis.methods.keys()],
  }));
  const results = await runAll(analysis, samples);
  return results.map((result, index) => ({ path, index, result, overlays: [] }));
}

async function explainImage(
  analysis: Analysis,
  image: CorpusImage,
): Promise<{ picture: RgbImage; samples: Explained[] }> {
  const { image: picture, boxes, samples } = await samplesOfImage(analysis, image);
  const methods = [...analysis.methods.keys()];
  const work = samples.map(({ key, input, boxes, sample }): BatchSample => ({
    key,
    source: { kind: "forward", input },
    boxes,
    size: sizeOfRegion(sample),
    methods,
  }));
  const results = await runAll(analysis, work);
  const explained = results.map((result, index): Explained => ({
    path: image.path,
    index,
    result,
    picture: { sample: samples[index]!.sample, boxes },
    overlays: [],
  }));
  return { picture, samples: explained };
}

async function runAll(
  analysis: Analysis,
  samples: readonly BatchSample[],
): Promise<SampleResult[]> {
  const results: SampleResult[] = [];
  const { batch } = analysis.classifier;
  for (let from = 0; from < samples.length; from += batch) {
    const timings = { forward: 0, explain: 0, score: 0 };
    results.push(...await runBatch(analysis, samples.slice(from, from + batch), false, timings));
  }
  return results;
}

/** The boxes of a map with their importance. */
function scoredBoxes({ picture }: Explained, scores: SampleResult["maps"][number]["scores"]) {
  return scores.map(({ box, importance, share }) => ({
    ...picture!.boxes[box]!,
    importance,
    share,
  }));
}

/** Draws the maps of one picture's samples, some at a time: encoding runs on other threads. */
async function writeOverlays(
  { classifier, compute, methods, samples }: Setup,
  image: RgbImage,
  explained: readonly Explained[],
  nameOf: (text: string) => string,
  { out, threshold }: ExplainRunOptions,
): Promise<void> {
  const whole = samples === "image";
  const fileOf = (item: Explained, { method, target }: MapResult) => {
    const stem = item.path.replace(/\.[^./]*$/, "");
    const parts = [stem, item.index, methods[method]!.name, classifier.classes[target]!];
    return join(out, `${nameOf(parts.join("."))}.png`);
  };
  const draw = async (
    item: Explained,
    { method: m, target, map, scores }: MapResult,
    file: string,
  ) => {
    const { predicted, probabilities } = item.result.prediction;
    const method = methods[m]!;
    const name = classifier.classes[target]!;
    const data = await sampleFigure(compute, classifier, method, {
      title: `${method.title}, ${name}`,
      subtitle: `${basename(item.path)}${whole ? "" : `, face ${item.index + 1}`}; predicted ${
        classifier.classes[predicted]
      } (${probabilities[predicted]!.toFixed(2)})`,
      image,
      region: item.picture!.sample.region,
      whole,
      raw: map!,
      boxes: scoredBoxes(item, scores),
      threshold,
      width: whole ? Math.min(960, Math.max(480, image.width)) : 480,
    });
    await Deno.writeFile(file, await svgToPng(overlay(data, { text: "outlines" })));
    return file;
  };
  // Names are given in order, before the drawing, which may end in any.
  const maps = explained.flatMap((item) =>
    item.result.maps.map((map) => ({ item, map, file: fileOf(item, map) }))
  );
  const files = await mapConcurrently(
    maps,
    DRAWN_AT_ONCE,
    ({ item, map, file }) => draw(item, map, file),
  );
  for (const item of explained) item.overlays = files.filter((_, i) => maps[i]!.item === item);
}

/**
 * `METHOD.npy` ([N, h, w], before ReLU and normalisation) and `METHOD.final.npy` ([N, H, W], as used for scoring, at the
 * classifier's input size); with all classes [N, K, …].
 */
async function writeMapArrays(
  { classifier, compute, methods, classes }: Setup,
  explained: readonly Explained[],
  folder: string,
): Promise<void> {
  const { inputShape } = classifier;
  const perSample = classes === "all" ? [classifier.classes.length] : [];
  for (const [m, method] of methods.entries()) {
    const maps = explained.flatMap(({ result }) => result.maps.filter((map) => map.method === m));
    const { height, width } = gridOf(method, classifier);
    const size = height * width;
    const raw = new Float32Array(maps.length * size);
    maps.forEach(({ map }, i) => raw.set(map!.raw, i * size));
    const leading = [explained.length, ...perSample];
    const final = await finalMapsOf(compute, classifier, method, raw);
    await Deno.writeFile(
      join(folder, `${method.name}.npy`),
      writeNpy(floats([...leading, height, width], raw)),
    );
    await Deno.writeFile(
      join(folder, `${method.name}.final.npy`),
      writeNpy(floats([...leading, inputShape[1], inputShape[2]], final)),
    );
  }
}

function asJson(
  { classifier, methods, target, backend, samples }: Setup,
  explained: readonly Explained[],
  { threshold }: ExplainRunOptions,
): unknown {
  const { classes, layer } = classifier;
  const number = (value: number) => Number.isFinite(value) ? value : null;
  return {
    classifier: classifier.card.name,
    sha256: classifier.key.model,
    layer: layer.name,
    placement: classifier.placementRule,
    target,
    samples,
    threshold,
    backend: backend.backend,
    results: explained.map((item) => {
      const { prediction, maps } = item.result;
      return {
        path: item.path,
        sample: item.index,
        ...(item.picture ? { region: item.picture.sample.region } : {}),
        predicted: classes[prediction.predicted],
        ...(classifier.card.heads
          ? { heads: headValues(classifier.card, prediction.probabilities) }
          : {}),
        scores: classes.map((name, k) => ({
          class: name,
          probability: number(prediction.probabilities[k]!),
          ...(prediction.logits ? { logit: number(prediction.logits[k]!) } : {}),
        })),
        maps: maps.map(({ method, target: k, scores }, i) => ({
          method: methods[method]!.name,
          class: classes[k],
          ...(item.overlays[i] ? { overlay: item.overlays[i] } : {}),
          boxes: item.picture
            ? scoredBoxes(item, scores).map((
              { label, confidence, x0, y0, x1, y1, importance, share },
            ) => ({
              label,
              confidence,
              x0,
              y0,
              x1,
              y1,
              importance: number(importance),
              share,
            }))
            : [],
        })),
      };
    }),
  };
}

function asText(
  { classifier, methods, samples }: Setup,
  explained: readonly Explained[],
  { threshold, maps }: ExplainRunOptions,
): string {
  const { card, classes } = classifier;
  const parts = explained.map((item) => {
    const { probabilities } = item.result.prediction;
    const best = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!);
    const listed = best.slice(0, LISTED).map((k) =>
      `${classes[k]} ${probabilities[k]!.toFixed(3)}`
    );
    const place = !item.picture
      ? `, row ${item.index}`
      : samples === "faces"
      ? `, face ${item.index + 1}`
      : "";
    const heads = Object.entries(headValues(card, probabilities))
      .map(([name, value]) => `${name} ${value.toFixed(2)}`);
    const lines = [`${printable(item.path)}${place}: ${[...listed, ...heads].join(", ")}`];
    item.result.maps.forEach(({ method, target, scores }, i) => {
      if (!item.picture) return;
      lines.push(`  ${methods[method]!.name}, ${classes[target]}  ${item.overlays[i] ?? ""}`);
      const rows = scoredBoxes(item, scores).sort((a, b) => b.importance - a.importance)
        .map(({ label, confidence, importance }) => [
          importance > threshold ? "*" : "",
          printable(label),
          Number.isNaN(importance) ? "n/a" : importance.toFixed(3),
          confidence.toFixed(2),
        ]);
      if (rows.length === 0) lines.push("    no boxes");
      else {lines.push(
          textTable(["", "object", "importance", "confidence"], rows).replace(/^/gm, "    "),
        );}
    });
    return lines.join("\n");
  });
  if (parts.length === 0) parts.push(samples === "faces" ? "no faces found" : "nothing to explain");
  if (maps !== undefined) parts.push(`maps: ${join(maps, "METHOD.npy")} (raw), METHOD.final.npy`);
  return parts.join("\n\n");
}
