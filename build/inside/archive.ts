/**
 * How a native library lies inside the binary: its files among the packed ones, and a list of them. The script that makes the archive
 * and the program that unpacks it share this.
 *
 * @module
 */

/** One file of a package. */
export interface ArchivedFile {
  /** From the folder it is unpacked to, with slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Its packed file, beside the list and without `.gz`. */
  readonly stored: string;
}

/** The list of a package's files. */
export interface ArchiveList {
  /** Name, version, platform and a hash of all contents: archives of one key hold the same bytes. */
  readonly key: string;
  /** Libraries, laid out as they look for one another. */
  readonly files: readonly ArchivedFile[];
  /** Which of them is the Node.js addon. */
  readonly addon: string;
  /** Where the package looks for the addon, from the program's root: an empty file is there. */
  readonly place: string;
}

/** Name of the list in the archive's folder. */
export const LIST = "list.json";
