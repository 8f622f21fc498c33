/**
 * `models import darknet`, `models import emonet` and `models import onnx`.
 *
 * @module
 */

import { resolve } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { checkPlace, modelName } from "../../importers/model_name.ts";
import type { ImportedModel } from "../../importers/imported.ts";
import { findCard } from "../../runtime/card.ts";
import { userModelsFolder } from "../../runtime/model_folder.ts";
import { textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";

/** Where a model goes and what it is called. */
interface Place {
  readonly name?: string;
  readonly into?: string;
}

/** Most classes that are listed by name. */
const LISTED = 8;

/** Imports a Darknet detector. */
export async function importDarknetModel(
  options: Place & { readonly cfg: string; readonly weights: string; readonly names?: string },
): Promise<number> {
  const { importDarknet } = await import("../../importers/darknet/import.ts");
  const { into, ...files } = options;
  return await report(await importDarknet({ ...files, folder: folderOf(into) }));
}

/** Imports EmoNet from a `.pth` file or the folder of its MATLAB export. */
export async function importEmonetModel(
  source: string,
  { into, name: given = "emonet", mean }: Place & { readonly mean?: string },
): Promise<number> {
  const { importEmonet } = await import("../../importers/emonet/import.ts");
  const folder = folderOf(into);
  const name = modelName(given, source);
  await checkPlace(name, folder);
  return await report(
    await importEmonet(source, { name, folder, ...mean === undefined ? {} : { mean } }),
  );
}

/** Imports an ONNX file. */
export async function importOnnxModel(
  file: string,
  { into, ...options }: Place & { readonly card?: string },
): Promise<number> {
  const { importOnnx } = await import("../../importers/onnx/import.ts");
  return await report(await importOnnx(file, { ...options, folder: folderOf(into) }));
}

/** The folder asked for, or the user's. */
function folderOf(into: string | undefined): string {
  if (into === "") throw new UsageError('Cannot write into "": the name is empty; name a folder');
  const folder = into ?? userModelsFolder();
  if (folder !== undefined) return folder;
  throw new UsageError(
    "Cannot tell where your models lie: the environment names no home folder; give a folder with --into, or set EMOCAM_MODELS",
  );
}

/** Prints what was written and how it is used. */
async function report(model: ImportedModel): Promise<number> {
  const { card, folder } = await findCard(model.card);
  const user = userModelsFolder();
  const name = user !== undefined && resolve(folder) === resolve(user) ? card.name : model.card;
  const { classes } = card;
  const listed = classes?.slice(0, LISTED).map(legible).join(", ");
  const option = card.task === "classifier" ? "--classifier" : "--detector";
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
