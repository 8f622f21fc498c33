import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { createRng } from "../../src/base/rng.ts";
import { libvipsBuild } from "../../src/image/libvips.ts";
import { decodedAs } from "./decode_hashes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PHOTOS = join(ROOT, "models", "photos");

/** Files of every kind that is read, and some that are broken. */
async function makeFiles(folder: string): Promise<string[]> {
  const random = createRng(7);
  const width = 61, height = 47;
  const noise = (channels: 3 | 4) =>
    sharp(Uint8Array.from({ length: width * height * channels }, () => 256 * random.uniform()), {
      raw: { width, height, channels },
    }).blur(1);
  const photo = sharp(join(PHOTOS, "hopper.jpg"));
  const files: Record<string, Promise<Uint8Array>> = {
    "progressive.jpg": photo.clone().jpeg({ progressive: true }).toBuffer(),
    "full colour.jpg": photo.clone().jpeg({ chromaSubsampling: "4:4:4", quality: 30 }).toBuffer(),
    "grey.jpg": photo.clone().greyscale().jpeg().toBuffer(),
    "cmyk.jpg": photo.clone().toColourspace("cmyk").jpeg().toBuffer(),
    "turned.jpg": photo.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    "odd.jpg": noise(3).jpeg({ quality: 95 }).toBuffer(),
    "alpha.png": noise(4).png().toBuffer(),
    "palette.png": photo.clone().resize(80).png({ palette: true }).toBuffer(),
    "deep.png": photo.clone().resize(80).toColourspace("rgb16").png().toBuffer(),
    "lossy.webp": photo.clone().webp().toBuffer(),
    "alpha.webp": noise(4).webp({ lossless: true }).toBuffer(),
    "picture.gif": photo.clone().resize(80).gif().toBuffer(),
  };
  for (const [name, bytes] of Object.entries(files)) {
    await Deno.writeFile(join(folder, name), await bytes);
  }
  const whole = await Deno.readFile(join(PHOTOS, "hopper.jpg"));
  await Deno.writeFile(join(folder, "cut.jpg"), whole.subarray(0, whole.length / 2));
  await Deno.writeFile(join(folder, "empty.png"), new Uint8Array());
  const made = [...Object.keys(files), "cut.jpg", "empty.png"].map((name) => join(folder, name));
  const shipped = await Array.fromAsync(Deno.readDir(PHOTOS), ({ name }) => join(PHOTOS, name));
  return [...made, ...shipped.filter((name) => name.endsWith(".jpg"))];
}

Deno.test("without --allow-ffi pictures are decoded by WebAssembly, to the pixels of the native library", async (t) => {
  const { kind, version } = await libvipsBuild();
  if (kind !== "native") {
    await t.step({ name: "(no native library here)", ignore: true, fn() {} });
    return;
  }
  const folder = await Deno.makeTempDir();
  try {
    const files = await makeFiles(folder);
    const run = await new Deno.Command(Deno.execPath(), {
      args: [
        ...[
          "run",
          "--quiet",
          "--no-check",
          "--no-prompt",
          "--allow-read",
          "--allow-env=VIPS_CONCURRENCY",
          "--allow-sys=cpus",
        ],
        ...[join(ROOT, "tests", "image", "decode_hashes.ts"), ...files],
      ],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.equal(text(run.stderr), "");
    const { found, build } = JSON.parse(text(run.stdout));
    assert.deepEqual(build, { kind: "wasm", version });
    for (const [i, file] of files.entries()) {
      assert.equal(found[i], await decodedAs(file), basename(file));
    }
    assert.match(found[files.findIndex((file) => file.endsWith("cut.jpg"))], /truncated JPEG/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
