/**
 * EmoNet's weights, as its authors publish them.
 *
 * @module
 */

import type { Importer } from "./importer.ts";

/** EmoNet (Kragel et al. 2019), from its PyTorch state dict or its MATLAB export. */
export const emonet: Importer = {
  name: "emonet",
  title: "EmoNet: 20 emotions, valence and arousal",
  called: "emonet",
  source: {
    name: "source",
    description: "the PyTorch state dict (.pth), or the folder of the MATLAB export",
  },
  files: [{
    name: "mean",
    description: "the mean image, img_mean.txt; by default the one beside the weights",
  }],
  async import({ mean }, source, { name: given = "emonet", folder }) {
    const { importEmonet } = await import("./emonet/import.ts");
    const { checkPlace, modelName } = await import("./model_name.ts");
    const name = modelName(given, source);
    await checkPlace(
      name,
      folder,
      [".json", ".onnx", ".mean.npy"],
      [source, ...mean === undefined ? [] : [mean]],
    );
    return await importEmonet(source, { name, folder, mean });
  },
};
