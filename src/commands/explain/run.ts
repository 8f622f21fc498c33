/**
 * `explain`: what a classifier sees in a few images, or in ready input tensors.
 *
 * @module
 */

import { basename, join } from "node:path";
import { mapConcurrently } from "../../base/concurrency.ts";
import { ImageError, messageOf, UsageError } from "../../base/errors.ts";
import { stampPng } from "../../base/png_stamp.ts";
import { fileNames } from "../../base/file_names.ts";
import { readNpy, writeNpy } from "../../base/npy.ts";
import { sha256 } from "../../base/json.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import { type MapResult, runSamples } from "../../attribution/batch.ts";
import { pictureUnusable, scoresUnusable } from "../../attribution/results.ts";
import { findImages } from "../../corpora/find_images.ts";
import { type CorpusImage, readPicture } from "../../image/image_file.ts";
import type { Analysis } from "../../corpus/plan.ts";
import { samplesOfImage } from "../../attribution/samples_of_image.ts";
import { overlay } from "../../figures/mod.ts";
import { closeGpu } from "../../gpu/device.ts";
import type { RgbImage } from "../../image/image.ts";
import { svgToPng } from "../../image/render.ts";
import { gridOf } from "../../methods/mod.ts";
import { asJson, asText, type Explained, type FailedImage, scoredBoxes } from "./output.ts";
import { prepareFolder } from "../../run/folder.ts";
import { ownFolder } from "../../run/own_files.ts";
import type { OwnedFolder } from "../../base/owned_folder.ts";
import { samePlace } from "../../base/files.ts";
import { finalMapsOf, mapDrawing, sampleFigure } from "../../outputs/sample_figure.ts";
import { openSetup, type Setup } from "../../run/open.ts";

import type { ExplainRunOptions } from "./options.ts";
import { legible } from "../../base/legible.ts";
import { flag } from "../../base/flag.ts";
import { printFailure } from "../terminal.ts";

/** Overlays that are drawn at a time. */
const DRAWN_AT_ONCE = 3;

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
  const found: string[] = [];
  const note = (notice: string) => found.push(notice);
  const images = arrays.length > 0 ? [] : await findImages(paths, { note });
  const setup = await openSetup(options, images, {
    inputShape: tensors[0]?.input.shape.slice(1),
    found,
  });
  try {
    const { overlays, arrays: maps } = await ownPlaces(paths, images, setup, options);
    if (images.length > 0) await prepareFolder(flag("out"), options.out);
    if (options.maps !== undefined) await prepareFolder(flag("maps"), options.maps);
    const analysis: Analysis = { ...setup, images, seed: options.seed, activationBudget: 0 };
    const explained: Explained[] = [];
    const nameOf = fileNames();
    const failed: FailedImage[] = [], empty: string[] = [];
    for (const { path, input } of tensors) {
      explained.push(...await explainTensor(analysis, path, input));
    }
    for (const image of images) {
      try {
        const { picture, samples } = await explainImage(analysis, image);
        await writeOverlays(setup, picture, samples, nameOf, { ...options, folder: overlays });
        explained.push(...samples);
        if (samples.length === 0) empty.push(image.path);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        printFailure(image.path, error.message);
        failed.push({ path: image.path, error: error.message });
      }
    }
    if (maps) {
      await writeMapArrays(setup, explained, maps);
      // Arrays of other methods are of other inputs.
      const left = maps.removeOthers((name) => /^[^/]+\.npy$/.test(name));
      for (const name of left) {
        console.error(`note: ${name} is of an earlier call: it was changed since, and stays`);
      }
    }
    for (const notice of setup.notices) console.error(`note: ${legible(notice)}`);
    const outcome = { explained, failed, empty };
    console.log(
      options.json
        ? JSON.stringify(asJson(setup, outcome, options), null, 1)
        : asText(setup, outcome, options),
    );
    return failed.length > 0 && failed.length === images.length ? 1 : 0;
  } finally {
    await setup.dispose();
    await closeGpu();
  }
}

/**
 * The folders that are written to, where nothing in them is in the way.
 *
 * @throws {UsageError} when one of the user's files would be replaced, or one that is read.
 */
async function ownPlaces(
  paths: readonly string[],
  images: readonly CorpusImage[],
  { classifier, methods }: Setup,
  options: ExplainRunOptions,
): Promise<{ overlays: OwnedFolder; arrays: OwnedFolder | undefined }> {
  const { out, maps } = options;
  const names = methods.map(({ name }) => name);
  const inputs = [
    ...[...paths, options.classifier, options.detector],
    ...images.map(({ file }) => file),
  ];
  const overlays = await ownFolder(out, {
    option: flag("out"),
    writes: images.length === 0
      ? () => false
      : overlayNames(images.map(({ path }) => path), names, classifier.classes),
    inputs,
  });
  if (maps === undefined) return { overlays, arrays: undefined };
  const files = new Set(names.flatMap((name) => [`${name}.npy`, `${name}.final.npy`]));
  const arrays = await ownFolder(maps, {
    option: flag("maps"),
    writes: (name) => files.has(name),
    inputs,
  });
  // One record has one writer.
  return { overlays, arrays: await samePlace(out, maps) ? overlays : arrays };
}

/** Which files could be overlays of these images: their classes are not known yet, nor how many faces they show. */
function overlayNames(
  images: readonly string[],
  methods: readonly string[],
  classes: readonly string[],
): (name: string) => boolean {
  const bare = (text: string) => fileNames()(text);
  const stems = new Set(images.map((path) => bare(stemOf(path))));
  const endings = methods.flatMap((method) => classes.map((own) => bare(`${method}.${own}`)));
  return (file) => {
    const [, name] = /^([^/]+?)(?:~\d+)?\.png$/.exec(file) ?? [];
    if (name === undefined) return false;
    return endings.some((ending) => {
      if (!name.endsWith(`.${ending}`)) return false;
      const [, stem] = /^(.*)\.\d+$/.exec(name.slice(0, -ending.length - 1)) ?? [];
      return stem !== undefined && stems.has(stem);
    });
  };
}

/** A path without its ending. */
function stemOf(path: string): string {
  return path.replace(/\.[^./]*$/, "");
}

/** A ready input [N, C, H, W], float32. @throws {UsageError} for anything else. */
async function readInput(path: string): Promise<Tensor> {
  try {
    const value = readNpy(await Deno.readFile(path));
    const { type, shape } = value;
    if (shape.length !== 4) throw new SyntaxError(`its shape is [${shape}], not [N, C, H, W]`);
    if (type !== "float32") {
      throw new SyntaxError(`its values are ${type}; save float32: array.astype('<f4')`);
    }
    if (shape[0] === 0) throw new SyntaxError(`its shape is [${shape}]: it holds no input`);
    return value;
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const reason = missing ? "there is no such file" : messageOf(error);
    throw new UsageError(`Cannot use the input tensor ${path}: ${reason}`);
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
  const samples = Array.from({ length: n! }, (_, row) => {
    const values = input.data.subarray(row * size, (row + 1) * size);
    return {
      // By content, as for pictures: neither the file's name nor the row's place.
      key: sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
      input: values,
      boxes: [],
      size: { width: classifier.inputShape[2], height: classifier.inputShape[1] },
    };
  });
  const results = await runSamples(analysis, samples);
  for (const [row, { prediction }] of results.entries()) {
    const reason = scoresUnusable(prediction, classifier.classes);
    if (reason !== undefined) console.error(`note: row ${row} of ${legible(path)}: ${reason}`);
  }
  return results.map((result, index) => ({ path, index, result, overlays: [] }));
}

async function explainImage(
  analysis: Analysis,
  image: CorpusImage,
): Promise<{ picture: RgbImage; samples: Explained[] }> {
  const picture = await readPicture(image, analysis.orientation);
  const { detection: { boxes }, samples } = await samplesOfImage(analysis, picture);
  const results = await runSamples(analysis, samples);
  const { classes } = analysis.classifier;
  for (const [index, { prediction }] of results.entries()) {
    const reason = pictureUnusable(prediction, classes, index, results.length);
    if (reason !== undefined) throw new ImageError(reason);
  }
  const explained = results.map((result, index): Explained => ({
    path: image.path,
    index,
    result,
    picture: { sample: samples[index].sample, boxes },
    overlays: [],
  }));
  return { picture: picture.image, samples: explained };
}

/** Draws the maps of one picture's samples, some at a time: encoding runs on other threads. */
async function writeOverlays(
  { classifier, compute, samples }: Setup,
  image: RgbImage,
  explained: readonly Explained[],
  nameOf: (text: string) => string,
  { out, threshold, folder }: ExplainRunOptions & { folder: OwnedFolder },
): Promise<void> {
  const whole = samples === "image";
  const fileOf = (item: Explained, { method, target }: MapResult) => {
    const parts = [stemOf(item.path), item.index, method.name, classifier.classes[target]];
    return `${nameOf(parts.join("."))}.png`;
  };
  const draw = async (
    item: Explained,
    { method, target, map, scores }: MapResult,
    file: string,
  ) => {
    const { predicted, probabilities } = item.result.prediction;
    const name = classifier.classes[target];
    const data = await sampleFigure(compute, mapDrawing(classifier, method), {
      title: `${method.title}, ${name}`,
      subtitle: `${basename(item.path)}${whole ? "" : `, face ${item.index + 1}`}; predicted ${
        classifier.classes[predicted]
      } (${probabilities[predicted].toFixed(2)})`,
      image,
      region: item.picture!.sample.region,
      whole,
      raw: map!,
      boxes: scoredBoxes(item, scores),
      threshold,
      width: whole ? Math.min(960, Math.max(480, image.width)) : 480,
    });
    await folder.write(file, stampPng(await svgToPng(overlay(data, { text: "outlines" }))));
    return join(out, file);
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
  for (const item of explained) item.overlays = files.filter((_, i) => maps[i].item === item);
}

/**
 * `METHOD.npy` ([N, h, w], before ReLU and normalisation) and `METHOD.final.npy` ([N, H, W], as used for scoring, at the
 * classifier's input size); with all classes [N, K, …].
 */
async function writeMapArrays(
  { classifier, compute, methods, classes }: Setup,
  explained: readonly Explained[],
  folder: OwnedFolder,
): Promise<void> {
  const { inputShape } = classifier;
  const perSample = classes === "all" ? [classifier.classes.length] : [];
  for (const method of methods) {
    const maps = explained.flatMap(({ result }) =>
      result.maps.filter((map) => map.method === method)
    );
    const { height, width } = gridOf(method, classifier);
    const size = height * width;
    const raw = new Float32Array(maps.length * size);
    maps.forEach(({ map }, i) => raw.set(map!.raw, i * size));
    const leading = [explained.length, ...perSample];
    const final = await finalMapsOf(compute, mapDrawing(classifier, method), raw);
    await folder.write(
      `${method.name}.npy`,
      writeNpy(floats([...leading, height, width], raw)),
    );
    await folder.write(
      `${method.name}.final.npy`,
      writeNpy(floats([...leading, inputShape[1], inputShape[2]], final)),
    );
  }
}
