/**
 * What an importer writes: an ONNX file and its card, which `findCard` then finds by name.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { DiskFullError, messageOf, UsageError } from "../base/errors.ts";
import { parseCard } from "../runtime/card.ts";
import { sha256 } from "../base/json.ts";
import { ForeignFileError, OwnedFolder } from "../base/owned_folder.ts";

/** A model that was written. */
export interface ImportedModel {
  /** Path of its card, NAME.json. */
  readonly card: string;
  /** Path of its ONNX file, NAME.onnx. */
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  /** What a user should know of this import, a line each. */
  readonly notices: readonly string[];
}

/** What is to be written. */
interface ImportedParts {
  readonly folder: string;
  /** Lower-case letters, digits, ".", "_" and "-". */
  readonly name: string;
  /** The card without `name`, `file`, `sha256` and `bytes`, which are added. */
  readonly card: Readonly<Record<string, unknown>>;
  /** The ONNX file, whole or in the parts that `writeModelParts` gives, which saves a copy of the weights. */
  readonly onnx: Uint8Array | readonly Uint8Array[];
  /** Further files of the model, such as a mean image, by their names in the folder. */
  readonly extra?: readonly { readonly name: string; readonly bytes: Uint8Array }[];
  readonly notices?: readonly string[];
}

/**
 * Writes a model into a folder: each file under a temporary name first, the card last, so that a card never names a file that
 * is not whole.
 *
 * @throws {UsageError} when the folder cannot be written.
 * @throws {ModelError} when the card would not be one.
 */
export async function writeImported(parts: ImportedParts): Promise<ImportedModel> {
  const { folder, name, extra = [], notices = [] } = parts;
  const onnx = parts.onnx instanceof Uint8Array ? [parts.onnx] : parts.onnx;
  const file = `${name}.onnx`;
  const hasher = createHash("sha256");
  for (const part of onnx) hasher.update(part);
  const hash = hasher.digest("hex");
  const bytes = onnx.reduce((sum, { length }) => sum + length, 0);
  const { task, ...rest } = parts.card;
  const card = { name, task, file, sha256: hash, bytes, ...rest };
  const text = JSON.stringify(card, null, 1) + "\n";
  parseCard(text, `${name}.json`);
  try {
    await Deno.mkdir(folder, { recursive: true });
    const owned = new OwnedFolder(folder);
    // All are looked at before one is written: half a model would be none.
    for (const part of extra) owned.refuseOther(part.name, sha256(part.bytes));
    owned.refuseOther(file, hash);
    owned.refuseOther(`${name}.json`, sha256(new TextEncoder().encode(text)));
    for (const part of extra) await owned.write(part.name, part.bytes);
    await owned.write(file, onnx);
    await owned.write(`${name}.json`, text);
  } catch (error) {
    if (error instanceof DiskFullError) throw error;
    if (error instanceof ForeignFileError) {
      throw new UsageError(
        `Cannot write model ${name} into ${folder}: ${error.file} ${error.reason}; move it away, or give another folder`,
      );
    }
    throw new UsageError(
      `Cannot write model ${name} into ${folder}: ${
        messageOf(error)
      }; give a folder that can be written`,
    );
  }
  return {
    card: join(folder, `${name}.json`),
    file: join(folder, file),
    sha256: hash,
    bytes,
    notices,
  };
}
