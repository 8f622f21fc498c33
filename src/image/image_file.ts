/**
 * Image files: which one, its bytes, and the picture in it.
 *
 * @module
 */

import { ImageError, messageOf } from "../base/errors.ts";
import { sha256 } from "../base/json.ts";
import { decodeImage, imageSize, looksLikePicture } from "./decode.ts";
import type { Orientation, Picture, Size } from "./image.ts";

/** Larger files are refused before they are read: the largest picture allowed has half as many bytes without any compression. */
const MAX_FILE_BYTES = 2 ** 30;

/** Reads an image's file. @throws {ImageError} saying why it cannot be read. */
export async function readImageFile(file: string): Promise<Uint8Array> {
  try {
    const { isFile, isDirectory, size } = await Deno.stat(file);
    // Reading a pipe could wait for ever, and a device has no end.
    if (!isFile && !isDirectory) throw new Error("it is not a file");
    if (size > MAX_FILE_BYTES) {
      throw new Error(`its ${size} bytes are over the limit of ${MAX_FILE_BYTES}`);
    }
    return await Deno.readFile(file);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : messageOf(error);
    throw new ImageError(`Cannot read the image: ${why}`);
  }
}

/** Whether a file holds a picture by its first bytes, whatever its name. @throws what Deno does when it cannot be read. */
export async function startsAsPicture(file: string): Promise<boolean> {
  if (!(await Deno.stat(file)).isFile) return false;
  using open = await Deno.open(file);
  const start = new Uint8Array(32);
  const read = await open.read(start);
  return looksLikePicture(start.subarray(0, read ?? 0));
}

/** So many bytes of a file tell the size of nearly every JPEG. */
const HEADER_BYTES = 2 ** 17;

/**
 * The sizes of the picture in a file under each `--orientation`, without decoding it. Of a large JPEG only the beginning is read.
 *
 * @throws {ImageError} saying why it cannot be read.
 */
export async function pictureSizes(file: string): Promise<Record<Orientation, Size>> {
  const start = await beginning(file);
  const whole = async () => sizesIn(await readImageFile(file));
  return start ? await sizesIn(start).catch(whole) : await whole();
}

async function sizesIn(bytes: Uint8Array): Promise<Record<Orientation, Size>> {
  return { exif: await imageSize(bytes, "exif"), stored: await imageSize(bytes, "stored") };
}

/** The first bytes of a JPEG that has many more; nothing of another file. */
async function beginning(file: string): Promise<Uint8Array | undefined> {
  try {
    const { isFile, size } = await Deno.stat(file);
    if (!isFile || size < 2 * HEADER_BYTES) return undefined;
    using open = await Deno.open(file);
    const bytes = new Uint8Array(HEADER_BYTES);
    const read = await open.read(bytes) ?? 0;
    const [a, b, c] = bytes;
    return a === 0xff && b === 0xd8 && c === 0xff ? bytes.subarray(0, read) : undefined;
  } catch {
    return undefined; // reading all of it will say why
  }
}

/** One image of a corpus. */
export interface CorpusImage {
  /** How the image is called in every table: with forward slashes, relative where its argument was a folder or table. */
  readonly path: string;
  /** Where its file is. */
  readonly file: string;
  /** Its paths in the arguments that name it, where they are others: what a file of boxes may call it, too. */
  readonly names?: readonly string[];
  /** What a table says of it, by column. */
  readonly annotation?: Readonly<Record<string, string>>;
  /** Why it cannot be used, where that is known before it is read: it becomes a failed image. */
  readonly refused?: string;
}

/**
 * Reads and decodes an image of a corpus.
 *
 * @throws {ImageError} with the reason when it cannot be used.
 */
export async function readPicture(
  { path, file, refused }: CorpusImage,
  orientation: Orientation,
): Promise<Picture> {
  if (refused !== undefined) throw new ImageError(refused);
  const bytes = await readImageFile(file);
  return { image: await decodeImage(bytes, { orientation }), key: sha256(bytes), path };
}
