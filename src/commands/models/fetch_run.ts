/**
 * `models fetch`: downloads a published model's files, or takes those brought by hand, and imports them.
 *
 * @module
 */

import { UsageError } from "../../base/errors.ts";
import { DownloadError } from "../../download/download.ts";
import type { ImportedModel } from "../../importers/imported.ts";
import { findPublished, PUBLISHED, type PublishedModel } from "../../published/models.ts";
import {
  addressOf,
  downloadFolder,
  missingFiles,
  obtainFiles,
} from "../../published/model_files.ts";
import { userModelsFolder } from "../../runtime/model_folder.ts";
import { retryDelays } from "../options/fetch.ts";
import type { FetchOptions } from "./fetch_options.ts";
import { createProgress, textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { flag } from "../../base/flag.ts";
import { defined } from "../../base/defined.ts";

/** Lists the models that can be fetched. */
export async function listPublished({ into }: FetchOptions): Promise<number> {
  const folder = into ?? userModelsFolder();
  const rows = await Promise.all(PUBLISHED.map(async (model) => {
    const missing = folder === undefined
      ? model.files.length
      : (await missingFiles(model, downloadFolder(folder, model))).length;
    const bytes = model.files.reduce((sum, file) => sum + (file.bytes ?? NaN), 0);
    return [
      model.name,
      model.use,
      Number.isNaN(bytes) ? "unknown" : megabytes(bytes),
      missing === 0 ? "here" : missing < model.files.length ? `${missing} missing` : "",
      model.title,
    ];
  }));
  console.log(textTable(["name", "use", "size", "files", ""], rows));
  return 0;
}

/**
 * Fetches and imports a model.
 *
 * @throws {UsageError} when there is no such model, a file cannot be downloaded (after the list of files to bring was printed) or is wrong.
 */
export async function fetchModel(name: string, options: FetchOptions): Promise<number> {
  const model = findPublished(name);
  const models = options.into ?? userModelsFolder();
  if (models === undefined) {
    throw new UsageError(
      "Cannot tell where models go: neither EMOCAM_MODELS nor a home folder is set; give --into DIR",
    );
  }
  const folder = downloadFolder(models, model);
  console.log(`${model.title}
licence:  ${model.licence}
cite:     ${model.citation}
source:   ${model.source}
files in: ${folder}`);
  const files = await obtain(model, folder, options);
  const imported = await importModel(model, models, folder, files);
  for (const notice of imported.notices) console.error(notice);
  console.log(ready(model, imported, options.into !== undefined));
  return 0;
}

async function obtain(
  model: PublishedModel,
  folder: string,
  options: FetchOptions,
): Promise<Map<string, string>> {
  const progress = createProgress();
  try {
    return await obtainFiles(model, folder, {
      ...defined({ mirror: options.mirror }),
      delays: retryDelays(options.retries),
      onFile: ({ name }, state) => {
        progress.end();
        if (state === "found") console.log(`${name} is here`);
      },
      onWait: (reason, milliseconds) => {
        progress.end();
        console.error(
          `${legible(reason)}; the next attempt follows in ${Math.ceil(milliseconds / 1000)} s`,
        );
      },
      onProgress: ({ name }, { received, total }) =>
        progress.show(
          () =>
            `${name}: ${megabytes(received)}${
              total === undefined ? "" : ` of ${megabytes(total)}`
            }`,
          received === total,
        ),
    });
  } catch (error) {
    progress.end();
    if (error instanceof DownloadError || error instanceof UsageError) {
      const text = await filesToBring(model, folder, options);
      if (text) console.error(text);
    }
    throw error;
  } finally {
    progress.end();
  }
}

/** What somebody without this network has to do. */
async function filesToBring(
  model: PublishedModel,
  folder: string,
  { mirror, into }: FetchOptions,
): Promise<string | undefined> {
  const missing = await missingFiles(model, folder);
  if (missing.length === 0) return undefined;
  const list = textTable(
    ["file", "bytes", "from"],
    missing.map((file) => [
      file.name,
      file.bytes === undefined ? "unknown" : String(file.bytes),
      addressOf(file, mirror),
    ]),
  );
  const flag = into === undefined ? "" : ` --into ${JSON.stringify(into)}`;
  return `Without a network here, bring ${missing.length === 1 ? "this file" : "these files"} into
${folder}
${list}
and give the same command again (emocam models fetch ${model.name}${flag}), which then needs no network, or import them from anywhere:
${importCommand(model)}${flag}`;
}

function importCommand({ recipe, importedAs, name }: PublishedModel): string {
  const named = importedAs ?? name;
  if (recipe.kind === "darknet") {
    const { cfg, weights, names } = recipe;
    return `emocam models import darknet --cfg ${cfg} --weights ${weights} --names ${names} --name ${named}`;
  }
  return recipe.source === undefined
    ? `emocam models import emonet DIR`
    : `emocam models import emonet ${recipe.source} --mean img_mean.txt`;
}

async function importModel(
  model: PublishedModel,
  models: string,
  folder: string,
  files: ReadonlyMap<string, string>,
): Promise<ImportedModel> {
  const { recipe, source, licence, citation } = model;
  const name = model.importedAs ?? model.name;
  if (recipe.kind === "emonet") {
    const { importEmonet } = await import("../../importers/emonet/import.ts");
    const weights = recipe.source === undefined ? folder : files.get(recipe.source)!;
    const mean = files.get("img_mean.txt")!;
    return await importEmonet(weights, { mean, name, folder: models });
  }
  const { importDarknet } = await import("../../importers/darknet/import.ts");
  return await importDarknet({
    cfg: files.get(recipe.cfg)!,
    weights: files.get(recipe.weights)!,
    names: files.get(recipe.names)!,
    name,
    folder: models,
    source,
    licence,
    citation,
  });
}

function ready(model: PublishedModel, imported: ImportedModel, elsewhere: boolean): string {
  const { card, bytes, sha256 } = imported;
  const name = elsewhere ? card : model.importedAs ?? model.name;
  const use = model.use === "classifier"
    ? `emocam analyze PHOTOS ${flag("classifier")} ${name}`
    : `emocam analyze PHOTOS ${flag("detector")} ${name}`;
  return `ready: ${imported.file}, ${megabytes(bytes)}, SHA-256 ${sha256}
use it: ${use}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
