/**
 * EmoNet: from its PyTorch state dict or its MATLAB export to an ONNX file, a card and a mean image.
 *
 * @module
 */

import { basename, dirname, join } from "node:path";
import { messageOf, UsageError } from "../../base/errors.ts";
import { writeNpy } from "../../base/npy.ts";
import type { Tensor } from "../../base/tensor.ts";
import { writeModelParts } from "../../onnx/model_file.ts";
import { emonetCard } from "./card.ts";
import { emonetGraph } from "./graph.ts";
import { readMatlabFolder, readMeanImage } from "./matlab_folder.ts";
import { readStateTensors } from "./state_dict.ts";
import { type ImportedModel, writeImported } from "../imported.ts";
import { readStateDict } from "../torch/mod.ts";
import { statOf } from "../../base/files.ts";

/** How EmoNet is imported. */
export interface EmonetOptions {
  /** The mean image's text file; by default `img_mean.txt` in the MATLAB folder or beside the `.pth`. */
  readonly mean?: string | undefined;
  /** By default "emonet". */
  readonly name?: string | undefined;
  /** Where the model is written. */
  readonly folder: string;
}

/**
 * Imports EmoNet. The same weights give the same ONNX file, whichever form they came in.
 *
 * @param source the `.pth` file, or the folder of the MATLAB export
 * @throws {UsageError} when a file is missing or cannot be read, or nothing can be written.
 * @throws {ModelError} when a file is not what it has to be.
 */
export async function importEmonet(
  source: string,
  { mean, name = "emonet", folder }: EmonetOptions,
): Promise<ImportedModel> {
  const isFolder = await stat(source);
  // Before the weights, which take their time.
  const meanImage = readMeanImage(mean ?? await findMean(isFolder ? source : dirname(source)));
  const onnx = writeModelParts(emonetGraph(await readTensors(source, isFolder)));
  const meanName = `${name}.mean.npy`;
  const origin = isFolder ? "the MATLAB export" : `the PyTorch state dict ${basename(source)}`;
  return await writeImported({
    folder,
    name,
    card: emonetCard(meanName, `emonet-py, https://pypi.org/project/emonet-py (${origin})`),
    onnx,
    extra: [{ name: meanName, bytes: writeNpy(meanImage) }],
  });
}

async function readTensors(source: string, isFolder: boolean): Promise<Map<string, Tensor>> {
  if (isFolder) return await readMatlabFolder(source);
  return readStateTensors(await readStateDict(source), source);
}

/** Whether the source is a folder. */
async function stat(source: string): Promise<boolean> {
  try {
    return (await Deno.stat(source)).isDirectory;
  } catch (error) {
    throw new UsageError(
      `Cannot import EmoNet from ${source}: ${
        messageOf(error)
      }; give its .pth file or the folder of its MATLAB export`,
    );
  }
}

async function findMean(folder: string): Promise<string> {
  const path = join(folder, "img_mean.txt");
  if ((await statOf(path))?.isFile) return path;
  throw new UsageError(
    `Cannot import EmoNet without its mean image: there is no ${path}; name it with --mean img_mean.txt`,
  );
}
