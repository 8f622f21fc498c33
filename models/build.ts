/**
 * Rebuilds the shipped models from the npm packages they come from (`deno task models`); with `--check` it writes nothing
 * and fails when a file would change.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { basename } from "node:path";
import { buildModels } from "./build/build_models.ts";

const check = Deno.args.includes("--check");
const built = await buildModels(fileURLToPath(new URL(".", import.meta.url)), !check);
for (const { path, bytes, before } of built) {
  const state = before === "same" ? "unchanged" : check ? before : "written";
  console.log(`${basename(path).padEnd(24)} ${String(bytes).padStart(8)} bytes  ${state}`);
}
if (check && built.some(({ before }) => before !== "same")) Deno.exit(1);
