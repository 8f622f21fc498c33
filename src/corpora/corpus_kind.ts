/**
 * What a kind of corpus is: which arguments on the command line are one, and how it is read.
 *
 * @module
 */

import type { CorpusImage } from "../image/image_file.ts";

/** An argument on the command line, and what is there under this name, if anything is. */
export interface Argument {
  readonly text: string;
  readonly info: Deno.FileInfo | undefined;
}

/** How the images of an argument are named and annotated. */
export interface ReadOptions {
  /** "folders": the first sub-folder that an image lies in is its annotation `label`. */
  readonly labels?: "folders";
  /** The folder from which relative paths start, instead of the working directory. Images are named, and their files given, from there. */
  readonly base?: string | undefined;
  /** Told of what was inferred, left out or could not be matched, a line each. */
  readonly note?: ((notice: string) => void) | undefined;
}

/** A place that images come from. To add one, write its file and list it in `mod.ts`. */
export interface CorpusKind {
  readonly name: string;
  /** Whether an argument is of this kind. The first kind of the list that says so reads it. */
  takes(argument: Argument): boolean;
  /**
   * The images that an argument names, in any order, each with its annotation and its path in the argument.
   *
   * @throws {UsageError} when it cannot be read or names none.
   */
  images(text: string, options: ReadOptions): AsyncIterable<CorpusImage>;
  /** The folder in which the images of an argument have their paths. Annotations of other arguments find them by these. */
  folder?(text: string): string;
  /** Whether sub-folders can be labels. */
  readonly labels?: true;
  /** It names images only where it is alone; beside other arguments it annotates theirs, by their paths in the folders of all. */
  readonly annotates?: true;
}
