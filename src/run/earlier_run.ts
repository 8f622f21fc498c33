/**
 * Folders of runs that versions before the record of files made: what in them is ours is told by their `run.json`.
 *
 * @module
 */

import { join } from "node:path";
import type { Json } from "../base/json.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
import { isObject, MANIFEST_FILE } from "../ledger/manifest.ts";
import type { OutputPlan } from "../outputs/output.ts";
import { plannedOutputs } from "../outputs/mod.ts";
import { hashTables } from "../outputs/read.ts";

/** Files without a hash in `run.json`, by what each begins with. */
const BEGINNINGS: readonly (readonly [name: string, beginning: RegExp])[] = [
  ["report.html", /<meta name="generator" content="emocam">/],
  ["cascade.csv", /^method,layers,layer,correlation\n/],
];

/** Bytes of a file that are looked at. */
const BEGINNING = 4096;

/**
 * Takes the files of a run for ours that an earlier version made: its tables where they have the hashes of `run.json`; where the folder has no
 * record yet, also its page and its maps, by their names. Anything else in the folder stays its user's.
 */
export async function adoptEarlier(folder: OwnedFolder): Promise<void> {
  const manifest = await earlierManifest(folder.folder);
  if (!manifest) return;
  const isFirst = folder.names().length === 0;
  const adopt = (name: string) => {
    if (folder.find(name) === "foreign") folder.adopt(name);
  };
  const { hashes, plan } = manifest;
  const ours = plannedOutputs(plan);
  const tables = Object.keys(hashes).filter((name) =>
    ours(name) && folder.find(name) === "foreign"
  );
  const now = await hashTables(folder.folder, tables);
  for (const name of tables) if (now[name] === hashes[name]) adopt(name);
  if (!isFirst) return;
  adopt(MANIFEST_FILE);
  for (const [name, beginning] of BEGINNINGS) {
    if (beginning.test(beginningOf(join(folder.folder, name)))) adopt(name);
  }
  if (!plan.maps) return;
  for (const method of plan.methods) {
    for (const file of await filesOf(join(folder.folder, "maps", method))) {
      const name = `maps/${method}/${file}`;
      if (ours(name)) adopt(name);
    }
  }
}

/** What `run.json` says, where it is one that `analyze` wrote. */
async function earlierManifest(
  folder: string,
): Promise<{ hashes: Readonly<Record<string, string>>; plan: OutputPlan } | undefined> {
  let value: Json;
  try {
    value = JSON.parse(await Deno.readTextFile(join(folder, MANIFEST_FILE)));
  } catch {
    return undefined; // none, or another program's
  }
  if (!isObject(value) || typeof value.emocam !== "string") return undefined;
  const { arguments: args, outputs, methods, images, settings } = value;
  if (!isObject(args) || args.command !== "analyze" || !isObject(outputs)) return undefined;
  const texts = (list: Json | undefined, key: string) =>
    (Array.isArray(list) ? list : []).flatMap((item) =>
      isObject(item) && typeof item[key] === "string" ? [item[key]] : []
    );
  return {
    hashes: Object.fromEntries(
      Object.entries(outputs).flatMap(([name, hash]) =>
        typeof hash === "string" ? [[name, hash]] : []
      ),
    ),
    plan: {
      // The oldest name them in the settings only.
      methods: [
        ...texts(methods, "name"),
        ...isObject(settings) && isObject(settings.methods) ? Object.keys(settings.methods) : [],
      ],
      images: texts(images, "path"),
      maps: args.maps === true,
      paper: args.preset === "paper",
    },
  };
}

function beginningOf(path: string): string {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(BEGINNING);
    return new TextDecoder().decode(bytes.subarray(0, file.readSync(bytes) ?? 0));
  } catch {
    return "";
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).flatMap(({ name, isFile }) =>
      isFile ? [name] : []
    );
  } catch {
    return [];
  }
}
