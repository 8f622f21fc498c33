/**
 * Image files to pixels, with the numbers Pillow gives and a one-line reason for every file that cannot be used.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Metadata, OutputInfo } from "sharp";
import { ImageError, messageOf } from "../base/errors.ts";
import { type Orientation, type RgbImage, rgbImage, type Size } from "./image.ts";
import { loadSharp, type SharpLibrary } from "./libvips.ts";

/** The formats that are read, as they are named in results. */
type ImageFormat = "jpeg" | "png" | "webp" | "gif";

/** What a file held. */
export interface DecodedImage extends RgbImage {
  /** By the file's content, whatever its name says. */
  readonly format: ImageFormat;
  /** The EXIF orientation found in the file, 1…8; 1 if there is none. Whether it was applied is the caller's choice. */
  readonly exifOrientation: number;
}

/** How to decode. */
interface DecodeOptions {
  /** "exif": turned upright by the EXIF tag (default). "stored": as the pixels lie in the file, as `PIL.Image.open` gives them. */
  readonly orientation?: Orientation;
  /** Refuse larger images before any pixel is allocated. Default: Pillow's limit, 178,956,970. */
  readonly maxPixels?: number;
}

/** Pillow's limit for decompression bombs: a quarter of a GiB of RGB pixels, doubled. */
export const MAX_PIXELS = 178956970;

/** A file that takes longer than this to decode is refused; the largest allowed images take a few seconds. */
const TIMEOUT_SECONDS = 120;

/**
 * Decodes a JPEG, PNG, WebP or GIF file (the first frame of an animation) to 8-bit RGB.
 *
 * The pixels are those of `PIL.Image.open(file).convert("RGB")`, Pillow 13.0.0, byte for byte for 8-bit JPEG and PNG: no colour
 * management (embedded profiles are ignored), alpha is dropped and the colours under it are kept, palettes are looked up, grey
 * becomes three equal channels, CMYK becomes (255 - C)(255 - K)/255 and so on.
 *
 * Strict: a truncated or damaged file is an error, never a picture with a grey part. Trailing bytes after a whole image are ignored.
 *
 * Departs from Pillow: 16-bit samples are cut to their high byte, where Pillow *clips* 16-bit grey at 255, which makes nearly
 * every such picture white; transparent pixels of a GIF are black, where Pillow shows the palette's colour.
 *
 * @throws {ImageError} with the reason: empty or unknown file, format not read, broken header or data, truncated, over the limit.
 */
export async function decodeImage(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<DecodedImage> {
  const { orientation = "exif", maxPixels = MAX_PIXELS } = options;
  const format = formatOf(bytes);
  const sharp = await loadSharp();
  const attempt = (own: boolean) =>
    decode(sharp, bytes, format, { maxPixels, upright: orientation === "exif", own });
  try {
    return await together(() => attempt(false));
  } catch {
    return await alone(() => attempt(true));
  }
}

/**
 * The size of the picture in a file, without decoding it.
 *
 * @throws {ImageError} as {@linkcode decodeImage} does for what the header tells.
 */
export async function imageSize(
  bytes: Uint8Array,
  orientation: Orientation = "exif",
): Promise<Size> {
  const format = formatOf(bytes);
  const { width, height, orientation: turn = 1 } = await readHeader(
    await loadSharp(),
    bytes,
    format,
  );
  // The tags 5 … 8 turn it by a quarter.
  return orientation === "exif" && turn >= 5 ? { width: height, height: width } : { width, height };
}

/** @param own whether the messages are sure to be about this file. */
async function decode(
  sharp: SharpLibrary,
  bytes: Uint8Array,
  format: ImageFormat,
  { maxPixels, upright, own }: { maxPixels: number; upright: boolean; own: boolean },
): Promise<DecodedImage> {
  const header = await readHeader(sharp, bytes, format);
  const { width, height } = header;
  if (!(width > 0 && height > 0)) throw refused(`its size is ${width} x ${height} pixels`);
  if (width * height > maxPixels) {
    throw refused(
      `its ${width} x ${height} pixels are over the limit of ${maxPixels}; scale it down first`,
    );
  }
  let pixels: Pixels;
  try {
    pixels = await readPixels(sharp, bytes, header, maxPixels, upright, "warning");
  } catch (error) {
    if (!own || !onlyHarmless(messageOf(error))) throw broken(bytes, format, error);
    try {
      pixels = await readPixels(sharp, bytes, header, maxPixels, upright, "error");
    } catch (error) {
      throw broken(bytes, format, error);
    }
  }
  const image = rgbImage(pixels.info.width, pixels.info.height, toRgb(pixels, header));
  return { ...image, format, exifOrientation: header.orientation ?? 1 };
}

/*
 * libvips collects its messages in one place for all threads, so of pictures that are decoded side by side one can be given
 * another's: a wrong reason, or a truncated picture taken for one with a harmless warning. A decode that fails is therefore
 * repeated while no other runs.
 */
const running = new Set<Promise<void>>();
let deciding: Promise<void> | undefined;

/** Runs beside others of its kind. */
async function together<T>(work: () => Promise<T>): Promise<T> {
  while (deciding) await deciding;
  const result = work();
  const over = result.then(() => {}, () => {});
  running.add(over);
  try {
    return await result;
  } finally {
    running.delete(over);
  }
}

/** Runs while nothing else does. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
  while (deciding) await deciding;
  const { promise, resolve } = Promise.withResolvers<void>();
  deciding = promise;
  try {
    await Promise.all(running);
    return await work();
  } finally {
    deciding = undefined;
    resolve();
  }
}

/** What a file of a format starts with: this text, as Latin-1, at this offset. */
type Signature<Name> = readonly [name: Name, offset: number, text: string];

const READ: readonly Signature<ImageFormat>[] = [
  ["jpeg", 0, "\xff\xd8\xff"],
  ["png", 0, "\x89PNG\r\n\x1a\n"],
  ["webp", 8, "WEBP"],
  ["gif", 0, "GIF87a"],
  ["gif", 0, "GIF89a"],
];

/** Formats that are recognised only to name them in the refusal. */
const NOT_READ: readonly Signature<string>[] = [
  ["a camera's raw format (Canon)", 8, "CR\x02"],
  ["TIFF", 0, "II*\0"],
  ["TIFF", 0, "MM\0*"],
  ["AVIF", 4, "ftypavif"],
  ["AVIF", 4, "ftypavis"],
  ["HEIC", 4, "ftyphei"],
  ["HEIC", 4, "ftypmif1"],
  ["HEIC", 4, "ftyphev"],
  ["HEIF", 4, "ftypmsf1"],
  ["a camera's raw format (Canon)", 4, "ftypcrx "],
  ["a camera's raw format (Fujifilm)", 0, "FUJIFILMCCD-RAW"],
  ["a camera's raw format (Olympus)", 0, "IIRO"],
  ["a camera's raw format (Olympus)", 0, "IIRS"],
  ["a camera's raw format (Panasonic)", 0, "IIU\0"],
  ["a camera's raw format (Sigma)", 0, "FOVb"],
  ["BigTIFF", 0, "II+\0"],
  ["BigTIFF", 0, "MM\0+"],
  ["JPEG XR", 0, "II\xbc\x01"],
  ["JPEG 2000", 0, "\xff\x4f\xff\x51"],
  ["Photoshop", 0, "8BPS"],
  ["QOI", 0, "qoif"],
  ["OpenEXR", 0, "v/1\x01"],
  ["Radiance HDR", 0, "#?R"],
  ["DDS", 0, "DDS "],
  ["icon", 0, "\0\0\x01\0"],
  ["XCF", 0, "gimp xcf"],
  ...["1", "2", "3", "4", "5", "6", "7", "F", "f"].flatMap((kind): Signature<string>[] =>
    ["\n", " ", "\r", "\t"].map((
      space,
    ) => ["portable pixmap (PPM, PGM, PBM)", 0, `P${kind}${space}`])
  ),
  ["JPEG XL", 0, "\xff\x0a"],
  ["JPEG XL", 4, "JXL "],
  ["JPEG 2000", 4, "jP  "],
  ["BMP", 0, "BM"],
  ["PDF", 0, "%PDF-"],
  ["SVG", 0, "<svg"],
  ["XML (SVG?)", 0, "<?xml"],
  ["HTML", 0, "<!doctype html"],
  ["HTML", 0, "<!DOCTYPE html"],
  ["HTML", 0, "<html"],
];

/** How many of a file's first bytes tell its format. */
const START = 32;

/** Formats whose first bytes are text or so short that other files have them, too. */
const WEAK = /^(?:BMP|PDF|SVG|XML.*|HTML|portable .*)$/;

/** Whether a file that starts with these bytes is a picture, of a format that is read or not. */
export function looksLikePicture(bytes: Uint8Array): boolean {
  const start = String.fromCharCode(...bytes.subarray(0, START));
  return [...READ, ...NOT_READ].some(([name, offset, text]) =>
    start.startsWith(text, offset) && !WEAK.test(name)
  );
}

/** The format by the first bytes. @throws {ImageError} when it is none of those that are read. */
function formatOf(bytes: Uint8Array): ImageFormat {
  if (bytes.length === 0) throw refused("the file is empty");
  const start = String.fromCharCode(...bytes.subarray(0, START));
  const among = <Name>(signatures: readonly Signature<Name>[]) =>
    signatures.find(([, offset, text]) => start.startsWith(text, offset))?.[0];
  const format = among(READ);
  if (format) return format;
  const other = among(NOT_READ);
  throw refused(
    (other ? `its format is ${other}` : `unknown format, starting ${quote(start)}`) +
      "; JPEG, PNG, WebP and GIF are read",
  );
}

/** The first characters in quotes, on one line and in ASCII. */
function quote(start: string): string {
  return JSON.stringify(start.slice(0, 12))
    .replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

async function readHeader(
  create: SharpLibrary,
  bytes: Uint8Array,
  format: ImageFormat,
): Promise<Metadata> {
  try {
    // The limit is checked by the caller, who can name the size; nothing is allocated for the header.
    return await create(bytes, { failOn: "error", limitInputPixels: false }).metadata();
  } catch (error) {
    throw broken(bytes, format, error);
  }
}

interface Pixels {
  readonly data: Uint8Array;
  readonly info: OutputInfo;
}

function readPixels(
  create: SharpLibrary,
  bytes: Uint8Array,
  header: Metadata,
  maxPixels: number,
  upright: boolean,
  failOn: "warning" | "error",
): Promise<Pixels> {
  const pipeline = create(bytes, {
    failOn,
    limitInputPixels: maxPixels,
    ignoreIcc: true,
    autoOrient: upright,
    sequentialRead: true,
  }).timeout({ seconds: TIMEOUT_SECONDS });
  // The file's own samples: libvips would convert CMYK by a profile, and round 16 bits otherwise than to the high byte.
  if (header.space === "cmyk") {
    pipeline.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
  } else if (header.depth === "ushort") {
    pipeline.toColourspace(header.channels < 3 ? "grey16" : "rgb16").raw({ depth: "ushort" });
  } else {
    pipeline.raw();
  }
  return pipeline.toBuffer({ resolveWithObject: true });
}

/** RGB bytes from 1 (grey), 2 (grey, alpha), 3 or 4 (RGB, alpha; or CMYK) channels of 8 or 16 bits. */
function toRgb({ data, info }: Pixels, header: Metadata): Uint8Array {
  const { channels } = info;
  if (header.space === "cmyk") return fromCmyk(data, channels);
  const samples = header.depth === "ushort" ? highBytes(data) : data;
  if (channels === 3) {
    // A Buffer may be a window on a pool: give a separate array.
    const whole = samples.byteLength === samples.buffer.byteLength;
    return whole ? new Uint8Array(samples.buffer) : Uint8Array.from(samples);
  }
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2];
  const out = new Uint8Array(info.width * info.height * 3);
  for (let i = 0, o = 0; o < out.length; i += channels) {
    out[o++] = samples[i];
    out[o++] = samples[i + green];
    out[o++] = samples[i + blue];
  }
  return out;
}

function highBytes(data: Uint8Array): Uint8Array {
  // Samples are in the machine's byte order; a copy starts where words may start, which a window on a pool need not.
  const words = new Uint16Array(Uint8Array.from(data).buffer);
  return Uint8Array.from(words, (word) => word >> 8);
}

/** Pillow's `cmyk2rgb`: R = (255 - K) - C (255 - K) / 255, the quotient rounded. */
function fromCmyk(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array(data.length / channels * 3);
  for (let i = 0, o = 0; i < data.length; i += channels) {
    const light = 255 - data[i + 3];
    for (let c = 0; c < 3; c++) out[o++] = light - Math.round(data[i + c] * light / 255);
  }
  return out;
}

/**
 * libjpeg's warnings that say nothing about the pixels: stray bytes between segments, unknown versions and markers. All others, above
 * all "premature end of data segment", mean that part of the picture is missing.
 */
const HARMLESS =
  /extraneous bytes before marker|unknown Adobe color transform|unknown JFIF revision|Inconsistent progression/;

function onlyHarmless(message: string): boolean {
  return message.split("\n").every((line) => HARMLESS.test(line));
}

function refused(reason: string): ImageError {
  return new ImageError(`Cannot decode the image: ${reason}`);
}

/** The decoder's message as one line: its first sentence, without the parts that only repeat it. */
function broken(bytes: Uint8Array, format: ImageFormat, error: unknown): ImageError {
  const text = messageOf(error);
  const name = { jpeg: "JPEG", png: "PNG", webp: "WebP", gif: "GIF" }[format];
  if (/^timeout/i.test(text)) {
    return refused(`decoding took over ${TIMEOUT_SECONDS} seconds`);
  }
  const where = /corrupt header/.test(text) ? "header" : "data";
  const detail = text.replace(/^Input buffer has corrupt header:/, "").split("\n")
    .map((line) => line.replace(/^\s*\w+:\s*/, "").trim()).find((line) => line !== "");
  // libpng says "read error" for whatever is wrong; a whole file holds the chunk that ends it.
  const ends = format !== "png" || Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .includes("IEND");
  const state = !ends || /premature end|unexpected end|truncated/i.test(text)
    ? `truncated ${name} ${where}`
    : `broken ${name} ${where}`;
  return refused(detail ? `${state} (${detail})` : state);
}
