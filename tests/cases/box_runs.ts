/** Runs of `analyze` with boxes made elsewhere, over small pictures that are drawn here. */

import { parse } from "csv-parse/sync";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";

/** A hand-made classifier: its logits are the mean red, green and blue, and the CAM of a class is its colour. */
const CLASSIFIER = fileURLToPath(new URL("rgb.json", import.meta.url));

/** The columns of boxes in CSV. */
export const HEADER = "image,label,confidence,x0,y0,x1,y1\n";

/** A picture's size, and its EXIF orientation. */
interface Size {
  readonly width?: number;
  readonly height?: number;
  readonly turn?: number;
}

/** Draws a picture that is like no other of another seed; 64 × 64 pixels unless said otherwise. The name's ending is its format. */
export async function draw(
  file: string,
  seed: number,
  { width = 64, height = 64, turn }: Size = {},
): Promise<void> {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 3) {
      data.set([200 * x / width + seed % 50, 150 * y / height, (x + y + 7 * seed) % 40], i);
    }
  }
  await Deno.mkdir(dirname(file), { recursive: true });
  let picture = sharp(data, { raw: { width, height, channels: 3 } });
  if (turn !== undefined) picture = picture.withMetadata({ orientation: turn });
  await (/\.jpg$/.test(file) ? picture.jpeg() : picture.png()).toFile(file);
}

/** One row of a table, by column. */
export type Row = Readonly<Record<string, string>>;

/** What a run with boxes gave. */
export interface BoxRun {
  readonly status: number;
  readonly err: string;
  /** The notes on standard error, without the word before them. */
  readonly notes: readonly string[];
  /** boxes.csv; nothing where there is none. */
  readonly boxes: readonly Row[];
}

/** Runs `analyze` with the arguments, and reads what it wrote into the folder `out`. */
export async function analyzeBoxes(out: string, ...args: string[]): Promise<BoxRun> {
  const { status, err } = await emocam(
    ...["analyze", ...args, "--classifier", CLASSIFIER, "--out", out, "--backend", "wasm"],
  );
  const boxes = await rowsOf(join(out, "boxes.csv"));
  const notes = [...err.matchAll(/^note: (.*)$/gm)].map(([, note]) => note!);
  return { status, err, notes, boxes: status === 0 ? boxes : [] };
}

/** The rows of a CSV file; none where there is no file. */
export async function rowsOf(file: string): Promise<Row[]> {
  const text = await Deno.readTextFile(file).catch(() => "");
  return parse(text, { columns: true });
}

/** `image: label` of every box, sorted. */
export function places({ boxes }: BoxRun): string[] {
  return boxes.map(({ image, label }) => `${image}: ${label}`).sort();
}

/** A folder with pictures of these paths, and other files. */
export async function withPictures(
  pictures: readonly string[],
  files: Readonly<Record<string, string>>,
  use: (at: (path: string) => string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const at = (path: string) => join(folder, path);
    for (const [i, path] of pictures.entries()) await draw(at(path), i + 1);
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(at(path)), { recursive: true });
      await Deno.writeTextFile(at(path), text);
    }
    await use(at);
  });
}
