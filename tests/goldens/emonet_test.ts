/**
 * EmoNet at its full size, from regenerated weights through ONNX file, card and classifier, against PyTorch 2.15, pytorch-grad-cam 1.5.7
 * and the definitions of LIFT and LRP. Tolerances are those of the reference set's INDEX.md.
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createHash } from "node:crypto";
import { writeNpy } from "../../src/base/npy.ts";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { headValues } from "../../src/classifier/heads.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { frameOf } from "../../src/image/geometry.ts";
import { resizePillow } from "../../src/image/pillow.ts";
import { emonetCard } from "../../src/importers/emonet/card.ts";
import { emonetGraph } from "../../src/importers/emonet/graph.ts";
import { readMeanImage } from "../../src/importers/emonet/matlab_folder.ts";
import { writeImported } from "../../src/importers/imported.ts";
import { ablationCam } from "../../src/methods/ablation_cam.ts";
import { eigenCam } from "../../src/methods/eigen_cam.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { gradCamPlusPlus } from "../../src/methods/grad_cam_plus_plus.ts";
import { hiResCam } from "../../src/methods/hires_cam.ts";
import { layerCam } from "../../src/methods/layer_cam.ts";
import { liftCam, liftContributions } from "../../src/methods/lift_cam.ts";
import { layerRelevance, lrpCam } from "../../src/methods/lrp_cam.ts";
import type { Method } from "../../src/methods/mod.ts";
import { xGradCam } from "../../src/methods/xgrad_cam.ts";
import { extract } from "../../src/onnx/extract.ts";
import type { Graph } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { prepare } from "../../src/runtime/preprocess.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { readFloats } from "../gradient_goldens.ts";
import { hashOf } from "../importers/emonet/cases.ts";
import { generate } from "../importers/emonet/generator.ts";
import { finalsOf, mapsOf, type ReferenceNet, withImages } from "../methods/reference_nets.ts";
import { goldenTest } from "../shared_goldens.ts";

const IMAGES = ["astronaut", "coffee", "hopper", "rocket_227"] as const;
/** The image whose layers are stored in full. */
const COFFEE = 1;

/** What is stored of an image. */
interface Reference {
  readonly input: { sha256_rgb227_uint8_hwc: string; sha256_float32_le_chw: string };
  readonly layers: Record<
    string,
    { shape: number[]; mean: number; samples_flat: [index: number, value: number][] }
  >;
  readonly logits: number[];
  readonly probs: number[];
  readonly top_class: number;
  readonly second_class: number;
  readonly valence: number;
  readonly arousal: number;
  readonly grad_prob_conv5: { max_abs: number; samples_flat: [index: number, value: number][] };
  readonly lift_sum: number;
  readonly lrp_sum: number;
}

interface StoredTensorRecipe {
  readonly name: string;
  readonly shape: readonly number[];
  readonly L: number;
  readonly kind: number;
  readonly lo: number;
  readonly hi: number;
  readonly values?: readonly number[];
  readonly sha256_float32_le: string;
}

/** Compares a figure with its tolerance; `SHOW=1` prints it. */
function assertSmall(what: string, figure: number, tolerance: number): void {
  if (Deno.env.has("SHOW")) console.log(what, figure.toExponential(1), "of", tolerance);
  assert.ok(figure <= tolerance, `${what}: ${figure.toExponential(1)}`);
}

/** The largest difference, NaN if there is one. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const off = Math.abs(found[i] - expected[i]);
    if (!(off <= worst)) worst = off;
  }
  return worst;
}

/** The same relative to the largest expected value, and for the better sign if either will do. */
function relative(
  found: Float32Array,
  expected: Float32Array,
  eitherSign = false,
): number {
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const same = difference(found, expected);
  const best = eitherSign ? Math.min(same, difference(found.map((v) => -v), expected)) : same;
  return best / scale;
}

/** The largest difference at the stored places of one image. */
function atSamples(values: Float32Array, samples: readonly [number, number][]): number {
  return difference(samples.map(([i]) => values[i]), samples.map(([, value]) => value));
}

/** The sixteen tensors, made again. */
async function regenerate(goldens: URL): Promise<Map<string, Tensor>> {
  const text = await Deno.readTextFile(new URL("emonet/full/tensors.json", goldens));
  const { tensors, sha256_all_in_order } = JSON.parse(text);
  const made = new Map<string, Tensor>();
  const all = createHash("sha256");
  for (const recipe of tensors as StoredTensorRecipe[]) {
    const data = recipe.values ? Float32Array.from(recipe.values) : generate(recipe);
    assert.equal(hashOf(data), recipe.sha256_float32_le, recipe.name);
    all.update(new Uint8Array(data.buffer));
    made.set(recipe.name, floats(recipe.shape, data));
  }
  assert.equal(all.digest("hex"), sha256_all_in_order);
  return made;
}

/** The network written into a folder, found by its card and opened, with the four images prepared. */
async function open(goldens: URL, folder: string) {
  const read = (file: string) => readFloats(new URL(`emonet/full/${file}`, goldens));
  const references: Reference[] = await Promise.all(
    IMAGES.map(async (name) =>
      JSON.parse(await Deno.readTextFile(new URL(`emonet/full/${name}.json`, goldens)))
    ),
  );
  const graph = emonetGraph(await regenerate(goldens));
  const mean = readMeanImage(fileURLToPath(new URL("emonet/matlab/img_mean.txt", goldens)));
  const { card } = await writeImported({
    folder,
    name: "emonet",
    card: emonetCard("emonet.mean.npy", "regenerated"),
    onnx: writeModel(graph),
    extra: [{ name: "emonet.mean.npy", bytes: writeNpy(mean) }],
  });
  const source = await findClassifier(card);
  const classifier = await openClassifier(source, { backend: "native", batch: IMAGES.length });
  const inputs = floats([4, 3, 227, 227], new Float32Array(4 * 3 * 227 * 227));
  for (const [i, name] of IMAGES.entries()) {
    const file = new URL(`emonet/full/photos/${name}.png`, goldens);
    const image = await decodeImage(await Deno.readFile(file));
    const { input } = references[i];
    const resized = resizePillow(image, 227, 227, "bicubic");
    const bytes = createHash("sha256").update(resized.data).digest("hex");
    assert.equal(bytes, input.sha256_rgb227_uint8_hwc, name);
    const values = prepare(image, frameOf(image), classifier.card.input, classifier.meanImage);
    assert.equal(hashOf(values), input.sha256_float32_le_chw, name);
    inputs.data.set(values, i * values.length);
  }
  const classes = references.map(({ top_class, second_class }) => [top_class, second_class]);
  const net: ReferenceNet = { name: "emonet", classifier, inputs, classes, read };
  return { net, references, graph };
}

/** Row `i` of a batch. */
function row(values: Tensor, i: number): Float32Array {
  return rows(values, i, i + 1).data;
}

async function checkLayers(graph: Graph, inputs: Tensor, references: Reference[]): Promise<void> {
  const outputs = Object.keys(references[0].layers);
  const session = await openSession(
    writeModel(extract(graph, { inputs: ["input"], outputs })),
    "native",
  );
  try {
    const results = await session.run({ input: inputs });
    for (const name of outputs) {
      const values = await toFloats(results[name]);
      // Values in front of conv3 are up to some hundred.
      const tolerance = /^(conv|norm|pool)[12]$/.test(name) ? 3e-3 : 2e-4;
      let worst = 0;
      references.forEach(({ layers }, i) => {
        const { shape, mean, samples_flat: samples } = layers[name];
        assert.deepEqual(values.shape.slice(1), shape, name);
        const found = row(values, i);
        const average = found.reduce((sum, value) => sum + value, 0) / found.length;
        worst = Math.max(worst, atSamples(found, samples), Math.abs(average - mean));
      });
      assertSmall(name, worst, tolerance);
    }
  } finally {
    await session.dispose();
  }
}

async function checkScores({ classifier, inputs }: ReferenceNet, references: Reference[]) {
  const forward = await classifier.forward(inputs);
  const worst = { logits: 0, probabilities: 0, heads: 0 };
  references.forEach((expected, i) => {
    const probabilities = row(forward.probabilities, i);
    const { valence, arousal } = headValues(classifier.card, probabilities);
    const update = (key: keyof typeof worst, found: ArrayLike<number>, values: number[]) =>
      worst[key] = Math.max(worst[key], difference(found, values));
    update("logits", row(forward.logits!, i), expected.logits);
    update("probabilities", probabilities, expected.probs);
    update("heads", [valence!, arousal!], [expected.valence, expected.arousal]);
    assert.equal(probabilities.indexOf(Math.max(...probabilities)), expected.top_class);
  });
  forward.dispose();
  assertSmall("logits", worst.logits, 1e-4);
  assertSmall("probabilities", worst.probabilities, 2e-5);
  assertSmall("valence and arousal", worst.heads, 2e-5);
}

async function checkGradients(net: ReferenceNet, references: Reference[]): Promise<void> {
  const tops = references.map(({ top_class }) => top_class);
  for (const [target, kind] of [["probability", "prob"], ["logit", "logit"]] as const) {
    await withImages(net, target, async (context) => {
      const { gradient } = await context.gradient(tops);
      const values = await toFloats(gradient);
      const whole = await net.read(`grad_${kind}_conv5_coffee.npy`);
      assertSmall(`gradient of ${target}`, relative(row(values, COFFEE), whole.data), 3e-5);
      if (target === "logit") return;
      references.forEach(({ grad_prob_conv5: { max_abs, samples_flat } }, i) => {
        const off = atSamples(row(values, i), samples_flat) / max_abs;
        assertSmall(`gradient at ${IMAGES[i]}`, off, 3e-5);
      });
      const weights = await toFloats(
        (await gradCam.compute(context, tops) as {
          weights: Tensor;
        }).weights,
      );
      const expected = await net.read("gradcam_weights.npy");
      assertSmall("Grad-CAM's weights", relative(weights.data, expected.data), 3e-5);
      const activation = await toFloats(context.forward.activation);
      const conv5 = await net.read("conv5_coffee.npy");
      assertSmall("activation", difference(row(activation, COFFEE), conv5.data), 2e-4);
    });
  }
}

/** Methods on the probability with the tolerance of their maps. */
const MAPS: readonly { method: Method; file: string; tolerance: number; eitherSign?: boolean }[] = [
  { method: gradCam, file: "gradcam", tolerance: 3e-5 },
  { method: layerCam, file: "layercam", tolerance: 3e-5 },
  { method: hiResCam, file: "hirescam", tolerance: 3e-5 },
  // Their divisors can be nearly 0 in front of a ReLU.
  { method: gradCamPlusPlus, file: "gradcampp", tolerance: 5e-3 },
  { method: xGradCam, file: "xgradcam", tolerance: 1e-3 },
  { method: eigenCam, file: "eigencam", tolerance: 1e-5, eitherSign: true },
  // Differences of probabilities.
  { method: ablationCam, file: "ablationcam", tolerance: 2e-4 },
];

/** The maps of one class of each image, out of [images, 2, h, w]. */
function ofClass(maps: Tensor, slot: number): Tensor {
  const [images, , height, width] = maps.shape as [number, number, number, number];
  const size = height * width;
  const data = new Float32Array(images * size);
  for (let i = 0; i < images; i++) {
    data.set(maps.data.subarray((2 * i + slot) * size, (2 * i + slot + 1) * size), i * size);
  }
  return floats([images, height, width], data);
}

/** The worst image of a stack of maps, relative to the largest value of its map. */
function worstMap(found: Tensor, expected: Tensor, eitherSign = false): number {
  assert.deepEqual(found.shape, expected.shape);
  return Math.max(
    ...IMAGES.map((_, i) => relative(row(found, i), row(expected, i), eitherSign)),
  );
}

async function checkMaps(net: ReferenceNet): Promise<void> {
  for (const { method, file, tolerance, eitherSign } of MAPS) {
    const raw = await mapsOf(net, method, "probability");
    const expected = await net.read(`raw13_${file}.npy`);
    assertSmall(method.name, worstMap(ofClass(raw, 0), expected, eitherSign), tolerance);
    if (method !== gradCam) continue;
    const second = await net.read("raw13_gradcam_second_class.npy");
    assertSmall("second class", worstMap(ofClass(raw, 1), second), tolerance);
    const finals = ofClass(await finalsOf(net, method, raw), 0);
    const final = await net.read("gradcam_map227.npy");
    assertSmall("final map", difference(finals.data, final.data), 5e-5);
  }
}

async function checkRelevance(net: ReferenceNet, references: Reference[]): Promise<void> {
  for (const [method, file] of [[liftCam, "lift"], [lrpCam, "lrp"]] as const) {
    const raw = ofClass(await mapsOf(net, method, "logit"), 0);
    const rectified = floats(raw.shape, raw.data.map((value) => Math.max(value, 0)));
    const expected = await net.read(`raw13_${file}cam_ref.npy`);
    assertSmall(method.name, worstMap(rectified, expected), 3e-5);
  }
  const tops = references.map(({ top_class }) => top_class);
  await withImages(net, "logit", async (context) => {
    const lift = await liftContributions(context, tops);
    const { relevance } = await layerRelevance(context, tops);
    for (const [file, values] of [["lift", lift], ["lrp", relevance]] as const) {
      const expected = await net.read(`${file}_contrib_coffee.npy`);
      assertSmall(`${file} contributions`, relative(row(values, COFFEE), expected.data), 3e-5);
      references.forEach((reference, i) => {
        const sum = row(values, i).reduce((total, value) => total + value, 0);
        const whole = reference[`${file}_sum`];
        assertSmall(`${file} at ${IMAGES[i]}`, Math.abs(sum - whole) / Math.abs(whole), 3e-5);
      });
    }
  });
}

async function checkAblation(net: ReferenceNet, references: Reference[]): Promise<void> {
  const tops = references.map(({ top_class }) => top_class);
  await withImages(net, "probability", async (context) => {
    const made = await ablationCam.compute(context, tops) as { weights: Tensor };
    const expected = await net.read("ablation_weights_coffee.npy");
    const off = relative(row(await toFloats(made.weights), COFFEE), expected.data);
    assertSmall("weights of ablations", off, 2e-4);
  });
}

goldenTest("EmoNet at full size gives PyTorch's scores, gradients and maps", async (goldens) => {
  const folder = await Deno.makeTempDir();
  let classifier: Classifier | undefined;
  try {
    const { net, references, graph } = await open(goldens, folder);
    classifier = net.classifier;
    await checkLayers(graph, net.inputs, references);
    await checkScores(net, references);
    await checkGradients(net, references);
    await checkMaps(net);
    await checkAblation(net, references);
    await checkRelevance(net, references);
  } finally {
    await classifier?.dispose();
    await Deno.remove(folder, { recursive: true });
  }
});
