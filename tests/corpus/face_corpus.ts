/** Small corpora for tests: noisy copies of the faces in the photographs that ship, and boxes for them. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { createRng, type Rng } from "../../src/base/rng.ts";

/** Squares around faces: photograph, left, top, side. */
const FACES = [
  ["hopper", 120, 100, 290],
  ["astronaut", 150, 55, 150],
  ["group1", 520, 270, 210],
  ["group2", 560, 160, 190],
  ["group3", 660, 135, 250],
  ["group4", 395, 35, 210],
  ["group5", 475, 65, 195],
  ["group6", 395, 225, 235],
] as const;

const PHOTOS = new URL("../../models/photos/", import.meta.url);

/** What a made corpus consists of. */
export interface FaceCorpus {
  /** File names, in order of their numbers. */
  readonly names: readonly string[];
  /** A file of boxes in CSV: two or three objects an image. */
  readonly boxes: string;
}

/** How the pictures are made. */
export interface FaceOptions {
  /** Width and height in pixels. */
  readonly size?: number;
  readonly seed?: number;
  /** Standard deviation of the noise, 0..255. */
  readonly noise?: number;
  /** What is added on each side, as a part of the face; with none a face detector overlooks many. */
  readonly margin?: number;
}

/**
 * Writes `count` PNG files, each another face or another noise, and `boxes.csv` beside the folder's images (in `tables`).
 * The same arguments give the same bytes.
 */
export async function makeFaces(
  folder: string,
  count: number,
  { size = 72, seed = 1, noise = 12, margin = 0 }: FaceOptions = {},
): Promise<FaceCorpus> {
  await Deno.mkdir(folder, { recursive: true });
  const pictures = await Promise.all(
    FACES.slice(0, count).map(([name, x, y, face]) => {
      const left = Math.max(0, Math.round(x - margin * face));
      const top = Math.max(0, Math.round(y - margin * face));
      const side = Math.round(face * (1 + 2 * margin));
      return sharp(fileURLToPath(new URL(`${name}.jpg`, PHOTOS)))
        .extract({ left, top, width: side, height: side }).resize(size, size).raw().toBuffer();
    }),
  );
  const rng = createRng(seed);
  const names = Array.from({ length: count }, (_, i) => `face${String(i).padStart(3, "0")}.png`);
  await Promise.all(names.map((name, i) => {
    const own = rng.split(i);
    const pixels = pictures[i % pictures.length].map((value) =>
      Math.max(0, Math.min(255, value + Math.round(noise * own.normal())))
    );
    return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
      .png({ compressionLevel: 1 }).toFile(join(folder, name));
  }));
  const lines = names.flatMap((name, i) => boxLines(name, size, margin, rng.split(`boxes ${i}`)));
  const boxes = `${folder}.boxes.csv`;
  await Deno.writeTextFile(
    boxes,
    ["image,label,confidence,x0,y0,x1,y1", ...lines].join("\n") + "\n",
  );
  return { names, boxes };
}

/** Boxes where a face's parts roughly are, moved a little; the hat is there in every second image. */
function boxLines(name: string, size: number, margin: number, rng: Rng): string[] {
  const place = (at: number) => (margin + at) / (1 + 2 * margin) * size;
  const parts: [string, number, number, number, number][] = [
    ["mouth", .3, .65, .7, .85],
    ["eye", .15, .3, .85, .5],
    ...(rng.below(2) ? [["hat", .1, -.1, .9, .2] as [string, number, number, number, number]] : []),
  ];
  return parts.map(([label, ...corners]) =>
    [
      name,
      label,
      .5 + rng.below(50) / 100,
      ...corners.map((at) => place(at + .05 * rng.uniform())),
    ]
      .join(",")
  );
}

/** Runs `use` with a folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-test-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
