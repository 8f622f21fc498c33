/**
 * Reading images ahead of the work, and finding out what the ledger knows of each.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { type DecodedImage, decodeImage } from "../image/decode.ts";
import type { SampleSource } from "./batch.ts";
import { type Found, restored } from "./found.ts";
import type { CorpusImage } from "./images.ts";
import type { Ledger } from "./ledger.ts";
import type { ImageInput, SampleRow } from "./ledger_rows.ts";
import { type Analysis, type Stages, targetsOf } from "./plan.ts";

/** Images that are read and decoded ahead of the one at work. */
const AHEAD = 3;

/** What is in the ledger about a content, under the stages of this run. */
export interface Known {
  readonly detection?: Found;
  readonly faces?: Found;
  readonly samples?: readonly { readonly sample: SampleRow; readonly need: Need }[];
}

/** What a stored sample still needs: a forward pass, nothing, or the rest of its work from what is stored. */
export interface Need {
  readonly source: "forward" | "done" | Exclude<SampleSource, { kind: "forward" }>;
  /** Places of the methods that are not finished. */
  readonly methods: readonly number[];
}

/** An image that has been read. */
export interface Loaded {
  readonly row: ImageInput;
  readonly ordinal: number;
  readonly known: Known;
  readonly picture?: DecodedImage;
}

/** Reads images in order, a few at a time. */
export async function* loadAhead(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  timings: { read: number; decode: number },
): AsyncGenerator<Loaded> {
  const pending: Promise<Loaded>[] = [];
  let next = 0;
  const { images } = analysis;
  const start = () => {
    if (next >= images.length) return;
    const ordinal = next++;
    pending.push(load(analysis, ledger, stages, images[ordinal]!, ordinal, timings));
  };
  for (let i = 0; i <= AHEAD; i++) start();
  while (pending.length > 0) {
    const loaded = await pending.shift()!;
    start();
    yield loaded;
  }
}

async function load(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  { path, file, annotation }: CorpusImage,
  ordinal: number,
  timings: { read: number; decode: number },
): Promise<Loaded> {
  const base = { path, ...(annotation ? { annotation } : {}) };
  let started = performance.now();
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    return { row: { ...base, status: "failed", error: unreadable(error) }, ordinal, known: {} };
  }
  const content = { ...base, sha256: sha256(bytes), bytes: bytes.length };
  timings.read += performance.now() - started;
  const known = knownOf(analysis, ledger, stages, content.sha256);
  const needsPixels = !known.detection || stages.faces && !known.faces || !known.samples ||
    known.samples.some(({ need }) => need.source === "forward");
  if (!needsPixels) return { row: { ...content, status: "ok" }, ordinal, known };
  started = performance.now();
  try {
    const picture = await decodeImage(bytes, { orientation: analysis.orientation });
    timings.decode += performance.now() - started;
    const { width, height, format, exifOrientation: orientation } = picture;
    return {
      row: { ...content, status: "ok", width, height, format, orientation },
      ordinal,
      known,
      picture,
    };
  } catch (error) {
    return { row: { ...content, status: "failed", error: messageOf(error) }, ordinal, known: {} };
  }
}

function unreadable(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "Cannot read the image: there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "Cannot read the image: it is a folder";
  return `Cannot read the image: ${messageOf(error)}`;
}

function knownOf(analysis: Analysis, ledger: Ledger, stages: Stages, hash: string): Known {
  const found = (stage: number): Found | undefined => {
    const row = ledger.detection(hash, stage);
    return row && restored(row);
  };
  const detection = found(stages.detection.id);
  const faces = stages.faces && found(stages.faces.id);
  const samples = ledger.samples(hash, stages.sampling.id)?.map((sample) => ({
    sample,
    need: needOf(analysis, ledger, stages, sample.id),
  }));
  return {
    ...(detection ? { detection } : {}),
    ...(faces ? { faces } : {}),
    ...(samples ? { samples } : {}),
  };
}

function needOf(analysis: Analysis, ledger: Ledger, stages: Stages, sample: number): Need {
  const { classifier, classes } = analysis;
  const all = [...analysis.methods.keys()];
  const prediction = ledger.prediction(sample, stages.forward.id);
  if (!prediction) return { source: "forward", methods: all };
  const targets = targetsOf(classes, prediction.predicted, classifier.classes.length);
  const methods = all.filter((m) =>
    !targets.every((target) => ledger.scoresDone(sample, stages.methods[m]!.score.id, target))
  );
  if (methods.length === 0) return { source: "done", methods };
  const unmapped = methods.filter((m) =>
    !targets.every((target) => ledger.hasMap(sample, stages.methods[m]!.map.id, target))
  );
  if (unmapped.length === 0) {
    const map = (method: number, target: number) =>
      ledger.map(sample, stages.methods[method]!.map.id, target)!;
    return { source: { kind: "rescore", prediction, map }, methods };
  }
  const activation = classifier.resumable && !unmapped.some((m) => analysis.methods[m]!.needsInput)
    ? ledger.activation(sample, stages.forward.id)
    : undefined;
  return activation
    ? { source: { kind: "resume", prediction, activation }, methods }
    : { source: "forward", methods };
}
