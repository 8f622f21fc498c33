/**
 * Reading images ahead of the work, and finding out what the ledger knows of each.
 *
 * @module
 */

import { messageOf } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { type DecodedImage, decodeImage } from "../image/decode.ts";
import type { SampleSource } from "../attribution/batch.ts";
import { type Found, restored, sameBoxes } from "../ledger/stored_detections.ts";
import { type CorpusImage, readImageFile } from "../image/image_file.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { damaged, type ImageInput, type SampleRow } from "../ledger/rows.ts";
import { type Analysis, type Stages, stagesOfMethod } from "./plan.ts";
import { targetsOf } from "../attribution/request.ts";
import { turned } from "../ledger/stored_size.ts";
import type { Method } from "../methods/method.ts";

/** Images that are read and decoded ahead of the current one. */
const AHEAD = 3;

/** What is in the ledger about a content, under the stages of this run. */
export interface StoredResults {
  readonly detection?: Found;
  /** Whether the ledger has other boxes, found under another path: `detection` and all scores must be written anew. */
  readonly outdated?: boolean;
  readonly faces?: Found;
  readonly samples?: readonly { readonly sample: SampleRow; readonly work: RemainingWork }[];
}

/** What a stored sample still needs: a forward pass, nothing, or the rest of its work from what is stored. */
export interface RemainingWork {
  readonly source: "forward" | "done" | Exclude<SampleSource, { kind: "forward" }>;
  /** Those of the analysis that are not finished. */
  readonly methods: readonly Method[];
}

/** An image that has been read. */
export interface Loaded {
  readonly row: ImageInput;
  readonly ordinal: number;
  readonly stored: StoredResults;
  readonly picture?: DecodedImage;
  /** SHA-256 that the file of this path had before, where it is another now. */
  readonly changedFrom?: string;
}

/** Milliseconds by stage. */
type LoadTimings = Record<"read" | "decode", number>;

/**
 * Reads images in order, a few at a time. To `timings` it adds how long the next image had to be waited for, parted as its
 * reading and decoding took: what runs beside the rest of the work costs nothing.
 */
export async function* loadAhead(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  timings: LoadTimings,
): AsyncGenerator<Loaded> {
  const pending: { loading: Promise<Loaded>; own: LoadTimings }[] = [];
  let next = 0;
  const { images } = analysis;
  const start = () => {
    if (next >= images.length) return;
    const ordinal = next++;
    const own = { read: 0, decode: 0 };
    const loading = load(analysis, ledger, stages, images[ordinal], ordinal, own);
    loading.catch(() => {}); // thrown where its turn comes
    pending.push({ loading, own });
  };
  try {
    for (let i = 0; i <= AHEAD; i++) start();
    while (pending.length > 0) {
      const { loading, own } = pending.shift()!;
      const started = performance.now();
      const loaded = await loading;
      const waited = performance.now() - started, spent = own.read + own.decode;
      if (spent > 0) {
        timings.read += waited * own.read / spent;
        timings.decode += waited * own.decode / spent;
      }
      start();
      yield loaded;
    }
  } finally {
    // A stream that ends early closes its ledger: nothing may be reading from it then.
    await Promise.allSettled(pending.map(({ loading }) => loading));
  }
}

async function load(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  { path, file, annotation, refused }: CorpusImage,
  ordinal: number,
  timings: LoadTimings,
): Promise<Loaded> {
  const base = { path, ...(annotation ? { annotation } : {}) };
  const fail = (error: string): Loaded => ({
    row: { ...base, status: "failed", error },
    ordinal,
    stored: {},
  });
  if (refused !== undefined) return fail(refused);
  let started = performance.now();
  let bytes: Uint8Array;
  try {
    bytes = await readImageFile(file);
  } catch (error) {
    return fail(messageOf(error));
  }
  const content = { ...base, sha256: sha256(bytes), bytes: bytes.length };
  timings.read += performance.now() - started;
  const stored = storedResults(analysis, ledger, stages, content.sha256, path);
  const before = stored.detection ? undefined : ledger.imageByPath(path)?.sha256;
  const changed = before !== undefined && before !== content.sha256 ? { changedFrom: before } : {};
  const needsPixels = !stored.detection || stages.faces && !stored.faces || !stored.samples ||
    stored.samples.some(({ work }) => work.source === "forward");
  if (!needsPixels) return { row: { ...content, status: "ok" }, ordinal, stored };
  started = performance.now();
  try {
    const picture = await decodeImage(bytes, { orientation: analysis.orientation });
    timings.decode += performance.now() - started;
    const { width, height, format, exifOrientation: orientation } = picture;
    return {
      row: turned(
        { ...content, status: "ok", width, height, format, orientation },
        analysis.orientation,
      ),
      ordinal,
      stored,
      picture,
      ...changed,
    };
  } catch (error) {
    return { row: { ...content, status: "failed", error: messageOf(error) }, ordinal, stored: {} };
  }
}

function storedResults(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  hash: string,
  path: string,
): StoredResults {
  const kept = (stage: number): Found | undefined => {
    const row = ledger.detection(hash, stage);
    return row && restored(row);
  };
  const stored = kept(stages.detection.id);
  const current = stored && analysis.detector.lookUp?.(path);
  const outdated = current !== undefined && !sameBoxes(current.boxes, stored!.boxes);
  const detection = outdated ? current : stored;
  const faces = stages.faces && kept(stages.faces.id);
  const samples = ledger.samples(hash, stages.sampling.id)?.map((sample) => ({
    sample,
    work: remainingWork(analysis, ledger, stages, sample.id, outdated),
  }));
  return {
    ...(detection ? { detection } : {}),
    ...(outdated ? { outdated } : {}),
    ...(faces ? { faces } : {}),
    ...(samples ? { samples } : {}),
  };
}

function remainingWork(
  analysis: Analysis,
  ledger: Ledger,
  stages: Stages,
  sample: number,
  otherBoxes: boolean,
): RemainingWork {
  const { classifier, classes } = analysis;
  const prediction = ledger.prediction(sample, stages.forward.id);
  if (!prediction) return { source: "forward", methods: analysis.methods };
  if (prediction.probabilities.length !== classifier.classes.length) damaged("prediction");
  const targets = targetsOf(classes, prediction.predicted, classifier.classes.length);
  const open = stages.methods.filter(({ score }) =>
    otherBoxes || !targets.every((target) => ledger.scoresDone(sample, score.id, target))
  );
  const methods = open.map(({ method }) => method);
  if (methods.length === 0) return { source: "done", methods };
  const unmapped = open.filter(({ map }) =>
    !targets.every((target) => ledger.hasMap(sample, map.id, target))
  );
  if (unmapped.length === 0) {
    const map = (method: Method, target: number) =>
      ledger.map(sample, stagesOfMethod(stages, method).map.id, target)!;
    return { source: { kind: "rescore", prediction, map }, methods };
  }
  const activation = classifier.resumable && !unmapped.some(({ method }) => method.needsInput)
    ? ledger.activation(sample, stages.forward.id)
    : undefined;
  const { channels, height, width } = classifier.layer;
  if (activation && activation.length !== channels * height * width) damaged("activation");
  return activation
    ? { source: { kind: "resume", prediction, activation }, methods }
    : { source: "forward", methods };
}
