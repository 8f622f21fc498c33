/**
 * How emocam is started, as words of a command line that is printed or recorded.
 *
 * @module
 */

import { dirname, join, relative, resolve } from "node:path";
import { MODELS_FOLDER } from "../runtime/card.ts";

/** The words that start emocam in a folder: `deno task` finds its file of tasks in that folder and those above it, or has to be told. */
export function startWords(from: string = Deno.cwd()): string[] {
  if (Deno.build.standalone) return ["emocam"];
  const project = dirname(resolve(MODELS_FOLDER));
  const way = relative(resolve(from), project).replaceAll("\\", "/");
  const below = /^(\.\.(\/|$))*$/.test(way);
  return [
    "deno",
    "task",
    ...below ? [] : ["--config", join(way, "deno.json").replaceAll("\\", "/")],
  ];
}
