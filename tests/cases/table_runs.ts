/** Runs of the hand-made classifier over small folders and tables, and what their tables say. */

import { parse } from "csv-parse/sync";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "../../src/image/render.ts";
import { emocam, type Outcome } from "../commands/cli.ts";

const CLASSIFIER = fileURLToPath(new URL("rgb.json", import.meta.url));

let painted = 0;

/** A picture of one colour, another one each time, in a folder that is made for it. */
export async function paint(file: string): Promise<void> {
  const shade = 100 + painted++ % 100;
  const data = new Uint8Array(32 * 32 * 4);
  for (let i = 0; i < data.length; i += 4) data.set([shade, 10, 10, 255], i);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeFile(file, await encodePng({ width: 32, height: 32, data }));
}

/** Writes a file with its folder. */
export async function put(file: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true });
  await (typeof content === "string"
    ? Deno.writeTextFile(file, content)
    : Deno.writeFile(file, content));
}

export interface Analyzed extends Outcome {
  /** Rows of images.csv; none where the run wrote none. */
  readonly images: readonly Readonly<Record<string, string>>[];
  /** Of run.json. */
  readonly notices: readonly string[];
}

/** `analyze` over paths in a folder, with the folder's `boxes.csv` if it has one. */
export async function analyze(
  folder: string,
  paths: readonly string[],
  ...options: string[]
): Promise<Analyzed> {
  const out = join(await Deno.makeTempDir({ dir: folder, prefix: ".out" }), "run");
  const boxes = options.includes("--detector") ? [] : ["--detector", join(folder, "boxes.csv")];
  if (boxes.length > 0) await put(join(folder, "boxes.csv"), BOXES);
  const outcome = await emocam(
    "analyze",
    ...paths.map((path) => join(folder, path)),
    ...["--classifier", CLASSIFIER, "--methods", "cam", ...boxes, "--out", out, ...options],
  );
  const text = await Deno.readTextFile(join(out, "images.csv")).catch(() => "");
  const run = await Deno.readTextFile(join(out, "run.json")).catch(() => '{"notices":[]}');
  return {
    ...outcome,
    images: parse(text, { columns: true }) as Record<string, string>[],
    notices: JSON.parse(run).notices,
  };
}

const BOXES = "image,label,confidence,x0,y0,x1,y1\n" +
  ["a.png", "b.png", "m\u00fcll.png"].map((name) => `${name},thing,1,0,0,16,16\n`).join("");
