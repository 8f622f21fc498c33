/**
 * Names of imported models.
 *
 * @module
 */

import { basename, extname } from "node:path";
import { UsageError } from "../base/errors.ts";

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
        JSON.stringify(given)
      }; use up to 100 lower-case letters, digits, ".", "_" and "-", a letter or digit first`,
    );
  }
  return given;
}
