/**
 * `models import`: runs an importer and says what it wrote.
 *
 * @module
 */

import { resolve } from "node:path";
import { UsageError } from "../../base/errors.ts";
import type { ImportedModel } from "../../importers/imported.ts";
import type { Importer } from "../../importers/importer.ts";
import { findCard } from "../../runtime/card.ts";
import { userModelsFolder } from "../../runtime/model_folder.ts";
import { textTable } from "../terminal.ts";
import type { ImportOptions } from "./import_options.ts";
import { legible } from "../../base/legible.ts";
import { flag } from "../../base/flag.ts";
import { defined } from "../../base/defined.ts";

/** Most classes that are listed by name. */
const LISTED = 8;

/** Imports a model and prints what was written. @throws what the importer does. */
export async function importModel(
  importer: Importer,
  files: Readonly<Partial<Record<string, string>>>,
  source: string,
  { into, name }: ImportOptions,
): Promise<number> {
  const place = { folder: folderOf(into), ...defined({ name }) };
  return await report(await importer.import(files, source, place));
}

/** The folder asked for, or the user's. */
function folderOf(into: string | undefined): string {
  if (into === "") throw new UsageError('Cannot write into "": the name is empty; name a folder');
  const folder = into ?? userModelsFolder();
  if (folder !== undefined) return folder;
  throw new UsageError(
    "Cannot find your model folder: the environment names no home folder; give a folder with --into, or set EMOCAM_MODELS",
  );
}

/** Prints what was written and how it is used. */
async function report(model: ImportedModel): Promise<number> {
  const { card, folder } = await findCard(model.card);
  const user = userModelsFolder();
  const name = user !== undefined && resolve(folder) === resolve(user) ? card.name : model.card;
  const { classes } = card;
  const listed = classes?.slice(0, LISTED).map(legible).join(", ");
  const option = flag(card.task);
  const rows = [
    ["model", `${card.name} (${card.task})`],
    ["card", legible(model.card)],
    ["file", `${legible(model.file)}, ${model.bytes} bytes`],
    ["sha256", model.sha256],
    ...classes && listed !== undefined
      ? [["classes", `${classes.length}: ${listed}${classes.length > LISTED ? ", …" : ""}`]]
      : [],
    ...card.task === "classifier" && card.targetLayer !== undefined
      ? [["layer", legible(card.targetLayer)]]
      : [],
    ...card.task === "classifier" || card.task === "detector"
      ? [["use", `${option} ${legible(name)}`]]
      : [],
  ];
  for (const notice of model.notices) console.error(`note: ${legible(notice)}`);
  console.log(textTable(rows[0], rows.slice(1)));
  return 0;
}
