import assert from "node:assert/strict";
import sharp from "sharp";
import { messageOf } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { createRng } from "../../src/base/rng.ts";
import { assertEvery } from "../assert_that.ts";

/** Noise of 64 × 64 pixels, which compresses badly: cut files lack much of it. */
async function pictures(): Promise<Record<string, Uint8Array>> {
  const rng = createRng(3);
  const pixels = Uint8Array.from({ length: 64 * 64 * 3 }, () => rng.below(256));
  const picture = sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } });
  const jpeg = new Uint8Array(await picture.jpeg().toBuffer());
  const second = 4 + 256 * jpeg[4] + jpeg[5];
  const png = new Uint8Array(await picture.png().toBuffer());
  const broken = png.slice();
  broken.fill(0x55, 2000, 2100);
  const zero = png.slice();
  zero.fill(0, 16, 20);
  return {
    jpeg,
    png,
    // A stray byte between two segments: libjpeg warns, Pillow and we read it.
    stray: Uint8Array.from([...jpeg.subarray(0, second), 0, ...jpeg.subarray(second)]),
    "cut jpeg": jpeg.subarray(0, jpeg.length >> 1),
    "cut header": jpeg.subarray(0, 60),
    "cut png": png.subarray(0, png.length >> 1),
    "broken png": broken,
    "width 0": zero,
  };
}

Deno.test("decoded side by side each file has its own pixels or its own reason, as when decoded alone", async () => {
  const files = Object.entries(await pictures());
  const outcome = async (bytes: Uint8Array) => {
    try {
      const { data } = await decodeImage(bytes);
      return `${data.length} bytes, ${data[0]} … ${data.at(-1)}`;
    } catch (error) {
      return messageOf(error);
    }
  };
  const expected: Record<string, string> = {};
  for (const [name, bytes] of files) expected[name] = await outcome(bytes);
  assertEvery(["jpeg", "png", "stray"], (name) => expected[name].startsWith("12288 bytes"));
  assert.match(expected["cut jpeg"], /truncated JPEG data/);
  for (let round = 0; round < 30; round++) {
    const found = await Promise.all(
      files.map(async ([name, bytes]) => [name, await outcome(bytes)] as const),
    );
    assert.deepEqual(Object.fromEntries(found), expected);
  }
});
