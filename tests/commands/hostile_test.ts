import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { withFolder } from "../corpus/face_corpus.ts";
import { emocam, emocamProcess, runEmocam } from "./cli.ts";
import {
  assertAtLeast,
  assertExcludes,
  assertIncludes,
  assertLess,
  assertMore,
} from "../assert_that.ts";

const HOPPER = fileURLToPath(new URL("../../models/photos/hopper.jpg", import.meta.url));

const GOOD = [
  "good.jpg",
  "name with spaces & 'quotes' \"double\".jpg",
  "é中😀.jpg",
  "line\nbreak.jpg",
  "escape\x1b[31m.jpg",
  "-dash.jpg",
  "png in truth.jpg",
  "trailing.jpg",
];
/** Names of files that cannot be used, each with what is said of it. */
const BAD: Readonly<Record<string, RegExp>> = {
  "empty.jpg": /the file is empty/,
  "text.jpg": /unknown format, starting "no picture"/,
  "cut in the header.jpg": /truncated JPEG/,
  "cut.jpg": /truncated JPEG/,
  "cut.png": /PNG/,
  "bomb.png": /60000 x 60000 pixels are over the limit/,
};

/** Small faces, most of them damaged or with awkward names. */
async function makeHostile(folder: string): Promise<void> {
  const picture = sharp(HOPPER).extract({ left: 120, top: 100, width: 290, height: 290 }).resize(
    160,
  );
  const jpeg = await picture.jpeg({ quality: 90 }).toBuffer();
  const png = await picture.png().toBuffer();
  const bomb = new Uint8Array(png.subarray(0, 80));
  // Width and height of the first chunk; its checksum is made right.
  new DataView(bomb.buffer).setUint32(16, 60000);
  new DataView(bomb.buffer).setUint32(20, 60000);
  new DataView(bomb.buffer).setUint32(29, crc32(bomb.subarray(12, 29)));
  const contents: Record<string, Uint8Array | string> = {
    ...Object.fromEntries(GOOD.map((name) => [name, jpeg])),
    "png in truth.jpg": png,
    "trailing.jpg": new Uint8Array([...jpeg, ...new Uint8Array(5000).fill(7)]),
    "empty.jpg": "",
    "text.jpg": "no picture",
    "cut in the header.jpg": jpeg.subarray(0, 40),
    "cut.jpg": jpeg.subarray(0, Math.floor(jpeg.length * 0.6)),
    "cut.png": png.subarray(0, Math.floor(png.length / 2)),
    "bomb.png": bomb,
  };
  for (const [name, content] of Object.entries(contents)) {
    const path = join(folder, name);
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
  await Deno.mkdir(join(folder, "folder.jpg"));
}

/** CRC-32 as PNG has it. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

Deno.test("damaged files and awkward names: the good are analysed, each bad one has its line, the run succeeds", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures"), out = join(folder, "run");
    await Deno.mkdir(pictures);
    await makeHostile(pictures);
    const { status, out: printed, err } = await emocam("analyze", pictures, "--out", out);
    assert.equal(status, 0, err);
    assert.match(printed, /14 images, 6 failed \(images\.csv says why\), 8 samples/);
    assertExcludes(printed + err, "\x1b[31m", "an escape sequence reached the terminal");

    const lines = err.split("\n").filter((line) => line.startsWith("failed: "));
    assert.equal(lines.length, 6);
    const table: Record<string, string>[] = parse(
      await Deno.readTextFile(join(out, "images.csv")),
      { columns: true },
    );
    const rows = new Map(table.map((row) => [row.path!, row]));
    assert.deepEqual([...rows.keys()].sort(), [...GOOD, ...Object.keys(BAD)].sort());
    for (const name of GOOD) {
      const { status, samples, width, error } = rows.get(name)!;
      assert.deepEqual([status, samples, width, error], ["ok", "1", "160", ""], name);
    }
    for (const [name, reason] of Object.entries(BAD)) {
      assert.match(rows.get(name)!.error!, reason);
      assert.deepEqual([rows.get(name)!.status, rows.get(name)!.samples], ["failed", "0"]);
      assert.match(lines.find((line) => line.startsWith(`failed: ${name}: `)) ?? "", reason);
    }
    const predictions: Record<string, string>[] = parse(
      await Deno.readTextFile(join(out, "predictions.csv")),
      { columns: true },
    );
    assert.deepEqual(predictions.map(({ image }) => image).sort(), [...GOOD].sort());

    const strict = await emocam("analyze", pictures, "--out", out, "--strict");
    assert.equal(strict.status, 1);
    assert.match(strict.out, /8 images were computed before/);

    const named = await emocam(
      "analyze",
      join(pictures, "-dash.jpg"),
      "--out",
      join(folder, "one"),
    );
    assert.equal(named.status, 0, named.err);
  });
});

Deno.test("a corpus of bad files only ends with status 1, its tables written", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures"), out = join(folder, "run");
    await Deno.mkdir(pictures);
    await makeHostile(pictures);
    for (const name of GOOD) await Deno.remove(join(pictures, name));
    const { status, out: printed, err } = await emocam("analyze", pictures, "--out", out);
    assert.equal(status, 1);
    assert.match(printed, /6 images, 6 failed/);
    assert.equal(err.split("\n").filter((line) => line.startsWith("failed: ")).length, 6);
    assert.equal((await Deno.readTextFile(join(out, "boxes.csv"))).split("\n").length, 2);

    const one = await emocam("explain", pictures, "--out", join(folder, "explained"));
    assert.equal(one.status, 1);
    assert.equal(one.err.split("\n").filter((line) => line.startsWith("failed: ")).length, 6);
  });
});

Deno.test("a reader that goes away ends nothing with a stack trace, and the run is written", async () => {
  await withFolder(async (folder) => {
    const run = async (pipe: "stdout" | "stderr", args: string[]) => {
      const child = emocamProcess(args).spawn();
      await child[pipe].cancel();
      const other = pipe === "stdout" ? child.stderr : child.stdout;
      const text = (await Array.fromAsync(other.pipeThrough(new TextDecoderStream()))).join("");
      return { text, ...await child.status };
    };
    for (const pipe of ["stdout", "stderr"] as const) {
      const out = join(folder, pipe);
      const { code, text } = await run(pipe, ["analyze", HOPPER, "--out", out]);
      assert.equal(code, 0, text);
      assert.doesNotMatch(text, /error: |\.ts:\d/);
      assertMore((await Deno.stat(join(out, "report.html"))).size, 1000);
    }
    const { code, text } = await run("stdout", ["models", "inspect", "mini-xception", "--json"]);
    assert.deepEqual([code, text], [0, ""]);
  });
});

Deno.test("an interrupt stops the run with status 130, and the same command continues from there", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures"), out = join(folder, "run");
    await Deno.mkdir(pictures);
    const photos = fileURLToPath(new URL("../../models/photos/", import.meta.url));
    for (let i = 0; i < 24; i++) {
      await Deno.copyFile(
        join(photos, "group1.jpg"),
        join(pictures, `${String(i).padStart(2, "0")}.jpg`),
      );
      // Bytes after the end of the picture make each another file.
      await Deno.writeTextFile(join(pictures, `${String(i).padStart(2, "0")}.jpg`), String(i), {
        append: true,
      });
    }
    const child = emocamProcess(["analyze", pictures, "--out", out]).spawn();
    const printed = child.stdout.pipeThrough(new TextDecoderStream());
    let err = "";
    for await (const part of child.stderr.pipeThrough(new TextDecoderStream())) {
      // The first line comes when everything is loaded and the stream begins.
      if (err === "") setTimeout(() => child.kill("SIGINT"), 400);
      err += part;
    }
    const { code } = await child.status;
    assert.equal((await Array.fromAsync(printed)).join(""), "");
    assert.equal(code, 130, err);
    const [, done] = /interrupted after (\d+) of 24 images; the same command continues/.exec(err) ??
      [];
    assertAtLeast(Number(done), 0, err);
    assertLess(Number(done), 24, err);
    const next = await runEmocam("analyze", pictures, "--out", out);
    assert.equal(next.status, 0, next.err);
    assertIncludes(next.out, `${done} images were computed before`);
  });
});
