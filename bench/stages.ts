/**
 * Images per second by stage over the photographs that ship, each against the least that has to be done for it.
 *
 * Every stage runs alone here, one image after the other, so that the rates do not depend on what runs beside it; the last
 * row is the whole stream, where reading and decoding overlap with the rest.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import ort from "onnxruntime-node";
import sharp from "sharp";
import { sha256 } from "../src/base/json.ts";
import { floats, type Tensor } from "../src/base/tensor.ts";
import type { Forward } from "../src/classifier/classifier.ts";
import { textTable } from "../src/commands/terminal.ts";
import { runSamples, type SampleResult } from "../src/attribution/batch.ts";
import { Ledger } from "../src/ledger/ledger.ts";
import { registerStages } from "../src/corpus/plan.ts";
import { faceSamples, type Sample } from "../src/attribution/samples.ts";
import { type ReadySample, samplesOfImage } from "../src/attribution/samples_of_image.ts";
import { streamCorpus } from "../src/corpus/stream.ts";
import type { Detections } from "../src/detectors/mod.ts";
import { landmarkCrop } from "../src/detectors/face_landmarks.ts";
import { type DecodedImage, decodeImage } from "../src/image/decode.ts";
import { frameOf } from "../src/image/geometry.ts";
import { type MapBatch, rawMaps, scoreMaps } from "../src/kernels/box_scores.ts";
import { createContext, toMapBatch } from "../src/methods/mod.ts";
import { prepare } from "../src/runtime/preprocess.ts";
import { type Benchmark, digits, race } from "./benchmark.ts";
import { pixelByPixel } from "./pixel_by_pixel.ts";
import { bareSession, openShipped, type Shipped, shippedNetwork } from "./shipped.ts";
import { PendingImage } from "../src/corpus/pending_image.ts";

/** Seconds a race takes. */
const SECONDS = 1.5;

export const stages: Benchmark = {
  name: "stages",
  title: "images per second by stage, on the photographs that ship",
  async run() {
    const shipped = await openShipped();
    const photos = await loadPhotos(shipped);
    const rows: string[][] = [];
    // What has to be done in any case: the limit of the whole stream.
    const least: (() => unknown)[] = [];
    const sessions: ort.InferenceSession[] = [];
    const row = async (
      stage: string,
      limit: string,
      ours: () => unknown,
      bare: () => unknown,
      counts = false,
    ) => {
      const times = await race({ ours, bare }, { seconds: SECONDS });
      if (counts) least.push(bare);
      const each = (time: number) => time / photos.length;
      rows.push([
        stage,
        digits(1000 / each(times.ours)),
        digits(each(times.ours)),
        limit,
        digits(each(times.bare)),
        digits(times.ours / times.bare),
      ]);
    };
    const one = <T>(work: (photo: Photo) => T) => async () => {
      for (const photo of photos) await work(photo);
    };
    try {
      await row(
        "read",
        "the file's bytes, without their hash",
        one(async ({ file }) => sha256(await Deno.readFile(file))),
        one(({ file }) => Deno.readFile(file)),
      );
      await row(
        "decode",
        "libvips to raw pixels",
        one(({ bytes }) => decodeImage(bytes)),
        one(({ bytes }) => sharp(bytes).raw().toBuffer()),
        true,
      );
      await detectRow(shipped, photos, sessions, row);
      const spec = shipped.setup.classifier.card.input;
      await row(
        "prepare",
        "libvips: whole-pixel crop and resize",
        one(({ picture, samples }) => samples.map(({ region }) => prepare(picture, region, spec))),
        one(({ picture, samples }) => cropByLibvips(picture, samples, spec)),
      );
      const batches = batchesOf(photos, shipped.setup.classifier.batch);
      await classifyRows(shipped, batches, sessions, row);
      await commitRow(shipped, photos, row);
      await row("whole stream", "decode + nets, bare, one after the other", async () => {
        using ledger = Ledger.open(":memory:");
        const registered = registerStages(ledger, shipped.analysis);
        await streamCorpus(shipped.analysis, ledger, ledger.startRun({}), registered);
      }, async () => {
        for (const work of least) await work();
      });
    } finally {
      for (const session of sessions) await session.release();
      await shipped.setup.dispose();
    }
    console.log(textTable(["stage", "images/s", "ms", "limit", "ms", "ratio"], rows));
    const faces = photos.reduce((sum, { samples }) => sum + samples.length, 0);
    console.log(
      `${photos.length} photographs, ${faces} faces; backend native; ratio: our time over the limit's`,
    );
  },
};

type Row = (
  stage: string,
  limit: string,
  ours: () => unknown,
  bare: () => unknown,
  counts?: boolean,
) => Promise<void>;

/** A photograph with everything that the stages make of it. */
interface Photo {
  readonly path: string;
  readonly file: string;
  readonly bytes: Uint8Array;
  readonly picture: DecodedImage;
  readonly found: Detections;
  readonly samples: readonly Sample[];
  readonly work: readonly ReadySample[];
  readonly results: readonly SampleResult[];
}

async function loadPhotos({ analysis, setup }: Shipped): Promise<Photo[]> {
  const photos: Photo[] = [];
  for (const image of analysis.images) {
    const bytes = await Deno.readFile(image.file);
    const picture = await decodeImage(bytes);
    const found = await setup.detector.detect(picture, image.path);
    const pixels = { image: picture, key: sha256(bytes), path: image.path };
    const { samples: work } = await samplesOfImage(analysis, pixels);
    const results = await runSamples(analysis, work);
    const samples = faceSamples(found.faces, setup.crop!);
    photos.push({ ...image, bytes, picture, found, samples, work, results });
  }
  return photos;
}

/** Detection against its two nets alone, on inputs that are ready. */
async function detectRow(
  { setup }: Shipped,
  photos: readonly Photo[],
  sessions: ort.InferenceSession[],
  row: Row,
): Promise<void> {
  const faces = await shippedNetwork("tiny-face");
  const landmarks = await shippedNetwork("face-landmarks");
  const { sizes } = faces.card.decoder as unknown as { sizes: readonly number[] };
  const runs: { session: ort.InferenceSession; feeds: Record<string, ort.Tensor> }[] = [];
  const finder = await bareSession(faces.bytes), locator = await bareSession(landmarks.bytes);
  sessions.push(finder, locator);
  for (const { picture, found } of photos) {
    for (const size of sizes) {
      const spec = { ...faces.card.input, width: size, height: size };
      const data = prepare(picture, frameOf(picture), spec);
      const input = new ort.Tensor("float32", data, [1, 3, size, size]);
      runs.push({ session: finder, feeds: { [spec.name]: input } });
    }
    for (const { box } of found.faces) {
      const spec = landmarks.card.input;
      const data = prepare(picture, landmarkCrop(box, picture)!, spec);
      const input = new ort.Tensor("float32", data, [1, 3, spec.height, spec.width]);
      runs.push({ session: locator, feeds: { [spec.name]: input } });
    }
  }
  await row("detect", "its two nets in bare ONNX Runtime", async () => {
    for (const { picture, path } of photos) await setup.detector.detect(picture, path);
  }, async () => {
    for (const { session, feeds } of runs) await session.run(feeds);
  }, true);
}

async function cropByLibvips(
  { width, height, data }: DecodedImage,
  samples: readonly Sample[],
  to: { readonly width: number; readonly height: number },
): Promise<void> {
  for (const { region } of samples) {
    const left = Math.max(0, Math.round(region.x0)), top = Math.max(0, Math.round(region.y0));
    await sharp(data, { raw: { width, height, channels: 3 } }).extract({
      left,
      top,
      width: Math.min(width, Math.round(region.x1)) - left,
      height: Math.min(height, Math.round(region.y1)) - top,
    }).resize(to.width, to.height, { fit: "fill", kernel: "linear" }).raw().toBuffer();
  }
}

/** Forward pass, maps and scores of all samples in full batches. */
async function classifyRows(
  { setup: { classifier, compute, methods, target } }: Shipped,
  batches: readonly Batch[],
  sessions: ort.InferenceSession[],
  row: Row,
): Promise<void> {
  const { bytes, card } = await shippedNetwork(classifier.card.name);
  const session = await bareSession(bytes);
  sessions.push(session);
  const bareForward = async () => {
    for (const { input } of batches) {
      const shape = [classifier.batch, ...input.shape.slice(1)];
      const padded = new Float32Array(shape.reduce((a, b) => a * b));
      padded.set(input.data);
      await session.run({ [card.input.name]: new ort.Tensor("float32", padded, shape) });
    }
  };
  await row(
    "forward",
    "the uncut classifier in bare ONNX Runtime",
    async () => {
      for (const { input } of batches) (await classifier.forward(input)).dispose();
    },
    bareForward,
    true,
  );

  const forwards: Forward[] = [];
  for (const { input } of batches) forwards.push(await classifier.forward(input));

  const explain = async (at: number): Promise<MapBatch> => {
    const { predicted, keys } = batches[at]!;
    const context = createContext(classifier, forwards[at]!, target, { seed: 0, keys });
    const classes = Array.from({ length: classifier.batch }, (_, i) => predicted[i] ?? 0);
    const attribution = await methods[0]!.compute(context, classes);
    const made = toMapBatch(compute, classifier, methods[0]!, forwards[at]!, attribution);
    return { ...made, rectify: false };
  };
  const maps = await Promise.all(batches.map((_, at) => explain(at)));
  await row("explain (Grad-CAM)", "one more forward pass, bare", async () => {
    for (const at of batches.keys()) await rawMaps(compute, await explain(at));
  }, bareForward);

  const frame = {
    width: classifier.inputShape[2],
    height: classifier.inputShape[1],
    placement: classifier.placement,
  };
  await row("score", "full-size maps, pixel by pixel", async () => {
    for (const [at, batch] of maps.entries()) {
      await scoreMaps(compute, { ...batch, rectify: true }, frame, batches[at]!.boxes, "exact");
    }
  }, async () => {
    for (const [at, batch] of maps.entries()) {
      await pixelByPixel(compute, { ...batch, rectify: true }, frame, batches[at]!.boxes);
    }
  });
  forwards.forEach((forward) => forward.dispose());
}

/** A full batch, or the last one. */
interface Batch {
  readonly input: Tensor;
  readonly predicted: readonly number[];
  readonly keys: readonly string[];
  readonly boxes: readonly { map: number; rect: ReadySample["boxes"][number]["rect"] }[];
}

function batchesOf(photos: readonly Photo[], size: number): Batch[] {
  const all = photos.flatMap(({ work, results }) =>
    work.map((sample, i) => ({ sample, predicted: results[i]!.prediction.predicted }))
  );
  return slices(all, size).map((some) => {
    const inputs = some.map(({ sample: { input } }) => input);
    const length = inputs[0]!.length;
    const data = new Float32Array(some.length * length);
    inputs.forEach((input, i) => data.set(input, i * length));
    const side = Math.sqrt(length);
    return {
      input: floats([some.length, 1, side, side], data),
      predicted: some.map(({ predicted }) => predicted),
      keys: some.map(({ sample: { key } }) => key),
      boxes: some.flatMap(({ sample: { boxes } }, map) => boxes.map(({ rect }) => ({ map, rect }))),
    };
  });
}

function slices<T>(items: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size));
  return parts;
}

/** Writing all results into a new ledger, against as many bytes in as many rows of a table without keys. */
async function commitRow({ analysis }: Shipped, photos: readonly Photo[], row: Row): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-bench-" });
  let files = 0;
  const images = photos.map(({ path, bytes, found, samples, results }, ordinal) => {
    const image = new PendingImage({
      row: { path, sha256: sha256(bytes), bytes: bytes.length, status: "ok" },
      ordinal,
      reused: false,
      detection: found,
      samples,
    }, results.length);
    results.forEach((result, i) => image.take(i, result, analysis.classifier.classes));
    return image;
  });
  try {
    await row("commit", "its rows in a table without keys", () => {
      using ledger = Ledger.open(join(folder, `${files++}.sqlite`));
      const registered = registerStages(ledger, analysis);
      const run = ledger.startRun({});
      ledger.commit((writer) => images.forEach((image) => image.write(writer, run, registered)));
    }, () => {
      const database = new DatabaseSync(join(folder, `${files++}.sqlite`));
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      database.exec("CREATE TABLE row (a, b, c, d, e, f, g, h)");
      const insert = database.prepare("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
      database.exec("BEGIN");
      for (const { path, samples, found, results } of photos) {
        for (const { label, x0, y0, x1, y1 } of found.boxes) {
          insert.run(path, label, x0, y0, x1, y1, 0, 0);
        }
        samples.forEach(({ region: { x0, y0, x1, y1 } }, i) => {
          const { prediction, maps: [map] } = results[i]!;
          const blob = (data: Float32Array) =>
            Buffer.from(data.buffer, data.byteOffset, data.byteLength);
          insert.run(path, i, x0, y0, x1, y1, 0, 0);
          insert.run(path, i, blob(prediction.probabilities), null, 0, 0, 0, 0);
          insert.run(path, i, blob(map!.map!.raw), null, 0, 0, 0, 0);
          for (const { box, importance, share } of map!.scores) {
            insert.run(i, 0, 0, box, importance, share, 0, 0);
          }
        });
      }
      database.exec("COMMIT");
      database.close();
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
