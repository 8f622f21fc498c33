/**
 * What to say of the names in a file of boxes that mean no image, or could mean several.
 *
 * @module
 */

import { basename } from "node:path/posix";
import type { Ambiguity, Join, NamedImage } from "./_join.ts";
import { type BoxTable, normal, stemOf } from "./table.ts";

/** How many names a message gives. */
const NAMED = 3;

/** Why no image of a corpus is in the file, in one line. */
export function nothingMatched(
  table: BoxTable,
  { several, claimed, unknown }: Join,
  corpus: readonly NamedImage[],
): string {
  const count = table.images.size;
  const [first] = table.images.keys();
  const unsure = several[0] ?? claimed[0];
  if (unsure) {
    const [whose, which] = several[0] ? ["its", "the corpus's"] : ["the corpus's", "its"];
    return `Cannot use the boxes of ${table.origin}: which of ${which} images is meant by each of ${whose} cannot be told (${
      couldBe(unsure)
    }); write paths as the corpus has them`;
  }
  const elsewhere = inOtherFolders(table, unknown, corpus)[0];
  const other = elsewhere === undefined ? "" : ` (in another folder: ${elsewhere})`;
  return `Cannot use the boxes of ${table.origin}: none of its ${count} images (${first} …) is in the corpus (${
    corpus[0]?.path
  } …)${other}; write paths as the corpus has them`;
}

/** The names that match nothing, or could mean several images: how many there are, and which the first are. */
export function joinNotices(
  table: BoxTable,
  { unknown, several, claimed }: Join,
  corpus: readonly NamedImage[],
): string[] {
  const { origin, images } = table;
  const notices: string[] = [];
  if (unknown.length > 0) {
    const other = inOtherFolders(table, unknown, corpus);
    const elsewhere = other.length === 0
      ? ""
      : `; ${
        other.length === 1 ? "one has" : `${other.length} have`
      } the name of an image in another folder (${someOf(other)})`;
    notices.push(
      `${origin}: ${unknown.length} of its ${images.size} images ${
        unknown.length === 1 ? "is" : "are"
      } not in the corpus (${someOf(unknown)})${elsewhere}`,
    );
  }
  const advice = "write paths as the corpus has them";
  if (several.length > 0) {
    notices.push(
      `${origin}: ${several.length} of its ${images.size} images could be several of the corpus, so that their boxes are left out (${
        someOf(several.map(couldBe))
      }); ${advice}`,
    );
  }
  if (claimed.length > 0) {
    notices.push(
      `${origin}: ${claimed.length} of the corpus's images could be several of the file, so that these boxes are left out (${
        someOf(claimed.map(couldBe))
      }); ${advice}`,
    );
  }
  return notices;
}

/** Names of the file whose base name is that of an image in another folder, with its path. */
function inOtherFolders(
  table: BoxTable,
  names: readonly string[],
  corpus: readonly NamedImage[],
): string[] {
  const named = (path: string) => table.stems ? stemOf(normal(path)) : normal(path);
  const byBase = new Map(corpus.map(({ path }) => [basename(named(path)), path]));
  return names.flatMap((name) => {
    const path = byBase.get(basename(name));
    return path === undefined ? [] : [`${name}: ${path}`];
  });
}

function couldBe({ name, candidates }: Ambiguity): string {
  return `${name}: ${candidates.slice(0, NAMED).join(" or ")}${
    candidates.length > NAMED ? " …" : ""
  }`;
}

function someOf(names: readonly string[]): string {
  return names.slice(0, NAMED).join(", ") + (names.length > NAMED ? " …" : "");
}
