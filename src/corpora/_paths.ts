/**
 * What paths of images and arguments have in common.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";
import { statOf } from "../base/files.ts";

/** File names that are taken from a folder or a pattern. A file that is named itself is taken whatever its name. */
export const IMAGE_NAME = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

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
