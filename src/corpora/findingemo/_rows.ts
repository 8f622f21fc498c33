/**
 * What FindingEmo's tables share: paths inside the corpus.
 *
 * @module
 */

/**
 * A path of the dataset as one inside the corpus: `/Run_1/a b/c.jpg` is `Run_1/a b/c.jpg`.
 *
 * @returns what is wrong with it, where it is empty, leads out of the folder, or cannot be a file's name.
 */
export function corpusPath(text: string): { path: string } | { wrong: string } {
  const wrong = (why: string) => ({ wrong: `is ${JSON.stringify(text.slice(0, 200))}: ${why}` });
  const path = text.replace(/^\//, "");
  if (path === "") return wrong("it is empty");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return wrong("it has control characters");
  if (path.includes("\\")) return wrong("paths have forward slashes");
  if (/^[A-Za-z]:/.test(path)) return wrong("it begins with a drive");
  for (const part of path.split("/")) {
    if (part === "") return wrong("it has an empty part");
    if (part === "." || part === "..") return wrong("it leads elsewhere");
    if (new TextEncoder().encode(part).length > 255) return wrong("a part of it is too long");
  }
  return { path };
}
