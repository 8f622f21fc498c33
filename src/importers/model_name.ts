/**
 * Names of imported models.
 *
 * @module
 */

import { basename, extname, join } from "node:path";
import { ModelError, UsageError } from "../base/errors.ts";
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
 * Checks that a model of this name can be written into a folder: an earlier one is replaced, but no model that ships is
 * hidden by it or hides it, and no other file named NAME.json is overwritten.
 *
 * @throws {UsageError}
 */
export async function checkPlace(name: string, folder: string): Promise<void> {
  if ((await shippedCards()).some(({ card }) => card.name === name)) {
    throw new UsageError(
      `Cannot name a model ${name}: a model of this name ships with emocam; choose another with --name`,
    );
  }
  const path = join(folder, `${name}.json`);
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  try {
    await findCard(path);
  } catch (error) {
    if (!(error instanceof ModelError) && !(error instanceof UsageError)) throw error;
    throw new UsageError(
      `Cannot write ${path}: it exists and is not a model card; choose another name with --name, or another folder`,
    );
  }
}
