/**
 * Pictures that show nothing, with boxes that mean nothing: whatever an analysis claims of them is false. And the same with one object that
 * does decide the prediction.
 *
 * @module
 */

import { join } from "node:path";
import { createRng, type Rng } from "../src/base/rng.ts";
import { cropResize } from "../src/image/crop.ts";
import { decodeImage } from "../src/image/decode.ts";
import { rgbImage } from "../src/image/image.ts";
import { encodePng } from "../src/image/render.ts";
import { MODELS_FOLDER } from "../src/runtime/card.ts";

/** Pixels on a side. */
const SIDE = 64;
/** Boxes of each picture, and how many labels there are. */
const BOXES = 8, LABELS = 601;
/** The object that decides, and the part of the pictures that have it. */
export const TOKEN = "Token";
const PLANTED = 1 / 3;
/** A happy face in the photographs that ship, and how much of a picture's side its copies have. */
const FACE = { file: "astronaut.jpg", x0: 167, y0: 74, x1: 281, y1: 188 };
const FACE_SIDE = [.6, .75] as const;

/** What is made. */
export interface NoiseOptions {
  readonly count: number;
  readonly seed: number;
  /** Side of the squares of one colour, in pixels; by default each picture has another of 1, 2 … 32. */
  readonly grain?: number | undefined;
  /** Whether a third of the pictures show a face. */
  readonly planted?: boolean;
}

/**
 * Writes PNG files into a folder, and beside it the boxes: `FOLDER.csv`, whose path it gives. The same options give the same bytes.
 *
 * Where pictures differ in grain, mini-Xception's classes differ in how much of a picture their maps cover. Then *every* frequent object is
 * salient more often under one class than under another: there is a dependence, of the maps and the class, and Fisher's exact test finds it. A claim
 * about an object needs more than an exact p.
 */
export async function writeNoise(
  folder: string,
  { count, seed, grain, planted = false }: NoiseOptions,
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const photo = await decodeImage(await Deno.readFile(join(MODELS_FOLDER, "photos", FACE.file)));
  const lines = ["image,label,confidence,x0,y0,x1,y1"];
  for (let i = 0; i < count; i++) {
    const rng = createRng(seed).split(i);
    const name = `${String(i).padStart(6, "0")}.png`;
    const pixels = noise(rng.split("picture"), grain);
    if (planted && rng.uniform() < PLANTED) {
      const [least, most] = FACE_SIDE;
      const side = Math.round(SIDE * (least + (most - least) * rng.uniform()));
      const left = rng.below(SIDE - side + 1), top = rng.below(SIDE - side + 1);
      const face = cropResize(photo, FACE, side, side, "bilinear");
      for (let y = 0; y < side; y++) {
        const row = face.data.subarray(y * side * 3, (y + 1) * side * 3);
        pixels.set(row, ((top + y) * SIDE + left) * 3);
      }
      lines.push([name, TOKEN, .9, left, top, left + side, top + side].join());
    }
    const rgba = new Uint8Array(SIDE * SIDE * 4).fill(255);
    for (let at = 0; at < SIDE * SIDE; at++) {
      for (let c = 0; c < 3; c++) rgba[at * 4 + c] = pixels[at * 3 + c];
    }
    await Deno.writeFile(
      join(folder, name),
      await encodePng({ width: SIDE, height: SIDE, data: rgba }),
    );
    lines.push(...randomBoxes(name, rng.split("boxes")));
  }
  const boxes = `${folder}.csv`;
  await Deno.writeTextFile(boxes, `${lines.join("\n")}\n`);
  return boxes;
}

/** Squares of random colours. */
function noise(rng: Rng, grain = 2 ** rng.below(6)): Uint8Array {
  const cells = Math.ceil(SIDE / grain);
  const colours = Uint8Array.from({ length: cells * cells * 3 }, () => rng.below(256));
  const pixels = rgbImage(SIDE, SIDE).data;
  for (let y = 0, at = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const cell = Math.floor(y / grain) * cells + Math.floor(x / grain);
      for (let c = 0; c < 3; c++) pixels[at++] = colours[cell * 3 + c];
    }
  }
  return pixels;
}

/** Boxes anywhere, of an eighth to all of the side; the label of rank r has a chance of about 1/r (Zipf's law). */
function randomBoxes(name: string, rng: Rng): string[] {
  return Array.from({ length: BOXES }, () => {
    const rank = Math.floor((LABELS + 1) ** rng.uniform());
    const [width, height] = [0, 1].map(() => SIDE * (.125 + .875 * rng.uniform()));
    const x0 = (SIDE - width) * rng.uniform(), y0 = (SIDE - height) * rng.uniform();
    const confidence = .05 + .95 * rng.uniform();
    return [
      name,
      `object ${String(rank).padStart(3, "0")}`,
      ...[confidence, x0, y0, x0 + width, y0 + height].map((value) => value.toFixed(4)),
    ].join();
  });
}
