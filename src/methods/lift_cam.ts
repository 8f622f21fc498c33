/**
 * LIFT-CAM.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import { liftGraph } from "../rules/lift/contributions.ts";
import { channelShares, relevanceUnsupported, runBackward, type WriteGraph } from "./_relevance.ts";
import { type Method, type MethodContext, scoreTensorOf } from "./method.ts";
import { overEmptyLayer } from "./_sums.ts";

/**
 * LIFT-CAM: map = ReLU(Σ_k s_k A_k), with s_k the sum over space of DeepLIFT's contributions of channel k's cells to the score,
 * from a reference activation of zeros. Σ_k s_k = y(A) − y(0): the contributions are complete.
 *
 * y is the logit, the probability (its softmax is explained too, exactly), or the margin to the runner-up at A, which stays the
 * same class for the reference. What crosses the cut beside the target layer is the same in both passes.
 *
 * Source: Jung & Oh, "Towards Better Explanations of Class Activation Mapping" (ICCV 2021, arXiv 2102.05228), equations 5 to 9;
 * DeepLIFT's rescale rule by Shrikumar et al. 2017 (arXiv 1704.02685), see `src/rules/lift/`.
 *
 * The implementation published with the EmoCAM paper attaches DeepLIFT by module hooks, which see neither its functional ReLUs
 * nor its fully connected layers; contributions there are off by 39 % of the score's change. This one is complete.
 */
export const liftCam: Method = {
  name: "lift-cam",
  title: "LIFT-CAM",
  source: "Jung & Oh 2021, arXiv 2102.05228, eq. 5-9",
  family: "relevance",
  rectify: true,
  usesTarget: true,
  published: {
    target: "logit",
    note:
      "lift-cam is DeepLIFT's rescale rule; the published code hides the ReLUs and fully connected layers from it (its contributions miss the " +
      "score by 39 %), so that its maps differ",
  },
  yieldsWeights: true,
  settings: { rule: "rescale", baseline: 0 },
  unsupported: (classifier, target) => relevanceUnsupported(classifier, target, write),
  async compute(context, classes) {
    return { weights: channelShares(await liftContributions(context, classes)) };
  },
  sums: async (context, classes) =>
    await overEmptyLayer(context, classes, await liftContributions(context, classes)),
};

/** DeepLIFT's contributions of the target layer's cells, [batch, C, h, w], to y(A) − y(0). */
export async function liftContributions(
  context: MethodContext,
  classes: readonly number[],
): Promise<Tensor> {
  return (await runBackward(context, classes, "contributions", write)).contributions!;
}

const write: WriteGraph = ({ graphs }, target) =>
  liftGraph(graphs.head, { score: graphs[scoreTensorOf(target)]!, target: graphs.layer });
