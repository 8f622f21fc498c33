/**
 * What paths of images and arguments have in common.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";
import { statOf } from "../base/files.ts";

/** Endings of pictures, those that cannot be decoded among them: each becomes an image with its reason. */
const ENDINGS = [
  ...[
    "jpg",
    "jpeg",
    "jpe",
    "jfif",
    "jif",
    "png",
    "apng",
    "webp",
    "gif",
    "tif",
    "tiff",
    "bmp",
    "dib",
  ],
  ...["avif", "avifs", "heic", "heics", "heif", "heifs", "hif", "jp2", "j2k", "j2c", "jpf", "jpx"],
  ...["jxl", "jxr", "wdp", "ppm", "pgm", "pbm", "pnm", "pam", "pfm", "tga", "psd", "qoi", "pcx"],
  ...["ico", "svg", "svgz", "exr", "hdr", "dds", "xcf", "mpo"],
  // Cameras' own.
  ...["dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "raf", "orf", "rw2", "rwl"],
  ...["pef", "srw", "x3f", "3fr", "iiq", "erf", "mrw", "kdc", "dcr", "mef", "mos", "gpr"],
];

/** File names that are taken from a folder or a pattern. A file that is named itself is taken whatever its name. */
export const IMAGE_NAME = new RegExp(`\\.(?:${ENDINGS.join("|")})$`, "i");

/** A path as tables have it: with forward slashes, and no `./` before it. */
export function slashes(path: string): string {
  return path.replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}

/** What is at a path; `undefined` where nothing is. @throws {UsageError} when it cannot be looked at. */
export async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await statOf(path);
  } catch (error) {
    throw new UsageError(`Cannot look at ${JSON.stringify(path)}: ${messageOf(error)}`);
  }
}
