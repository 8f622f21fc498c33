/**
 * Which source imports which, read from the text.
 *
 * @module
 */

import { walkFiles } from "./walk_files.ts";

const root = new URL("../", import.meta.url);

/** Module specifiers of relative paths that a source text imports or re-exports. */
export function relativeImports(text: string): string[] {
  const pattern = /(?:from\s+|import\s*\(\s*|import\s+)"(\.{1,2}\/[^"]+)"/g;
  return [...text.matchAll(pattern)].map((match) => match[1]);
}

/** Those of {@linkcode relativeImports} from which it takes more than types. */
export function relativeValues(text: string): string[] {
  const pattern = /(?:import|export)\s+(type\s+)?(?:([^;"()=]*?)\s*from\s+)?"(\.{1,2}\/[^"]+)"/g;
  const stated = [...text.matchAll(pattern)].filter(([, type, names = ""]) => {
    const listed = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1].split(",").map((name) => name.trim());
    return !type && !listed?.every((name) => name === "" || name.startsWith("type "));
  }).map(([, , , specifier]) => specifier);
  const loaded = [...text.matchAll(/\bimport\s*\(\s*"(\.{1,2}\/[^"]+)"/g)].map(([, path]) => path);
  return [...stated, ...loaded];
}

/** A source text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

/**
 * What each file of `src/` imports of `src/`, by paths from the root; dynamic imports too.
 *
 * @param of which imports count: by default all, those of types too
 */
export async function importsOfSources(of = relativeImports): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const targets = of(withoutComments(await Deno.readTextFile(file)))
      .map((specifier) => new URL(specifier, file).pathname.slice(root.pathname.length))
      .filter((target) => target.startsWith("src/"));
    imports.set(file.pathname.slice(root.pathname.length), targets);
  }
  return imports;
}

/** The edges of a graph, one list a node; a circle in it as the nodes along it, or `undefined`. */
export function circleIn(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>(), path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    const at = path.indexOf(node);
    if (at >= 0) return [...path.slice(at), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = visit(node);
    if (circle) return circle;
  }
  return undefined;
}
