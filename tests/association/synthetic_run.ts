/**
 * Finished runs made of numbers, without models and pictures: a ledger and `run.json` in a folder, as `analyze` leaves them.
 *
 * @module
 */

import { join } from "node:path";
import { sha256 } from "../../src/base/json.ts";
import type { Rect } from "../../src/image/geometry.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import type { LedgerWriter } from "../../src/ledger/writer.ts";
import { type FinishedManifest, MANIFEST_FILE, parseManifest } from "../../src/ledger/manifest.ts";

/** A box and its importance under each map. */
export interface SyntheticBox extends Rect {
  readonly label: string;
  /** 0..1; NaN where the detector gives none. */
  readonly confidence: number;
}

/** What the classifier said of a sample, and the maps and scores that explain it. */
export interface SyntheticSample {
  /** In image pixels; by default the whole image. */
  readonly frame?: Rect;
  /** By class; the largest is the predicted one. */
  readonly probabilities: ArrayLike<number>;
  /** By method: importances by box and explained class, `[box * layers + layer]`. */
  readonly importance: readonly ArrayLike<number>[];
  /** Fraction of each box inside the frame; by default 1. */
  readonly share?: ArrayLike<number>;
  /** By method and explained class: the raw map, [height, width] of {@linkcode SyntheticRun.grid}; by default zeros. */
  readonly maps?: readonly (readonly Float32Array[])[];
}

/** An image with its samples and boxes. */
export interface SyntheticImage {
  /** By default its number. */
  readonly path?: string;
  /** 640×400 by default. */
  readonly width?: number;
  readonly height?: number;
  readonly annotation?: Readonly<Record<string, string>>;
  /** Images with the same content have equal bytes: the samples and boxes are those of the last one. By default its path. */
  readonly content?: string;
  readonly samples: readonly SyntheticSample[];
  readonly boxes: readonly SyntheticBox[];
}

/** A method of a run. */
export interface SyntheticMethod {
  readonly name: string;
  readonly control?: boolean;
  readonly target?: FinishedManifest["analysis"]["target"];
  readonly rectify?: boolean;
}

/** A run. */
export interface SyntheticRun {
  readonly classes: readonly string[];
  /** By default grad-cam alone. */
  readonly methods?: readonly SyntheticMethod[];
  /** Labels that the detector can give; by default not known. */
  readonly labels?: readonly string[];
  /** Which classes are explained; "all" makes as many layers as there are classes. */
  readonly explained?: "predicted" | "all" | number;
  readonly samples?: "image" | "faces";
  readonly threshold?: number;
  /** Rows and columns of the maps; 1×1 by default. */
  readonly grid?: readonly [height: number, width: number];
  /** Linear heads on the probabilities, such as valence. */
  readonly heads?: Readonly<Record<string, { readonly bias: number; readonly weights: number[] }>>;
  readonly images: Iterable<SyntheticImage>;
  /** What else the manifest says. */
  readonly manifest?: Partial<FinishedManifest>;
}

const INPUT = 64;

/** Writes a run into a folder, which is made. One transaction: 25,869 images with eight boxes each take some ten seconds. */
export async function writeSyntheticRun(folder: string, given: SyntheticRun): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  using ledger = Ledger.open(join(folder, "ledger.sqlite"));
  const { classes, explained = "predicted", grid = [1, 1] } = given;
  const methods = given.methods ?? [{ name: "grad-cam" }];
  const detection = ledger.stage("detections", { detector: "synthetic" });
  const sampling = ledger.stage("samples", { samples: given.samples ?? "image" });
  const forward = ledger.stage("predictions", { classes: [...classes] });
  const stages = methods.map(({ name }) => {
    const maps = ledger.stage(`${name} maps`, { method: name, forward: forward.fingerprint });
    const settings = { map: maps.fingerprint, detection: detection.fingerprint };
    return { maps, importances: ledger.stage(`${name} importances`, settings) };
  });
  const run = ledger.startRun({});
  const images: FinishedManifest["images"] = [];
  const none = new Float32Array(grid[0] * grid[1]);
  let samples = 0, boxes = 0;

  const write = (writer: LedgerWriter, image: SyntheticImage, ordinal: number) => {
    const { width = 640, height = 400, annotation } = image;
    const path = image.path ?? `${String(ordinal).padStart(7, "0")}.png`;
    const content = sha256(image.content ?? path);
    images.push({ path, sha256: content, status: "ok" });
    const format = { bytes: 1, format: "png", orientation: 1 };
    const what = { path, status: "ok", sha256: content, width, height, annotation } as const;
    writer.image(run, ordinal, { ...what, ...format });
    const stored = writer.detection(content, detection.id, { faces: [], boxes: image.boxes });
    const whole = { x0: 0, y0: 0, x1: width, y1: height };
    const frames = image.samples.map(({ frame }) => frame ?? whole);
    for (const [at, { id }] of writer.sampling(content, sampling.id, frames).entries()) {
      const { probabilities, importance, share, maps } = image.samples[at];
      samples++;
      boxes += stored.length;
      const values = Float32Array.from(probabilities);
      const predicted = values.indexOf(values.reduce((most, value) => Math.max(most, value)));
      writer.prediction(id, forward.id, { predicted, probabilities: values });
      const targets = explained === "all"
        ? [...classes.keys()]
        : [explained === "predicted" ? predicted : explained];
      for (const [m, stage] of stages.entries()) {
        for (const [layer, target] of targets.entries()) {
          const raw = maps?.[m][layer] ?? none;
          writer.map(id, stage.maps.id, target, { raw, height: grid[0], width: grid[1] });
          const scores = stored.map((box, b) => ({
            box: box.id,
            importance: importance[m][b * targets.length + layer],
            share: share?.[b] ?? 1,
          }));
          writer.scores(id, stage.importances.id, target, scores);
        }
      }
    }
  };
  ledger.commit((writer) => {
    let ordinal = 0;
    for (const image of given.images) write(writer, image, ordinal++);
  });

  const manifest = parseManifest({
    ...surroundings(given, methods),
    stages: {
      detections: detection.fingerprint,
      samples: sampling.fingerprint,
      predictions: forward.fingerprint,
      ...Object.fromEntries(methods.flatMap(({ name }, m) => [
        [`${name} maps`, stages[m].maps.fingerprint],
        [`${name} importances`, stages[m].importances.fingerprint],
      ])),
    },
    ledger: { file: "ledger.sqlite", run },
    summary: {
      ...{ images: images.length, failed: 0, samples, reused: 0, boxes, undefinedImportances: 0 },
      milliseconds: {},
    },
    axioms: [],
    outputs: {},
    images,
    ...given.manifest,
  }, "a synthetic run");
  ledger.finishRun(run, "finished", manifest);
  await Deno.writeTextFile(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
}

/** What a manifest says beside the results. */
function surroundings(
  { classes, labels, explained = "predicted", samples = "image", ...given }: SyntheticRun,
  methods: readonly SyntheticMethod[],
) {
  const { threshold = .3, grid: [height, width] = [1, 1], heads } = given;
  const axis = (cells: number) => ({ scale: cells / INPUT, offset: cells / INPUT / 2 - .5 });
  const credit = { source: "made of numbers", licence: "CC0-1.0" };
  const card = {
    ...{ name: "synthetic", task: "classifier", file: "synthetic.onnx", classes, ...credit },
    ...{ sha256: sha256("synthetic"), output: {}, ...(heads ? { heads } : {}) },
    input: { name: "input", width: INPUT, height: INPUT, channels: "grey" },
  };
  return {
    emocam: "0",
    command: "deno task analyze",
    arguments: { command: "analyze", threshold },
    from: ".",
    title: "A synthetic run",
    settings: {},
    versions: {},
    machine: {},
    environment: {},
    backend: { name: "native", reason: "asked for" },
    classifier: {
      card,
      key: { model: sha256("synthetic") },
      input: [1, INPUT, INPUT],
      batch: 1,
      layer: { name: "layer", shape: [1, height, width] },
      layers: ["layer"],
      receptiveField: null,
      placement: "half-pixel",
    },
    detector: { name: "synthetic", key: {}, ...(labels ? { labels } : {}) },
    methods: methods.map(({ name, control = false, target = "logit", rectify = true }) => ({
      ...{ name, title: name, source: "made of numbers", control, target, rectify },
      grid: { height, width, placement: { x: axis(width), y: axis(height) } },
    })),
    analysis: {
      ...{ samples, classes: explained, target: "logit", threshold },
      ...{ boxMean: "exact", orientation: "exif", seed: 0 },
    },
    models: [{ role: "classifier", name: "synthetic", sha256: sha256("synthetic"), ...credit }],
    credits: [],
    notices: [],
  };
}
