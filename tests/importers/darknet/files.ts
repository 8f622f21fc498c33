/** Importing from texts and bytes, by way of files. */

import { join } from "node:path";
import { importDarknet } from "../../../src/importers/darknet/import.ts";
import type { ImportedModel } from "../../../src/importers/imported.ts";

/** Folder of the small networks. */
export const NETWORKS = new URL("../../golden/darknet/", import.meta.url);

/** What is written into a folder and then imported into the same. */
export interface Files {
  readonly cfg: string | Uint8Array;
  readonly weights: Uint8Array;
  readonly names?: string | Uint8Array;
}

/** Runs with a folder that goes afterwards. */
export async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Imports made.cfg and made.weights, which are written into the folder first. */
export async function importFiles(folder: string, files: Files): Promise<ImportedModel> {
  const [cfg, weights, names] = ["made.cfg", "made.weights", "made.names"]
    .map((name) => join(folder, name)) as [string, string, string];
  if (typeof files.cfg === "string") await Deno.writeTextFile(cfg, files.cfg);
  else await Deno.writeFile(cfg, files.cfg);
  await Deno.writeFile(weights, files.weights);
  if (files.names === undefined) return await importDarknet({ cfg, weights, folder });
  await Deno.writeFile(
    names,
    typeof files.names === "string" ? new TextEncoder().encode(files.names) : files.names,
  );
  return await importDarknet({ cfg, weights, names, folder });
}
