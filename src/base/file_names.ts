/**
 * File names for what is named by people: paths, classes.
 *
 * @module
 */

/** Longest name given, in UTF-8 bytes: file systems take 255, and callers add endings. */
const MAX_BYTES = 180;

/**
 * Gives names of one path component each: letters and digits of any script, ".", "-" and "_"; other runs of characters become
 * "_", leading dots and slashes go, and of a long text the end is kept. No two are equal, also where a file system ignores
 * case: a second one gets "~2", a third "~3". The same texts in the same order give the same names.
 */
export function fileNames(): (text: string) => string {
  const taken = new Set<string>();
  return (text) => {
    const base = tail(text.replace(/^[./]+/, "").replace(/[^\p{L}\p{N}._-]+/gu, "_")) || "image";
    let name = base;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${base}~${n}`;
    taken.add(name.toLowerCase());
    return name;
  };
}

/** The last characters of a text that fit, whole code points. */
function tail(text: string): string {
  const encoder = new TextEncoder();
  const characters = [...text];
  let bytes = 0, from = characters.length;
  while (from > 0) {
    bytes += encoder.encode(characters[from - 1]).length;
    if (bytes > MAX_BYTES) break;
    from--;
  }
  return characters.slice(from).join("");
}
