/**
 * What an importer writes: an ONNX file and its card, which `findCard` then finds by name.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import { parseCard } from "../runtime/card.ts";
import { writeWhole } from "../base/files.ts";

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
    for (const part of extra) await writeWhole(join(folder, part.name), part.bytes);
    await writeWhole(join(folder, file), onnx);
    await writeWhole(join(folder, `${name}.json`), text);
  } catch (error) {
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
