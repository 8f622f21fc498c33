/**
 * What an importer is: which files it makes a model of, and how.
 *
 * @module
 */

import type { ImportedModel } from "./imported.ts";

/** A file that is given by an option: `--NAME FILE`. */
export interface ImportFile {
  readonly name: string;
  readonly description: string;
  readonly required?: true;
}

/** Where a model is written, and what it is called if a name was given. */
export interface ImportPlace {
  readonly folder: string;
  readonly name?: string;
}

/**
 * Makes foreign weights a model: an ONNX file and a card. To add one, write its file and list it in `mod.ts`. These files are loaded at
 * every start, so they load the work itself when it is asked for.
 */
export interface Importer {
  /** As the command line has it: `models import NAME`. */
  readonly name: string;
  readonly title: string;
  /** Name of the model if none is given; by default that of its file. */
  readonly called?: string;
  /** What is given without an option. */
  readonly source?: { readonly name: string; readonly description: string };
  readonly files: readonly ImportFile[];
  /**
   * Imports a model. Nothing is written unless everything is in order.
   *
   * @param files paths by the names of {@linkcode files}, those given
   * @param source the path given without an option; "" where the importer takes none
   * @throws {UsageError} when a file is missing, or the name or folder cannot be used.
   * @throws {ModelError} when a file is malformed or unsupported.
   */
  import(
    files: Readonly<Partial<Record<string, string>>>,
    source: string,
    place: ImportPlace,
  ): Promise<ImportedModel>;
}
