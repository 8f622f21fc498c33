/**
 * `deno run -A build/default_picture.ts [FILE]`: the README's picture, `docs/default-run.png`, made from the default run itself:
 * its phi matrix, and the overlay of the photograph that is in the public domain.
 *
 * The commands run as a user would run them; the figures are drawn from what they wrote, with text as outlines, so that the picture
 * does not depend on the fonts of a machine.
 *
 * @module
 */

import { parse } from "csv-parse/sync";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { heatMatrix } from "../src/figures/mod.ts";
import { svgToPng } from "../src/image/render.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const PHOTOGRAPH = "models/photos/astronaut.jpg";
/** The matrix is drawn larger than in the report, so that its text is as large as the overlay's when the picture is shown at half its size. */
const SCALE = 1.6;
const GAP = 24;

/** Runs `emocam ARGS`. @throws {Error} with what it printed when it fails. */
async function emocam(...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "main.ts", ...args],
    cwd: ROOT,
  }).output();
  if (success) return;
  const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  throw new Error(`Cannot make the picture: emocam ${args.join(" ")} failed:\n${printed}`);
}

/** The phi matrix of a run as PNG. */
async function matrixPicture(run: string): Promise<Uint8Array> {
  const table = await Deno.readTextFile(join(run, "matrices", "grad-cam.phi.csv"));
  const [[, ...classes], ...rows] = parse(table) as string[][];
  const predictions = parse(await Deno.readTextFile(join(run, "predictions.csv"))) as string[][];
  const svg = heatMatrix({
    measure: "phi",
    method: "grad-cam",
    objects: rows.map(([object]) => object),
    classes,
    values: rows.flatMap(([, ...cells]) => cells.map(Number)),
    threshold: 0.3,
    units: "phi, −1..1",
    n: predictions.length - 1,
  }, { text: "outlines" });
  return await drawn(svg);
}

/** The only overlay that `explain` left in a folder. */
async function overlayPicture(folder: string): Promise<Uint8Array> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const [name, ...others] = names.filter((name) => name.endsWith(".png"));
  if (name === undefined || others.length > 0) {
    throw new Error(`Cannot make the picture: ${folder} holds ${names.length} files; one expected`);
  }
  return await Deno.readFile(join(folder, name));
}

/** An SVG as PNG, larger than its own size. */
async function drawn(svg: string): Promise<Uint8Array> {
  const width = Number(/<svg\b[^>]*\swidth="([0-9.]+)"/.exec(svg)![1]);
  return await svgToPng(svg, { width: Math.round(width * SCALE) });
}

/** Two pictures side by side on white, centred, as a PNG of 256 colours. */
async function beside(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  const [a, b] = await Promise.all(
    [left, right].map(async (bytes) => {
      const { width, height } = await sharp(bytes).metadata();
      return { input: Buffer.from(bytes), width, height };
    }),
  );
  const height = Math.max(a.height, b.height);
  const blank = {
    width: a.width + GAP + b.width,
    height,
    channels: 3,
    background: "#fff",
  } as const;
  const centred = (part: { height: number }) => Math.round((height - part.height) / 2);
  const png = await sharp({ create: blank }).composite([
    { input: a.input, left: 0, top: centred(a) },
    { input: b.input, left: a.width + GAP, top: centred(b) },
  ]).png({ palette: true, quality: 90, compressionLevel: 9, effort: 10 }).toBuffer();
  return new Uint8Array(png);
}

if (import.meta.main) {
  const file = Deno.args[0] ?? join(ROOT, "docs", "default-run.png");
  const folder = await Deno.makeTempDir({ prefix: "emocam-picture-" });
  try {
    const run = join(folder, "run"), explained = join(folder, "explain");
    await emocam("analyze", "--out", run);
    await emocam("explain", PHOTOGRAPH, "--out", explained);
    const png = await beside(await matrixPicture(run), await overlayPicture(explained));
    await Deno.writeFile(file, png);
    console.log(`${file}: ${Math.round(png.length / 1024)} KB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
