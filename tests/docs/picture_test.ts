/** The README's picture is what build/default_picture.ts makes of the default run. */

import assert from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import { ROOT } from "./documents.ts";

const COMMITTED = join(ROOT, "docs", "default-run.png");

/** Pixels of a picture as RGB bytes. */
async function pixelsOf(file: string) {
  const { data, info } = await sharp(file).removeAlpha().toColourspace("srgb").raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

Deno.test("the README's picture is the default run's, and small", async () => {
  const { size } = await Deno.stat(COMMITTED);
  assert.ok(size < 150_000, `${size} bytes`);
  const folder = await Deno.makeTempDir({ prefix: "emocam-picture-" });
  try {
    const file = join(folder, "made.png");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", join(ROOT, "build", "default_picture.ts"), file],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const [made, committed] = [await pixelsOf(file), await pixelsOf(COMMITTED)];
    assert.deepEqual([made.width, made.height], [committed.width, committed.height]);
    // Another processor rounds other pixels to other colours of the palette.
    const total = made.data.reduce((sum, value, i) => sum + Math.abs(value - committed.data[i]), 0);
    const mean = total / made.data.length;
    assert.ok(mean < 1, `the picture differs by ${mean} of 255 on average: make it again`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
