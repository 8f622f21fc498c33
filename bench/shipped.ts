/**
 * What the benchmarks work on: the photographs that ship, under the default settings of `analyze` on the native backend.
 *
 * @module
 */

import { join } from "node:path";
import ort from "onnxruntime-node";
import { openSetup, type Setup } from "../src/run/open.ts";
import { findImages } from "../src/corpora/find_images.ts";
import type { CorpusImage } from "../src/image/image_file.ts";
import type { Analysis } from "../src/corpus/plan.ts";
import { findCard, MODELS_FOLDER, type NetworkCard, readCardFile } from "../src/runtime/card.ts";
import type { Backend } from "../src/runtime/session.ts";

/** An analysis that is ready to run, to be disposed of. */
export interface Shipped {
  readonly analysis: Analysis;
  readonly setup: Setup;
}

/** The photographs that ship. */
export function shippedPhotos(): Promise<CorpusImage[]> {
  return findImages([join(MODELS_FOLDER, "photos")]);
}

/** The default analysis of the photographs that ship. */
export async function openShipped(
  { backend = "native", classifier = "mini-xception", layer }: {
    backend?: Backend;
    classifier?: string;
    layer?: readonly string[];
  } = {},
): Promise<Shipped> {
  const images = await shippedPhotos();
  const setup = await openSetup({
    classifier,
    detector: "face-parts",
    methods: ["grad-cam"],
    target: "logit",
    class: "predicted",
    backend,
    batch: 8,
    ...(layer ? { layer } : {}),
    boxMean: "exact",
    orientation: "exif",
  }, images);
  return { setup, analysis: { ...setup, images, seed: 0, activationBudget: 2 ** 30 } };
}

/** Bare ONNX Runtime with the threads that emocam gives it. */
export async function bareSession(model: Uint8Array): Promise<ort.InferenceSession> {
  return await ort.InferenceSession.create(model, {
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
}

/** A shipped network's card and file. */
export async function shippedNetwork(name: string) {
  const { card, folder } = await findCard(name);
  const located = { card: card as NetworkCard, folder };
  return { card: located.card, bytes: await readCardFile(located) };
}
