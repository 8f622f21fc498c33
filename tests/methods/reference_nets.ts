/** Opening the reference networks and comparing a method's maps with stored ones, for the tests against the full reference set. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import { finalMapsOf, mapDrawing } from "../../src/outputs/sample_figure.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { rawMaps } from "../../src/kernels/box_scores.ts";
import { createContext, gridOf, type Method, type MethodContext } from "../../src/methods/mod.ts";
import type { Target } from "../../src/classifier/target.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { readFloats, readNumbers } from "../gradient_goldens.ts";

export const NETS = ["alexish", "resish", "mobile"] as const;

/** A reference network with its images and the two classes that are explained of each. */
export interface ReferenceNet {
  readonly name: string;
  readonly classifier: Classifier;
  readonly inputs: Tensor;
  /** [images][2] */
  readonly classes: readonly (readonly number[])[];
  read(file: string): Promise<Tensor>;
}

/** Opens a network of the full reference set, by default its first export, cut at the layer that the references were made at. */
export async function openReference(
  goldens: URL,
  name: string,
  file = `${name}.onnx`,
): Promise<ReferenceNet> {
  const folder = new URL(`cam/${name}/`, goldens);
  const { target } = JSON.parse(await Deno.readTextFile(new URL("meta.json", folder)));
  const classes = await readNumbers(new URL("classes.npy", folder));
  const inputs = new URL("inputs.npy", folder);
  return await open({ name, model: new URL(file, folder), layer: target, inputs, classes, folder });
}

/** Opens the small network that is committed with this project, with two images; its references are in `tests/golden/methods`. */
export async function openMobile(file = "mobile.onnx"): Promise<ReferenceNet> {
  const models = new URL("../golden/onnx/", import.meta.url);
  return await open({
    name: "mobile",
    model: new URL(file, models),
    layer: "last_act",
    inputs: new URL("mobile_inputs.npy", models),
    classes: [8, 7, 8, 7],
    folder: new URL("../golden/methods/", import.meta.url),
  });
}

async function open(
  { name, model, layer, inputs: file, classes, folder }: {
    name: string;
    model: URL;
    layer: string;
    inputs: URL;
    classes: readonly number[];
    folder: URL;
  },
): Promise<ReferenceNet> {
  const inputs = await readFloats(file);
  const images = inputs.shape[0];
  const source = await findClassifier(fileURLToPath(model));
  return {
    name,
    classifier: await openClassifier(source, { backend: "native", batch: images, layer }),
    inputs,
    classes: Array.from({ length: images }, (_, i) => classes.slice(2 * i, 2 * i + 2)),
    read: async (path) => await readFloats(new URL(path, folder)),
  };
}

/** Runs `use` with the context of the network's images. */
export async function withImages<T>(
  net: ReferenceNet,
  target: Target,
  use: (context: MethodContext) => Promise<T>,
): Promise<T> {
  const { classifier } = net;
  const forward = await classifier.forward(net.inputs);
  const keys = net.classes.map((_, i) => String(i));
  const context = createContext(classifier, forward, target, { seed: 0, keys });
  try {
    return await use(context);
  } finally {
    context.dispose();
    forward.dispose();
  }
}

/** A method's raw maps of the images, [images, 2 classes, h, w], before the ReLU. */
export async function mapsOf(
  net: ReferenceNet,
  method: Method,
  target: Target,
): Promise<Tensor> {
  const { classifier } = net;
  assert.equal(method.unsupported(classifier, target), undefined);
  return await withImages(net, target, async (context) => {
    const grid = gridOf(method, classifier);
    const cells = grid.height * grid.width;
    const images = net.classes.length;
    const all = new Float32Array(images * 2 * cells);
    for (let slot = 0; slot < 2; slot++) {
      const classes = net.classes.map((pair) => pair[slot]);
      const raw = await rawOf(method, context, classes);
      for (let i = 0; i < images; i++) {
        all.set(raw.subarray(i * cells, (i + 1) * cells), (2 * i + slot) * cells);
      }
    }
    return floats([images, 2, grid.height, grid.width], all);
  });
}

async function rawOf(
  method: Method,
  context: MethodContext,
  classes: readonly number[],
): Promise<Float32Array> {
  const attribution = await method.compute(context, classes);
  if ("map" in attribution) return (await toFloats(attribution.map)).data;
  const { channels, height, width } = context.classifier.layer;
  return await rawMaps(await createCompute("cpu"), {
    maps: classes.length,
    height,
    width,
    rectify: false,
    from: {
      activation: (await toFloats(context.forward.activation)).data,
      channels,
      weights: (await toFloats(attribution.weights)).data,
    },
  });
}

/** The final maps of raw ones, [n, 2, H, W]. */
export async function finalsOf(net: ReferenceNet, method: Method, raw: Tensor): Promise<Tensor> {
  const [, height, width] = net.classifier.inputShape;
  const data = await finalMapsOf(
    await createCompute("cpu"),
    mapDrawing(net.classifier, method),
    raw.data,
  );
  return floats([raw.shape[0], 2, height, width], data);
}

/**
 * The largest difference of the maps, each relative to the range of the expected one; `eitherSign` takes the better sign of each.
 * Expected ones may be of the first images only.
 */
export function mapDifference(found: Tensor, expected: Tensor, eitherSign = false): number {
  const actual = rows(found, 0, expected.shape[0]);
  assert.deepEqual(actual.shape, expected.shape);
  const size = expected.shape[2] * expected.shape[3];
  let worst = 0;
  for (let from = 0; from < expected.data.length; from += size) {
    let low = Infinity, high = -Infinity, same = 0, opposite = 0;
    for (let i = from; i < from + size; i++) {
      const value = expected.data[i];
      low = Math.min(low, value);
      high = Math.max(high, value);
      same = Math.max(same, Math.abs(actual.data[i] - value));
      opposite = Math.max(opposite, Math.abs(actual.data[i] + value));
    }
    const difference = (eitherSign ? Math.min(same, opposite) : same) / (high - low);
    // Not Math.max: a NaN has to come out.
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Of two results, map by map, the one that is closer to what is expected: for maps whose sign is arbitrary. */
export function closerMaps(expected: Tensor, a: Tensor, b: Tensor): Tensor {
  const size = expected.shape[2] * expected.shape[3];
  const data = new Float32Array(expected.data.length);
  for (let from = 0; from < data.length; from += size) {
    const parts = [a, b].map((maps) => maps.data.subarray(from, from + size));
    const [first, second] = parts.map((part) =>
      part.reduce(
        (worst, value, i) => Math.max(worst, Math.abs(value - expected.data[from + i])),
        0,
      )
    );
    data.set(parts[first! <= second! ? 0 : 1], from);
  }
  return floats(expected.shape, data);
}
