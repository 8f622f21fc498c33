/**
 * Names of imported models.
 *
 * @module
 */

import { basename, extname, join } from "node:path";
import { ModelError, UsageError } from "../base/errors.ts";
import { samePlace } from "../base/files.ts";
import { entryAt, OwnedFolder } from "../base/owned_folder.ts";
import { findCard, shippedCards } from "../runtime/card.ts";

/**
 * A model's name: the one given, or one made of a file's name (lower case, other characters as "-").
 *
 * @throws {UsageError} when the name given cannot be a model's.
 */
export function modelName(given: string | undefined, file: string): string {
  if (given === undefined) {
    const stem = basename(file, extname(file)).toLowerCase();
    return stem.replace(/[^a-z0-9._-]+/g, "-").replace(/^[^a-z0-9]+/, "").slice(0, 100) || "model";
  }
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(given)) {
    throw new UsageError(
      `Cannot name a model ${
        JSON.stringify(given.slice(0, 120))
      }; use up to 100 lower-case letters, digits, ".", "_" and "-", a letter or digit first`,
    );
  }
  return given;
}

/**
 * Checks that a model of this name can be written into a folder: one that was imported earlier is replaced, but no model that ships is
 * hidden by it or hides it, and no file of its user's is overwritten.
 *
 * @param endings of the files that will be written, after the name
 * @param inputs files that the import reads
 * @throws {UsageError}
 */
export async function checkPlace(
  name: string,
  folder: string,
  endings: readonly string[] = [".json"],
  inputs: readonly string[] = [],
): Promise<void> {
  if ((await shippedCards()).some(({ card }) => card.name === name)) {
    throw new UsageError(
      `Cannot name a model ${name}: a model of this name ships with emocam; choose another with --name`,
    );
  }
  const path = join(folder, `${name}.json`);
  if (entryAt(path)) {
    try {
      await findCard(path);
    } catch (error) {
      if (!(error instanceof ModelError) && !(error instanceof UsageError)) throw error;
      throw new UsageError(
        `Cannot write ${path}: it exists and is not a model card; choose another name with --name, or another folder`,
      );
    }
  }
  const owned = new OwnedFolder(folder);
  for (const ending of endings) {
    const file = `${name}${ending}`;
    const place = join(folder, file);
    for (const input of inputs) {
      if (!await samePlace(place, input)) continue;
      throw new UsageError(
        `Cannot write ${place}: it is an input of this import; choose another name with --name, or another folder`,
      );
    }
    // Models of versions that kept no record may be the same ones: their content will say so.
    if (owned.names().length === 0 || owned.find(file) !== "foreign") continue;
    throw new UsageError(
      `Cannot write ${place}: it was not written by emocam, or was changed since; move it away, choose another name with --name, or another folder`,
    );
  }
}
