/**
 * Writes the documents that are made from the sources: `deno task docs`.
 *
 * @module
 */

import { optionsMarkdown } from "../src/run/options/markdown.ts";

const file = new URL("../docs/options.md", import.meta.url);
await Deno.writeTextFile(file, optionsMarkdown());
