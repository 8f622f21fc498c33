/**
 * Pictures in a folder that are nobody's: hidden ones, those that systems and programs keep for themselves, and emocam's own results.
 *
 * @module
 */

import { join } from "node:path";
import { plural } from "../base/number_text.ts";

/** Why something is left out: how the notice calls it, one and several. */
const KINDS = {
  hidden: ["hidden picture", "hidden pictures"],
  system: [
    "picture in a folder of the system (thumbnails, bins)",
    "pictures in folders of the system (thumbnails, bins)",
  ],
  own: ["picture that emocam made", "pictures that emocam made"],
  again: ["folder to which a link leads once more", "folders to which links lead once more"],
  unreadable: ["folder that cannot be read", "folders that cannot be read"],
} as const;

/** A reason for leaving something out. */
export type LeftOutKind = keyof typeof KINDS;

/** Counts what is left out of a folder. */
export class LeftOut {
  readonly #found = new Map<LeftOutKind, { count: number; first: string }>();

  add(kind: LeftOutKind, path: string): void {
    const known = this.#found.get(kind);
    if (known) known.count++;
    else this.#found.set(kind, { count: 1, first: path });
  }

  /** One line for each kind, with the first that it is of. */
  notices(folder: string): string[] {
    return [...this.#found].map(([kind, { count, first }]) => {
      const [one, many] = KINDS[kind];
      return `${folder}: ${plural(count, one, many)} left out (${first}${count > 1 ? " …" : ""})`;
    });
  }
}

/** Folders of thumbnails and bins: of Synology and QNAP, macOS, Windows, Linux, and of photo programs. */
const SYSTEM_FOLDER =
  /^(?:@eaDir|@Recycle|@__thumb|@tmp|#recycle|#snapshot|__MACOSX|\$RECYCLE\.BIN|RECYCLER|RECYCLED|System Volume Information|lost\+found|Network Trash Folder|Temporary Items|Thumbs|ehthumbs)$/i;

/** Hidden folders that hold copies or bins, and hidden files that are no pictures of their own. */
const SYSTEM_HIDDEN =
  /^(?:\._.*|\.thumbnails|\.thumbs|\.Trash.*|\.Trashes|\.AppleDouble|\.Spotlight-V100|\.fseventsd|\.DocumentRevisions-V100|\.TemporaryItems|\.picasaoriginals|\.@__thumb|\.dtrash)$/i;

/** Why a file or folder of this name is left out, if it is. */
export function nameLeftOut(name: string, isFolder: boolean): "hidden" | "system" | undefined {
  if (SYSTEM_HIDDEN.test(name) || (isFolder && SYSTEM_FOLDER.test(name))) return "system";
  return name.startsWith(".") ? "hidden" : undefined;
}

/** Why a picture that was named itself is none of a corpus. */
export const DRAWN = "emocam drew it: it is a result, not a picture to be analysed";

/** Name of a run's manifest. */
const MANIFEST = "run.json";

/**
 * The files that emocam wrote into a folder, by their paths in it, from a run's manifest.
 *
 * @param names of the files in it
 */
export async function ownFiles(
  folder: string,
  names: ReadonlySet<string>,
): Promise<ReadonlySet<string>> {
  const own = new Set<string>();
  if (names.has(MANIFEST)) {
    const { command, outputs } = record(await textOf(join(folder, MANIFEST)));
    if (typeof command === "string" && typeof outputs === "object" && outputs !== null) {
      for (const name of Object.keys(outputs)) own.add(name);
    }
  }
  return own;
}

async function textOf(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

/** The fields of a JSON object; none of any other text. */
function record(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
