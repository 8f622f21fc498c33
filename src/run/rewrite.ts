/**
 * The folder that outputs of a finished run are written into again: its own, or another one.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { flag } from "../base/flag.ts";
import { isFile, samePlace } from "../base/files.ts";
import type { OwnedFolder } from "../base/owned_folder.ts";
import type { StoredRun } from "../ledger/finished_run.ts";
import { MANIFEST_FILE, type VerdictRecord } from "../ledger/manifest.ts";
import { type Output, plannedOutputs } from "../outputs/mod.ts";
import { prepareFolder, takeFolder } from "./folder.ts";
import { OUTPUT_FOLDERS, ownFolder } from "./own_files.ts";
import { readAxioms } from "./verdicts.ts";

/** A folder that is taken until it is disposed of. */
export interface RunFolder extends Disposable {
  readonly out: string;
  readonly folder: OwnedFolder;
  /** What taking the folder has to say. */
  readonly remarks: readonly string[];
  /** Verdicts on the run's methods: of a check after the run, else those of the run itself. */
  verdicts(): Promise<readonly VerdictRecord[]>;
}

/**
 * Takes the folder for outputs of a run, where nothing in it is in the way.
 *
 * @param out another folder than the run's own
 * @param what the outputs
 * @throws {UsageError} when the folder holds another run, or a file that emocam did not write is in the way.
 */
export async function openRunFolder(
  stored: StoredRun,
  out: string | undefined,
  command: string,
  what: readonly Pick<Output, "file" | "names">[],
): Promise<RunFolder> {
  const { run, manifest, folder } = stored;
  const target = out ?? folder;
  const own = await samePlace(target, folder);
  const outputs = plannedOutputs({
    methods: run.methods.map(({ name }) => name),
    images: Array.from(run.images(), ({ path }) => path),
    maps: manifest.arguments.maps === true,
    paper: manifest.arguments.preset !== undefined,
  }, what);
  const owned = await ownFolder(target, {
    option: own ? "the folder of the run" : flag("out"),
    // A run.json beside the files of this run would speak of another one.
    writes: (name) => outputs(name) || !own && name === MANIFEST_FILE,
    folders: OUTPUT_FOLDERS,
    inputs: Array.from(run.images(), ({ path }) => stored.fileOf(path) ?? []).flat(),
  });
  if (!own && await isFile(join(target, MANIFEST_FILE))) {
    throw new UsageError(
      `Cannot write to ${flag("out")} ${
        JSON.stringify(target)
      }: it holds another run; give another folder`,
    );
  }
  if (!own) await prepareFolder(flag("out"), target);
  const taken = takeFolder(target, command);
  return {
    out: target,
    folder: owned,
    remarks: taken.remarks,
    async verdicts() {
      const { classifier: { key, placement }, analysis } = manifest;
      const checked = await readAxioms(folder, {
        classifier: { key, placementRule: placement },
        classes: run.explained,
        methods: run.methods,
        target: analysis.target,
      });
      return checked.length > 0 ? checked : stored.verdicts;
    },
    [Symbol.dispose]: () => taken[Symbol.dispose](),
  };
}
