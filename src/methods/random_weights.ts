/**
 * Control: Grad-CAM of a model that has learned nothing.
 *
 * @module
 */

import { createRng } from "../base/rng.ts";
import { floats, rows } from "../base/tensor.ts";
import { readFloats } from "../classifier/values.ts";
import { randomiseWeights } from "../onnx/randomise.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/** Seed of the re-drawn weights: the same model for all samples, whatever the run's seed. */
const SEED = 1;

/**
 * Grad-CAM of the same network with all parameters re-drawn (see `randomiseWeights`), for the same class and target. A map
 * that resembles this one shows the architecture and the picture, not what was learned.
 *
 * Source: the model parameter randomisation test of Adebayo et al. 2018 (arXiv 1810.03292), section 3, all layers; maps by
 * Grad-CAM (Selvaraju et al. 2017, eq. 1–2).
 */
export const randomWeights: Method = {
  name: "random-weights",
  title: "Grad-CAM of random weights (control)",
  source: "control; Adebayo et al. 2018, arXiv 1810.03292, sec. 3",
  family: "control",
  rectify: true,
  usesTarget: true,
  ignores: ["model"],
  needsInput: true,
  settings: { seed: SEED, layers: "all" },
  unsupported: gradientUnsupported,
  async compute(context, classes) {
    const random = await context.derive("random weights", async () => {
      const { classifier, forward, input } = context;
      const redrawn = await classifier.derive(
        "random weights",
        (graph) => randomiseWeights(graph, createRng(SEED)),
      );
      return {
        classifier: redrawn,
        forward: await redrawn.forward(rows(input, 0, forward.count)),
      };
    });
    const weights = await readFloats((await random.gradient(classes)).mean);
    const activation = await readFloats(random.forward.activation);
    return {
      map: weightedSum(activation.data, weights.data, random.classifier.layer, classes.length),
    };
  },
};

/** Σ_k w_k A_k for each row, [batch, h, w]. */
function weightedSum(
  activation: Float32Array,
  weights: Float32Array,
  { channels, height, width }: { channels: number; height: number; width: number },
  batch: number,
) {
  const cells = height * width;
  const map = new Float32Array(batch * cells);
  for (let row = 0; row < batch; row++) {
    for (let c = 0; c < channels; c++) {
      const weight = weights[row * channels + c];
      const from = (row * channels + c) * cells;
      for (let i = 0; i < cells; i++) map[row * cells + i] += weight * activation[from + i];
    }
  }
  return floats([batch, height, width], map);
}
