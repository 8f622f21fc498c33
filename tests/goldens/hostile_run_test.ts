import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";

/** What is refused, and why; every other file of the folder is analysed. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "badcrc.png": /PNG/,
  "bomb.png": /60000 x 60000 pixels are over the limit/,
  "prog_truncated.jpg": /truncated JPEG/,
  "text.jpg": /unknown format/,
  "truncated.jpg": /truncated JPEG/,
  "truncated.png": /truncated PNG/,
  "truncated_header.jpg": /truncated JPEG header/,
  "zero.jpg": /the file is empty/,
  "zero_width.png": /PNG header/,
};

/** Pictures that are the same pixels, or nearly: their predictions must be alike to the tolerance. */
const ALIKE: readonly (readonly [string, string, number])[] = [
  ["rgba.png", "src.png", 0],
  ["interlaced.png", "src.png", 0],
  ["png_named.jpg", "src.png", 0],
  ["name with spaces & é中.png", "src.png", 0],
  ["palette.png", "palette_as_rgb.png", 0],
  ["rgb16.png", "src.png", 0.02],
  ["gray16.png", "gray.png", 0.02],
  ["cmyk.jpg", "cmyk_as_rgb.png", 0.1],
  ["trailing.jpg", "src.png", 0.15],
  ["progressive.jpg", "src.png", 0.15],
];

type Row = Record<string, string>;

async function table(folder: string, name: string): Promise<Row[]> {
  return parse(await Deno.readTextFile(join(folder, name)), { columns: true });
}

goldenTest(
  "all hostile pictures in one folder: the good are analysed as what they are, each bad one has its line",
  (goldens) =>
    withFolder(async (folder) => {
      const pictures = fileURLToPath(new URL("detector/hostile/", goldens));
      const out = join(folder, "run");
      const args = ["analyze", pictures, "--samples", "image", "--out", out];
      const { status, err } = await emocam(...args);
      assert.equal(status, 0, err);
      const lines = err.split("\n").filter((line) => line.startsWith("failed: "));
      const images = await table(out, "images.csv");
      assert.equal(images.length, 32);
      assert.equal(lines.length, Object.keys(REFUSED).length);
      for (const { path, status, error, samples } of images) {
        const reason = REFUSED[path!];
        assert.deepEqual([status, samples], reason ? ["failed", "0"] : ["ok", "1"], path);
        assert.match(error!, reason ?? /^$/, path);
      }
      const rows = new Map((await table(out, "images.csv")).map((row) => [row.path!, row]));
      for (
        const [name, orientation] of [["exif3.jpg", "3"], ["exif6.jpg", "6"], ["exif8.jpg", "8"]]
      ) {
        assert.equal(rows.get(name!)!.orientation, orientation);
      }
      assert.deepEqual([rows.get("exif6.jpg")!.width, rows.get("exif6.jpg")!.height], [
        "90",
        "120",
      ]);

      const predictions = new Map(
        (await table(out, "predictions.csv")).map((row) => [row.image!, row]),
      );
      for (const [one, other, tolerance] of ALIKE) {
        const [a, b] = [one, other].map((name) => predictions.get(name)!);
        for (const column of Object.keys(a!).filter((name) => name.startsWith("p_"))) {
          const difference = Math.abs(Number(a![column]) - Number(b![column]));
          assert.ok(
            difference <= tolerance,
            `${one} and ${other}: ${column} differs by ${difference}`,
          );
        }
      }
      for (const { importance, share } of await table(out, "boxes.csv")) {
        assertAtLeast(Number(importance), 0, importance);
        assertAtMost(Number(importance), 1, importance);
        assertAtLeast(Number(share), 0, share);
        assertAtMost(Number(share), 1, share);
      }

      assert.equal((await emocam(...args, "--strict")).status, 1);
      // As stored: the camera's turns are ignored, so the size is the file's.
      const stored = await emocam(...args, "--orientation", "stored");
      assert.equal(stored.status, 0);
      const turned = (await table(out, "images.csv")).find(({ path }) => path === "exif6.jpg")!;
      assert.deepEqual([turned.width, turned.height], ["120", "90"]);
    }),
);

goldenTest(
  "a folder of only bad pictures ends with status 1",
  (goldens) =>
    withFolder(async (folder) => {
      for (const name of Object.keys(REFUSED)) {
        await Deno.copyFile(new URL(`detector/hostile/${name}`, goldens), join(folder, name));
      }
      const { status, out } = await emocam("analyze", folder, "--out", join(folder, "run"));
      assert.equal(status, 1);
      assert.match(out, /9 images, 9 failed/);
    }),
);
