import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { ImageError } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { bytesOf, readJson } from "./pillow_golden.ts";
import { assertAtLeast, assertExcludes, assertLess } from "../assert_that.ts";

interface DecodeGoldens {
  cases: {
    name: string;
    format: string;
    width: number;
    height: number;
    file: string;
    rgb: string;
  }[];
  turned: { orientation: number; file: string; stored: string; upright: string }[];
}
const goldens = readJson<DecodeGoldens>("decode.json");
const file = (name: string) => {
  const found = goldens.cases.find((golden) => golden.name === name);
  assert(found, name);
  return bytesOf(found.file);
};
const JPEG = "JPEG 4:4:4";

/** Asserts that the bytes are refused with one line that matches. */
async function refuses(bytes: Uint8Array, reason: RegExp, label = "") {
  await assert.rejects(decodeImage(bytes), (error) => {
    assert(error instanceof ImageError, `${label} ${error}`);
    assert.match(error.message, /^Cannot decode the image: [^\n]+$/, label);
    assert.match(error.message, reason, label);
    return true;
  });
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4), sum = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A PNG file: colour type 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA; samples big endian, row by row. */
function png(width: number, height: number, depth: number, colour: number, samples: Uint8Array) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, colour, 0, 0, 0], 8);
  const rowLength = height > 0 ? samples.length / height : 0;
  const rows = Array.from(
    { length: height },
    (_, y) => Buffer.from([0, ...samples.subarray(y * rowLength, (y + 1) * rowLength)]),
  );
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

Deno.test("PNG, JPEG, WebP and GIF files of many kinds give Pillow's pixels byte for byte", async () => {
  for (const golden of goldens.cases) {
    const image = await decodeImage(bytesOf(golden.file), { orientation: "stored" });
    const { data, ...rest } = image;
    const { format, width, height } = golden;
    assert.deepEqual(rest, { format, width, height, exifOrientation: 1 }, golden.name);
    assert.deepEqual(data, bytesOf(golden.rgb), golden.name);
    assert.equal(data.buffer.byteLength, data.length, "a separate array");
  }
  assertAtLeast(goldens.cases.length, 20);
});

Deno.test("the eight EXIF orientations are turned upright, or left as stored, and always told", async () => {
  assert.equal(goldens.turned.length, 8);
  for (const { orientation, file, stored, upright } of goldens.turned) {
    const left = await decodeImage(bytesOf(file), { orientation: "stored" });
    assert.deepEqual([left.width, left.height, left.exifOrientation], [5, 3, orientation]);
    assert.deepEqual(left.data, bytesOf(stored));
    const turned = await decodeImage(bytesOf(file));
    const size = orientation > 4 ? [3, 5] : [5, 3];
    assert.deepEqual([turned.width, turned.height, turned.exifOrientation], [
      ...size,
      orientation,
    ]);
    assert.deepEqual(turned.data, bytesOf(upright), `orientation ${orientation}`);
  }
});

Deno.test("16-bit samples are cut to their high byte, and alpha is dropped", async () => {
  const pixels = [[1, 250], [2, 130], [255, 255], [0, 200], [77, 0], [128, 127]];
  const samples = (channels: number) =>
    Uint8Array.from(pixels.flatMap((pixel) => Array(channels).fill(pixel).flat()));
  const high = pixels.flatMap(([value]) => [value, value, value]);
  for (const [colour, channels] of [[0, 1], [2, 3], [4, 2], [6, 4]]) {
    const image = await decodeImage(png(3, 2, 16, colour, samples(channels)));
    assert.deepEqual([...image.data], high, `colour type ${colour}`);
  }
});

Deno.test("stray bytes in a JPEG's header and after its end change nothing", async () => {
  const bytes = file(JPEG);
  const whole = await decodeImage(bytes);
  const junk = Buffer.alloc(5000, 0x5a);
  assert.deepEqual(await decodeImage(Buffer.concat([bytes, junk])), whole);
  // 20: after the first segment, JFIF's.
  const stray = Buffer.concat([bytes.subarray(0, 20), Buffer.from([1, 2, 3]), bytes.subarray(20)]);
  assert.deepEqual(await decodeImage(stray), whole);
});

Deno.test("a view into a larger buffer is read by its own bounds", async () => {
  const bytes = file("RGB PNG");
  const large = new Uint8Array(bytes.length + 100).fill(0xff);
  large.set(bytes, 50);
  const view = large.subarray(50, 50 + bytes.length);
  assert.deepEqual(await decodeImage(view), await decodeImage(bytes));
});

Deno.test("files that are not images are refused with what they are", async () => {
  const text = (content: string) => Buffer.from(content, "latin1");
  await refuses(new Uint8Array(0), /the file is empty$/);
  await refuses(text("not an image\nat all"), /unknown format, starting "not an image"; JPEG/);
  await refuses(text("\0\x01\n\xe9\u2028"), /starting "\\u0000\\u0001\\n\\u00e9\(";/);
  await refuses(text("<svg xmlns='http://www.w3.org/2000/svg'/>"), /its format is SVG; JPEG/);
  await refuses(text("II*\0\x08\0\0\0"), /its format is TIFF/);
  await refuses(text("\0\0\0\x1cftypavif"), /its format is AVIF/);
  await refuses(text("\xff"), /unknown format/);
});

Deno.test("a file cut anywhere is refused, never half a picture", async () => {
  const names = [
    JPEG,
    "progressive JPEG",
    "RGB PNG",
    "lossy WebP",
    "lossless WebP with alpha",
    "GIF",
  ];
  for (const name of names) {
    const bytes = file(name);
    // The last 12 bytes of a PNG only say that it ends, and the last of a GIF.
    const end = bytes.length - (name.endsWith("PNG") ? 13 : name === "GIF" ? 2 : 1);
    const step = Math.max(1, Math.floor(end / 25));
    for (let length = end; length > 0; length -= step) {
      await refuses(
        bytes.subarray(0, length),
        /truncated|broken|unknown format/,
        `${name} ${length}`,
      );
    }
  }
  await refuses(file(JPEG).subarray(0, 400), /truncated JPEG header/);
  await refuses(file("RGB PNG").subarray(0, 400), /truncated PNG data/);
});

Deno.test("a JPEG cut in its data and closed again is refused", async () => {
  const bytes = file(JPEG);
  const cut = bytes.subarray(0, Math.floor(bytes.length * 0.8));
  await refuses(Buffer.concat([cut, Buffer.from([0xff, 0xd9])]), /premature end of data segment/);
});

Deno.test("a PNG with one wrong bit in its data or checksum is refused", async () => {
  for (const name of ["RGB PNG", "8-bit palette PNG with a transparent colour"]) {
    const bytes = file(name);
    const start = Buffer.from(bytes).indexOf("IDAT") + 4;
    for (const at of [start + 5, Math.floor((start + bytes.length) / 2), bytes.length - 13]) {
      const wrong = bytes.slice();
      wrong[at] ^= 1;
      await refuses(wrong, /broken PNG data/, `${name} ${at}`);
    }
  }
});

Deno.test("a single wrong bit anywhere gives an image or a one-line reason, never a crash", async () => {
  for (const { name, file } of goldens.cases) {
    const bytes = bytesOf(file);
    for (let n = 0; n < 12; n++) {
      const wrong = bytes.slice();
      const at = Math.floor((n + 0.5) / 12 * bytes.length);
      wrong[at] ^= 1 << (n % 8);
      try {
        const image = await decodeImage(wrong);
        assert.equal(image.data.length, image.width * image.height * 3);
      } catch (error) {
        assert(error instanceof ImageError, `${name}, byte ${at}: ${error}`);
        assertExcludes(error.message, "\n");
      }
    }
  }
});

Deno.test("sizes of 0 and over the limit are refused before any pixel is read", async () => {
  const bomb = png(60000, 1, 8, 2, new Uint8Array(3)); // the header's height is patched below
  bomb.writeUInt32BE(60000, 20);
  bomb.writeUInt32BE(crc32(bomb.subarray(12, 29)), 29);
  const started = performance.now();
  await refuses(bomb, /60000 x 60000 pixels are over the limit of 178956970/);
  assertLess(performance.now() - started, 500);
  await refuses(png(0, 4, 8, 2, new Uint8Array(0)), /broken PNG header|size is 0/);
  const small = png(4, 2, 8, 0, new Uint8Array(8));
  await assert.rejects(
    decodeImage(small, { maxPixels: 7 }),
    /4 x 2 pixels are over the limit of 7/,
  );
  assert.equal((await decodeImage(small, { maxPixels: 8 })).width, 4);
});

Deno.test("images of one pixel and of one row work", async () => {
  const one = await decodeImage(png(1, 1, 8, 2, Uint8Array.of(7, 8, 9)));
  assert.deepEqual([...one.data], [7, 8, 9]);
  const row = await decodeImage(png(400, 1, 8, 0, new Uint8Array(400).fill(3)));
  assert.deepEqual([row.width, row.height, row.data.length], [400, 1, 1200]);
});

Deno.test("many files at once, good and bad, keep their results apart", async () => {
  const good = file(JPEG), bad = good.subarray(0, 500);
  const expected = await decodeImage(good);
  const all = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) => decodeImage(i % 3 ? good : bad)),
  );
  all.forEach((result, i) => {
    assert.equal(result.status, i % 3 ? "fulfilled" : "rejected");
    if (result.status === "fulfilled") assert.deepEqual(result.value, expected);
  });
});

Deno.test("decoding prints nothing and needs no permission to write, run or reach the network", async () => {
  const program = `
    import { decodeImage } from ${JSON.stringify(import.meta.resolve("../../src/image/decode.ts"))};
    const files = ${JSON.stringify(goldens.cases.map(({ file }) => file))};
    let good = 0, bad = 0;
    for (const text of files) {
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      for (const part of [bytes, bytes.subarray(0, bytes.length * 0.6)]) {
        await decodeImage(part).then(() => good++, () => bad++);
      }
    }
    Deno.exit(good >= files.length && bad > files.length / 2 ? 7 : 1);`;
  const command = new Deno.Command(Deno.execPath(), {
    args: "run --quiet --no-prompt --allow-read --allow-env --allow-ffi --allow-sys -".split(" "),
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = command.stdin.getWriter();
  await input.write(new TextEncoder().encode(program));
  await input.close();
  const { code, stdout, stderr } = await command.output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.deepEqual([code, said], [7, ""]);
});
