/**
 * One batch of samples: forward pass, maps of every method and class, importances of every box.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier, Forward } from "../classifier/classifier.ts";
import type { Compute } from "../gpu/compute.ts";
import { placeRect, type Rect } from "../image/geometry.ts";
import { letterboxPlacement, paperLetterbox } from "../image/letterbox.ts";
import { type CellWeights, paperBoxWeights } from "../kernels/paper_box_weights.ts";
import { type Frame, type MapBatch, rawMaps, scoreMaps } from "../kernels/box_scores.ts";
import {
  createContext,
  frameOfMaps,
  gridOf,
  mapBatchOf,
  type Method,
  type OwnedContext,
} from "../methods/mod.ts";
import type { Target } from "../classifier/target.ts";
import { isGpuTensor, toFloats } from "../runtime/session.ts";
import type { Prediction, RawMap } from "./results.ts";
import { type AttributionRequest, PAPER_FRAME, targetsOf } from "./request.ts";
import type { PlacedSample } from "./samples.ts";
import { mapBatchOfClasses } from "./maps.ts";

/** What a batch is made from: inputs to run, activations kept from an earlier run, or its maps. */
export type SampleSource =
  | { readonly kind: "forward"; readonly input: Float32Array }
  | {
    readonly kind: "resume";
    readonly prediction: Prediction;
    readonly activation: Float32Array;
  }
  | {
    readonly kind: "rescore";
    readonly prediction: Prediction;
    /** The stored map of each method and class. */
    map(method: Method, target: number): RawMap;
  };

/** One sample to explain. */
export interface BatchSample extends PlacedSample {
  readonly source: SampleSource;
  /** Those of the request's methods that are wanted, as they are in it. */
  readonly methods: readonly Method[];
}

/** One map with the importances of the sample's boxes under it. */
export interface MapResult {
  /** As it is in the request. */
  readonly method: Method;
  readonly target: number;
  /** Absent where the map was there already. */
  readonly map?: RawMap;
  readonly scores: readonly { box: number; importance: number; share: number }[];
}

/** What a batch yields for one sample. */
export interface SampleResult {
  readonly prediction: Prediction;
  /** The activation at the target layer, for a sample that was run; read only if asked for. */
  readonly activation?: Float32Array;
  /** In the order of the request's methods; of one method in the order of the classes. */
  readonly maps: readonly MapResult[];
}

/** Time spent in a batch, milliseconds by stage. */
export type Timings = Record<"forward" | "explain" | "score", number>;

/** Runs ready samples, however many, through forward pass, maps and importances of all methods of a request. */
export async function runSamples(
  request: AttributionRequest,
  samples: readonly (PlacedSample & { readonly input: Float32Array })[],
): Promise<SampleResult[]> {
  const results: SampleResult[] = [];
  const { classifier: { batch }, methods } = request;
  for (let from = 0; from < samples.length; from += batch) {
    const work = samples.slice(from, from + batch).map(({ key, boxes, size, input }) => ({
      key,
      boxes,
      size,
      source: { kind: "forward" as const, input },
      methods,
    }));
    results.push(...await runBatch(request, work, false, { forward: 0, explain: 0, score: 0 }));
  }
  return results;
}

/**
 * Runs one batch: all samples are of one kind, at most a batch of them.
 *
 * A sample's numbers do not depend on the others in its batch: every batch has the same shape, and all that follows works
 * row by row.
 */
export async function runBatch(
  request: AttributionRequest,
  samples: readonly BatchSample[],
  keepActivations: boolean,
  timings: Timings,
): Promise<SampleResult[]> {
  const { classifier } = request;
  const kind = samples[0].source.kind;
  let started = performance.now();
  const lap = (stage: keyof Timings) => {
    const now = performance.now();
    timings[stage] += now - started;
    started = now;
  };
  const forward = kind === "rescore" ? undefined : await passForward(classifier, samples);
  const predictions = samples.map(({ source }, row) =>
    source.kind === "forward" ? predictionOf(forward!, row) : source.prediction
  );
  lap("forward");
  const maps: MapResult[][] = samples.map(() => []);
  const contexts = new Map<Target, OwnedContext>();
  const contextOf = (target: Target): OwnedContext | undefined => {
    if (!forward) return undefined;
    const known = contexts.get(target);
    if (known) return known;
    const keys = samples.map(({ key }) => key);
    const made = createContext(classifier, forward, target, { seed: request.seed, keys });
    contexts.set(target, made);
    return made;
  };
  try {
    const targets = predictions.map(({ predicted }) =>
      targetsOf(request.classes, predicted, classifier.classes.length)
    );
    // Classes outside, so that the gradients of one class are all that is held, however many there are.
    for (let t = 0; t < targets[0].length; t++) {
      const classes = targets.map((list) => list[t]);
      for (const method of request.methods) {
        const wanted = samples.map((sample) => sample.methods.includes(method));
        if (!wanted.includes(true)) continue;
        const context = contextOf(method.target ?? request.target);
        const batch = context
          ? await mapBatchOfClasses(request, context, method, classes)
          : storedMaps(classifier, method, samples, classes);
        lap("explain");
        // Together: on the GPU each reading waits for the device, and two at once wait as long as one.
        const [raw, scores] = await Promise.all([
          context ? readRaw(request.compute, batch) : undefined,
          scoreRows(request, method, batch, samples),
        ]);
        lap("score");
        samples.forEach((_, row) => {
          if (!wanted[row]) return;
          const map = raw && { raw: rowOf(raw, row), height: raw.shape[1], width: raw.shape[2] };
          maps[row].push({
            method,
            target: classes[row],
            ...(map ? { map } : {}),
            scores: scores[row],
          });
        });
      }
    }
    const order = new Map(request.methods.map((method, place) => [method, place]));
    // Stable: of each method its classes in their order.
    for (const row of maps) row.sort((a, b) => order.get(a.method)! - order.get(b.method)!);
    const activation = keepActivations && forward && kind === "forward"
      ? await readActivation(request.compute, forward)
      : undefined;
    lap("forward");
    return samples.map((_, row) => ({
      prediction: predictions[row],
      ...(activation ? { activation: rowOf(activation, row) } : {}),
      maps: maps[row],
    }));
  } finally {
    for (const context of contexts.values()) context.dispose();
    forward?.dispose();
  }
}

async function passForward(
  classifier: Classifier,
  samples: readonly BatchSample[],
): Promise<Forward> {
  const { channels, height, width } = classifier.layer;
  const stack = (shape: readonly number[], part: (source: SampleSource) => Float32Array) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = new Float32Array(samples.length * size);
    samples.forEach(({ source }, row) => data.set(part(source), row * size));
    return floats([samples.length, ...shape], data);
  };
  const kind = samples[0].source.kind;
  if (kind === "forward") {
    return await classifier.forward(
      stack(classifier.inputShape, (s) => s.kind === "forward" ? s.input : new Float32Array()),
    );
  }
  const stored =
    <T>(read: (source: SampleSource & { kind: "resume" }) => T) => (s: SampleSource) => {
      if (s.kind !== "resume") throw new TypeError(`Cannot mix ${s.kind} and resume in a batch`);
      return read(s);
    };
  const classes = [classifier.classes.length];
  return classifier.resume(
    stack([channels, height, width], stored((s) => s.activation)),
    classifier.hasLogits ? stack(classes, stored((s) => s.prediction.logits!)) : undefined,
    stack(classes, stored((s) => s.prediction.probabilities)),
  );
}

function predictionOf({ probabilities, logits }: Forward, row: number): Prediction {
  const own = rowOf(probabilities, row);
  // The first of equal probabilities, as NumPy's and PyTorch's argmax on the CPU.
  let predicted = 0;
  own.forEach((p, k) => {
    if (p > own[predicted]) predicted = k;
  });
  return { probabilities: own, ...(logits ? { logits: rowOf(logits, row) } : {}), predicted };
}

/** A copy of one row along the first axis. */
function rowOf(value: Tensor, row: number): Float32Array {
  const size = value.data.length / value.shape[0];
  return value.data.slice(row * size, (row + 1) * size);
}

/** The raw maps [batch, h, w], before ReLU and normalisation. */
async function readRaw(compute: Compute, batch: MapBatch): Promise<Tensor> {
  const { height, width } = batch;
  const raw = await rawMaps(compute, { ...batch, rectify: false });
  return floats([batch.maps, height, width], raw);
}

function storedMaps(
  classifier: Classifier,
  method: Method,
  samples: readonly BatchSample[],
  classes: readonly number[],
): MapBatch {
  const { height, width } = gridOf(method, classifier);
  const ready = new Float32Array(samples.length * height * width);
  samples.forEach(({ source }, row) => {
    if (source.kind !== "rescore") throw new TypeError("Cannot score maps that are not stored");
    ready.set(source.map(method, classes[row]).raw, row * height * width);
  });
  return mapBatchOf(method, classifier, ready, samples.length);
}

/** Importance of every box of every sample under its map of this batch. */
async function scoreRows(
  request: AttributionRequest,
  method: Method,
  batch: MapBatch,
  samples: readonly BatchSample[],
): Promise<{ box: number; importance: number; share: number }[][]> {
  const { compute, classifier, boxMean } = request;
  const frame = frameOfMaps(method, classifier);
  const { width, height } = frame;
  const boxes = samples.flatMap((sample, map) => {
    const weigh = boxMean === "paper" ? paperWeights(request, batch, frame, sample) : undefined;
    return sample.boxes.map(({ rect, onImage }) => ({
      map,
      rect,
      ...(weigh ? { weights: weigh(onImage) ?? null } : {}),
    }));
  });
  const mean = boxMean === "paper" ? "exact" : boxMean;
  const importances = await scoreMaps(compute, batch, frame, boxes, mean);
  let next = 0;
  return samples.map((sample) =>
    sample.boxes.map(({ box, rect }) => ({
      box,
      importance: importances[next++],
      share: shareInside(rect, width, height),
    }))
  );
}

/** The weights of a sample's boxes, in image pixels, under the paper's mean. */
function paperWeights(
  { detector }: AttributionRequest,
  { width, height }: MapBatch,
  frame: Frame,
  { size }: BatchSample,
): (box: Rect) => CellWeights | undefined {
  const own = detector.frame ?? PAPER_FRAME;
  const letterbox = paperLetterbox(size, own.width, own.height);
  const placement = letterboxPlacement(size, letterbox);
  const weigh = paperBoxWeights({
    cells: { width, height },
    placement: frame.placement,
    input: frame,
    image: size,
    letterbox,
  });
  return (box) => weigh(placeRect(placement, box));
}

/** Fraction of a box's area inside the frame [0, width] × [0, height], 0..1; NaN for a box without area. */
function shareInside(rect: Rect, width: number, height: number): number {
  const w = Math.max(0, Math.min(rect.x1, width) - Math.max(rect.x0, 0));
  const h = Math.max(0, Math.min(rect.y1, height) - Math.max(rect.y0, 0));
  return (w * h) / ((rect.x1 - rect.x0) * (rect.y1 - rect.y0));
}

async function readActivation(compute: Compute, { activation }: Forward): Promise<Tensor> {
  if (!isGpuTensor(activation)) return await toFloats(activation);
  const buffer = compute.adopt(activation.buffer, activation.shape.reduce((a, b) => a * b, 1));
  return floats(activation.shape, await compute.read(buffer));
}
