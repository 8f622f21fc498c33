/**
 * The paper's whole procedure, `analyze --preset paper`, over pictures of FindingEmo's sizes with EmoNet and YOLOv3-601 at their full size.
 *
 *     deno task bench paper [COUNT]
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ort from "onnxruntime-node";
import sharp from "sharp";
import { createRng, type Rng } from "../src/base/rng.ts";
import { textTable } from "../src/commands/terminal.ts";
import { PAPER_SETTINGS } from "../src/experiments/paper/mod.ts";
import { MODELS_FOLDER } from "../src/runtime/card.ts";
import { type Benchmark, digits } from "./benchmark.ts";
import { writeEmonet, writeYolo } from "./paper_models.ts";
import { bareSession } from "./shipped.ts";

/**
 * What the published code and its parts take, seconds an image: 2 cores of a Xeon with AVX-512, 2 threads, float32, minimum of 3; Python 3.11,
 * PyTorch 2.15, pytorch-grad-cam 1.5.7, captum 0.9.0, OpenCV 5.0, Pillow 13; random weights. The whole is for one image and one method
 * (Grad-CAM): it decodes twice, runs EmoNet three times, and YOLO again for each method.
 */
const PEER = {
  imageAndMethod: 1.10,
  yolo: { onnxruntime: 0.48 },
  methods: {
    "grad-cam": 0.092,
    "ablation-cam": 3.70,
    "lime-cam": 1.93,
    "lift-cam": 0.049,
    "lrp-cam": 0.047,
  },
} as const;

/** Widths and heights of photographs on the web, with how many of ten have them. */
const SIZES = [
  [1024, 683, 2],
  [1200, 800, 1],
  [1280, 853, 1],
  [1500, 1000, 1],
  [1600, 1067, 1],
  [800, 1200, 1],
  [1920, 1080, 1],
  [1000, 1000, 1],
  [2000, 1333, 1],
] as const;

/** Images of the run with one method. */
const ONE_METHOD = 40;

const EMOTIONS = ["Anger", "Anticipation", "Fear", "Grief", "Interest", "Joy", "Serenity", "Trust"];

/** What a run said of itself. */
interface Told {
  readonly seconds: number;
  readonly images: number;
  readonly boxes: number;
  readonly milliseconds: Readonly<Record<string, number>>;
}

export const paper: Benchmark = {
  name: "paper",
  title: "the paper's procedure over photographs of the web's sizes, at full size, backend native",
  long: true,
  async run([count = "200"]) {
    const images = Number(count);
    if (!Number.isInteger(images) || images < 1) {
      throw new RangeError(`Cannot run ${count} images: give a whole number of at least 1`);
    }
    const folder = await Deno.makeTempDir({ prefix: "emocam-bench-" });
    try {
      const corpus = join(folder, "images"), models = join(folder, "models");
      await Deno.mkdir(corpus);
      await Deno.mkdir(models);
      const { megapixels, files } = await writePictures(corpus, images);
      await writeEmonet(models);
      await writeYolo(models, PAPER_SETTINGS.objects as readonly string[], files.slice(0, 6));
      console.log(
        `${images} JPEGs of ${digits(megapixels / images)} megapixels on average; ` +
          `EmoNet 227 × 227, YOLOv3 with 601 classes at 608 × 608, random weights`,
      );
      const run = async (out: string, ...args: string[]) =>
        await analyze(models, join(folder, out), [
          ...[corpus, join(corpus, "annotations_single.ann"), "--preset", "paper"],
          ...["--backend", "native", ...args],
        ]);
      const before = await bareYolo(models);
      const all = await run("all");
      printStages("the preset: five methods", all);
      const few = Math.min(images, ONE_METHOD);
      const one = await run("one", "--methods", "grad-cam", "--limit", String(few));
      printStages("one method: grad-cam", one);
      const again = await run("all", "--object-confidence", "0.2");
      console.log(
        `other filters over the same images: ${digits(again.seconds)} s for all ${again.images}`,
      );
      printPeer(all, one, Math.min(before, await bareYolo(models)));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Writes pictures that differ in size, part, scale and noise, and annotations of them. @returns megapixels in all, and the files */
async function writePictures(
  folder: string,
  images: number,
): Promise<{ megapixels: number; files: string[] }> {
  const photos = [...Deno.readDirSync(join(MODELS_FOLDER, "photos"))].map(({ name }) => name)
    .filter((name) => /^group.*\.jpg$/.test(name)).sort();
  const sizes = SIZES.flatMap(([width, height, times]) =>
    Array.from({ length: times }, () => ({ width, height }))
  );
  let pixels = 0;
  const files: string[] = [];
  const lines = [
    "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime",
  ];
  for (let i = 0; i < images; i++) {
    const rng = createRng(1).split(i);
    const size = sizes[rng.below(sizes.length)]!;
    const name = `Run_${1 + i % 2}/folder ${i % 20}/${String(i).padStart(5, "0")}.jpg`;
    const file = join(folder, name);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await writePicture(join(MODELS_FOLDER, "photos", photos[i % photos.length]!), file, size, rng);
    files.push(file);
    pixels += size.width * size.height;
    for (let judge = 0; judge < (i % 10 === 0 ? 2 : 1); judge++) {
      const emotion = EMOTIONS[rng.below(EMOTIONS.length)]!;
      const [valence, arousal, ambiguity] = [rng.below(7) - 3, rng.below(7), rng.below(5)];
      lines.push(
        `${lines.length},user,/${name},Undefined,Adult,${valence},${arousal},${emotion},Body Language,${ambiguity},2023-01-01`,
      );
    }
  }
  await Deno.writeTextFile(join(folder, "annotations_single.ann"), lines.join("\n") + "\n");
  return { megapixels: pixels / 1e6, files };
}

/** A part of a photograph, between half and all of what fits, scaled to a size, with noise of ±6 levels. */
async function writePicture(
  photo: string,
  to: string,
  { width, height }: { readonly width: number; readonly height: number },
  rng: Rng,
): Promise<void> {
  const source = sharp(photo);
  const own = await source.metadata();
  const fit = Math.min(own.width / width, own.height / height) * (0.5 + 0.5 * rng.uniform());
  const [w, h] = [Math.floor(width * fit), Math.floor(height * fit)];
  const pixels = await source
    .extract({
      left: rng.below(own.width - w + 1),
      top: rng.below(own.height - h + 1),
      width: w,
      height: h,
    })
    .resize(width, height, { fit: "fill" }).removeAlpha().raw().toBuffer();
  const noisy = new Uint8ClampedArray(pixels.length);
  for (let i = 0; i < pixels.length; i += 4) {
    const bits = rng.bits();
    for (let k = 0; k < 4 && i + k < pixels.length; k++) {
      noisy[i + k] = pixels[i + k]! + (((bits >>> (8 * k)) & 255) / 127.5 - 1) * 6;
    }
  }
  await sharp(noisy, { raw: { width, height, channels: 3 } }).jpeg({ quality: 88 }).toFile(to);
}

/** Runs `analyze` as a process. @throws {Error} when it fails */
async function analyze(models: string, out: string, args: readonly string[]): Promise<Told> {
  const main = fileURLToPath(new URL("../main.ts", import.meta.url));
  const permissions = ["read", "write", "env", "ffi", "sys"].map((name) => `--allow-${name}`);
  const started = performance.now();
  const { success, code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", ...permissions, main, "analyze", ...args, "--out", out],
    env: { EMOCAM_MODELS: models },
    stdout: "null",
    stderr: "piped",
  }).output();
  const seconds = (performance.now() - started) / 1000;
  if (!success) {
    throw new Error(
      `Cannot run analyze: it ended with ${code}: ${new TextDecoder().decode(stderr)}`,
    );
  }
  const { summary } = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
  return { seconds, ...summary };
}

const STAGES: Readonly<Record<string, string>> = {
  read: "read, waited for",
  decode: "decode, waited for",
  detect: "letterbox, YOLOv3, boxes, suppression",
  prepare: "bicubic resize, mean image",
  forward: "EmoNet",
  explain: "maps of the methods",
  score: "box means",
  commit: "ledger",
};

function printStages(title: string, { images, boxes, seconds, milliseconds }: Told): void {
  const rows = Object.entries(milliseconds).map(([stage, time]) => [
    STAGES[stage] ?? stage,
    (time / 1000 / images).toFixed(4),
  ]);
  const streamed = Object.values(milliseconds).reduce((a, b) => a + b, 0) / 1000;
  rows.push(["start, tables, report, paper/", ((seconds - streamed) / images).toFixed(4)]);
  rows.push(["all, by the clock", (seconds / images).toFixed(4)]);
  console.log(`\n${title}, ${images} images, ${digits(boxes / images)} boxes an image:\n`);
  console.log(textTable(["stage", "seconds an image"], rows));
}

/** Seconds that the network of YOLOv3 takes in ONNX Runtime alone: the least of some rounds, as the published code's figures are. */
async function bareYolo(models: string): Promise<number> {
  const bytes = await Deno.readFile(join(models, "yolov3-openimages.onnx"));
  const session = await bareSession(bytes);
  const input = new ort.Tensor("float32", new Float32Array(3 * 608 * 608), [1, 3, 608, 608]);
  try {
    let least = Infinity;
    for (let round = 0; round < 8; round++) {
      const started = performance.now();
      await session.run({ input });
      least = Math.min(least, performance.now() - started);
    }
    return least / 1000;
  } finally {
    await session.release();
  }
}

function printPeer(all: Told, one: Told, yolo: number): void {
  const { "grad-cam": gradCam, ...others } = PEER.methods;
  const extra = Object.values(others).reduce((sum, time) => sum + time - gradCam, 0);
  const five = 5 * PEER.imageAndMethod + extra;
  const speed = PEER.yolo.onnxruntime / yolo;
  const row = (what: string, peer: number, told: Told) => {
    const own = told.seconds / told.images;
    const there = own * speed;
    return [what, own.toFixed(2), there.toFixed(2), peer.toFixed(2), digits(peer / there)];
  };
  console.log(
    `\nYOLOv3 in bare ONNX Runtime takes ${digits(yolo)} s here and ` +
      `${PEER.yolo.onnxruntime} s on the machine of the published code's figures, by which times are scaled:\n`,
  );
  console.log(textTable(["", "emocam s", "scaled s", "published s", "ratio"], [
    row("an image, Grad-CAM", PEER.imageAndMethod, one),
    row("an image, five methods", five, all),
  ]));
  console.log(
    "published, five methods: five times the whole procedure, and what the other four methods take more than Grad-CAM, added up",
  );
}
