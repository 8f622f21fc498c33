/**
 * Memory over a long run: many small noisy face crops through `analyze` as a separate process, whose resident memory is
 * watched from outside.
 *
 *     deno task bench:memory [COUNT]
 *
 * @module
 */

import { join } from "node:path";
import { createRng, type Rng } from "../src/base/rng.ts";
import { textTable } from "../src/commands/terminal.ts";
import { openDetector } from "../src/detectors/mod.ts";
import { cropResize } from "../src/image/crop.ts";
import { decodeImage } from "../src/image/decode.ts";
import type { Rect } from "../src/image/geometry.ts";
import { type RgbImage, rgbImage } from "../src/image/image.ts";
import { encodeJpeg } from "../src/image/render.ts";
import { type DetectorCard, findCard, type Located, MODELS_FOLDER } from "../src/runtime/card.ts";
import { type Benchmark, digits } from "./benchmark.ts";

const SIDE = 200;
/** Noise, in levels up or down. */
const NOISE = 12;
/** Rows of the curve that are printed. */
const ROWS = 20;
/** Between two looks at the process, milliseconds. */
const INTERVAL = 1000;

/** One look at the process. */
interface Look {
  readonly seconds: number;
  readonly mebibytes: number;
  /** Images that were finished at the time. */
  readonly images: number;
}

export const memory: Benchmark = {
  name: "memory",
  title: "resident memory of analyze over many small images",
  long: true,
  async run([count = "10000"]) {
    if (Deno.build.os !== "linux") {
      console.log("skipped: resident memory is read from /proc, which this system has not");
      return;
    }
    const images = Number(count);
    if (!Number.isInteger(images) || images < 1) {
      throw new RangeError(`Cannot run ${count} images: give a whole number of at least 1`);
    }
    const folder = await Deno.makeTempDir({ prefix: "emocam-bench-" });
    try {
      const corpus = join(folder, "images");
      await Deno.mkdir(corpus);
      const started = performance.now();
      await writeCorpus(corpus, images);
      console.log(
        `${images} noisy face crops of ${SIDE} x ${SIDE} pixels written in ` +
          `${digits((performance.now() - started) / 1000)} s`,
      );
      const watched = await watch(["analyze", corpus, "--out", join(folder, "run")]);
      printCurve(watched, images);
      await printStages(join(folder, "run", "run.json"), images);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
};

/** Writes images that differ in crop and noise: squares around the faces of the photographs that ship. */
export async function writeCorpus(folder: string, images: number): Promise<void> {
  const faces = await findFaces();
  for (let i = 0; i < images; i++) {
    const { picture, box } = faces[i % faces.length]!;
    const rng = createRng(1).split(i);
    const name = `${String(i).padStart(7, "0")}.jpg`;
    await Deno.writeFile(join(folder, name), await encodeJpeg(noisyCrop(picture, box, rng)));
  }
}

async function findFaces(): Promise<{ picture: RgbImage; box: Rect }[]> {
  const located = await findCard("face-parts");
  const detector = await openDetector(located as Located<DetectorCard>, "native");
  const photos = join(MODELS_FOLDER, "photos");
  const faces: { picture: RgbImage; box: Rect }[] = [];
  for (const { name } of [...Deno.readDirSync(photos)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (!name.endsWith(".jpg")) continue;
    const picture = await decodeImage(await Deno.readFile(join(photos, name)));
    const found = await detector.detect(picture, name);
    faces.push(...found.faces.map(({ box }) => ({ picture, box })));
  }
  await detector.dispose();
  return faces;
}

/** A square around a face, 1.6 to 2.4 times as wide and moved a little, with uniform noise. */
function noisyCrop(picture: RgbImage, { x0, y0, x1, y1 }: Rect, rng: Rng): RgbImage {
  const side = Math.max(x1 - x0, y1 - y0) * (1.6 + 0.8 * rng.uniform());
  const x = (x0 + x1) / 2 + (rng.uniform() - 0.5) * 0.2 * side;
  const y = (y0 + y1) / 2 + (rng.uniform() - 0.5) * 0.2 * side;
  const region = { x0: x - side / 2, y0: y - side / 2, x1: x + side / 2, y1: y + side / 2 };
  const { data } = cropResize(picture, region, SIDE, SIDE, "bilinear");
  const noisy = new Uint8ClampedArray(data.length);
  // Four values of noise from each draw: a byte is enough for one.
  for (let i = 0; i < data.length; i += 4) {
    const bits = rng.bits();
    for (let k = 0; k < 4; k++) {
      noisy[i + k] = data[i + k]! + (((bits >>> (8 * k)) & 255) / 127.5 - 1) * NOISE;
    }
  }
  return rgbImage(SIDE, SIDE, new Uint8Array(noisy.buffer));
}

/** What was seen of a process. */
interface Watched {
  readonly looks: readonly Look[];
  /** Largest resident memory, MiB, and when all images were finished, seconds. */
  readonly peak: number;
  readonly streamed: number;
}

/** Runs emocam and looks at its memory until it ends. @throws {Error} when it fails. */
async function watch(args: readonly string[]): Promise<Watched> {
  const main = new URL("../main.ts", import.meta.url);
  const permissions = ["read", "write", "env", "ffi", "sys"].map((name) => `--allow-${name}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, main.href, ...args],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const started = performance.now();
  const now = () => (performance.now() - started) / 1000;
  const marks: { seconds: number; images: number }[] = [];
  let last = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      last = text;
      for (const [, done] of text.matchAll(/(\d+)\/\d+ images/g)) {
        marks.push({ seconds: now(), images: Number(done) });
      }
    }
  })();
  const seen: { seconds: number; mebibytes: number }[] = [];
  let peak = 0;
  const timer = setInterval(() => {
    const sizes = statusOf(child.pid);
    if (!sizes) return;
    seen.push({ seconds: now(), mebibytes: sizes.now });
    peak = sizes.peak;
  }, INTERVAL);
  const status = await child.status;
  clearInterval(timer);
  await listening;
  if (!status.success) {
    throw new Error(`Cannot watch analyze: it ended with ${status.code}: ${last}`);
  }
  const looks = seen.map((look) => ({ ...look, images: imagesAt(marks, look.seconds) }));
  return { looks, peak, streamed: marks.at(-1)?.seconds ?? now() };
}

/** Resident memory of a process now and at most, in MiB; `undefined` once it has ended. */
function statusOf(pid: number): { now: number; peak: number } | undefined {
  try {
    const text = Deno.readTextFileSync(`/proc/${pid}/status`);
    const size = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1]);
    const sizes = { now: size("VmRSS") / 1024, peak: size("VmHWM") / 1024 };
    return Number.isFinite(sizes.now) ? sizes : undefined;
  } catch {
    return undefined;
  }
}

/** Images finished at a time, on straight lines between the progress messages. */
function imagesAt(marks: readonly { seconds: number; images: number }[], at: number): number {
  let before = { seconds: 0, images: 0 };
  for (const mark of marks) {
    if (mark.seconds >= at) {
      const part = (at - before.seconds) / (mark.seconds - before.seconds);
      return before.images + part * (mark.images - before.images);
    }
    before = mark;
  }
  return before.images;
}

function printCurve({ looks, peak, streamed }: Watched, images: number): void {
  const streaming = looks.filter(({ seconds }) => seconds <= streamed);
  const step = Math.max(1, Math.ceil(streaming.length / ROWS));
  const rows = streaming.filter((_, i) => i % step === 0 || i === streaming.length - 1);
  console.log(textTable(
    ["images", "seconds", "MiB"],
    rows.map((look) => [look.images, look.seconds, look.mebibytes].map((n) => n.toFixed(0))),
  ));
  const after = looks.filter(({ seconds }) => seconds > streamed);
  const most = Math.max(0, ...after.map(({ mebibytes }) => mebibytes));
  console.log(
    `tables, matrices and report: ${digits((looks.at(-1)?.seconds ?? streamed) - streamed)} s, ` +
      `at most ${most.toFixed(0)} MiB; peak of the whole run ${peak.toFixed(0)} MiB`,
  );
  const late = streaming.filter((look) => look.images > images / 3);
  console.log(
    `verdict: over the last two thirds of the images memory changes by ` +
      `${digits(1000 * slope(late))} MiB per 1000 images`,
  );
}

/** Least-squares slope of memory over images, MiB an image; NaN for fewer than two looks. */
function slope(looks: readonly Look[]): number {
  const mean = (of: (look: Look) => number) =>
    looks.reduce((sum, look) => sum + of(look), 0) / looks.length;
  const x = mean(({ images }) => images), y = mean(({ mebibytes }) => mebibytes);
  const covariance = mean(({ images, mebibytes }) => (images - x) * (mebibytes - y));
  return covariance / mean(({ images }) => (images - x) ** 2);
}

/** Rates by stage, from the run's own clock. */
async function printStages(manifest: string, images: number): Promise<void> {
  const { summary } = JSON.parse(await Deno.readTextFile(manifest)) as {
    summary: { milliseconds: Record<string, number>; samples: number };
  };
  const { milliseconds, samples } = summary;
  const rows = Object.entries(milliseconds).map(([stage, time]) => [
    stage,
    digits(time / images),
    time > 0 ? digits(1000 * images / time) : "n/a",
  ]);
  console.log(
    `\n${samples} samples; by stage (for reading and decoding, the time that the rest waited):`,
  );
  console.log(textTable(["stage", "ms an image", "images/s"], rows));
}
