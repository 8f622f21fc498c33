/**
 * LRP-CAM.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import { type CompositeName, COMPOSITES } from "../rules/lrp/composites.ts";
import { relevanceGraph } from "../rules/lrp/relevance.ts";
import { channelShares, relevanceUnsupported, runBackward, type WriteGraph } from "./_relevance.ts";
import type { Method, MethodContext } from "./method.ts";

const COMPOSITE: CompositeName = "epsilon";

/**
 * LRP-CAM: map = ReLU(Σ_k s_k A_k), with s_k the sum over space of the relevance of channel k's cells.
 *
 * Relevance sets out as the class's logit, or as the logits of both classes for the margin, and is handed back by the composite
 * `epsilon` with ε = 1e-9; others are in `src/rules/lrp/`. What reaches the target layer and what biases absorb add up to it.
 * Target `probability` is refused: no rule hands a softmax's result back to its inputs and conserves it.
 *
 * Source: Bach et al. 2015 (PLoS ONE 10(7)), equation 58; as a CAM: Jung & Oh 2021 (arXiv 2102.05228), section 3.3, where
 * contributions by LRP take the place of DeepLIFT's.
 *
 * The implementation published with the EmoCAM paper attaches LRP by module hooks, which see neither its functional ReLUs nor
 * its fully connected layers: what it computes is the logit times the gradient, and misses the logit by 123 %. This one conserves
 * relevance.
 */
export const lrpCam: Method = {
  name: "lrp-cam",
  title: "LRP-CAM",
  source: "Bach et al. 2015, PLoS ONE 10(7), eq. 58",
  family: "relevance",
  rectify: true,
  usesTarget: true,
  weighsChannels: true,
  settings: { composite: COMPOSITE, epsilon: 1e-9 },
  unsupported: (classifier, target) =>
    target === "probability"
      ? "LRP hands back logits: no rule conserves relevance through a softmax; take target logit or margin"
      : relevanceUnsupported(classifier, target, writer(COMPOSITE)),
  async compute(context, classes) {
    const { relevance } = await layerRelevance(context, classes, COMPOSITE);
    return { weights: channelShares(relevance) };
  },
};

/** Relevance of the target layer's cells, [batch, C, h, w], and what was absorbed on the way, [batch]. */
export async function layerRelevance(
  context: MethodContext,
  classes: readonly number[],
  composite: CompositeName = COMPOSITE,
): Promise<{ relevance: Tensor; absorbed: Tensor }> {
  const name = `relevance by ${composite}`;
  const { relevance, absorbed } = await runBackward(context, classes, name, writer(composite));
  return { relevance: relevance!, absorbed: absorbed! };
}

const writer = (composite: CompositeName): WriteGraph => ({ graphs }) =>
  relevanceGraph(graphs.head, {
    score: graphs.logits!,
    target: graphs.layer,
    composite: COMPOSITES[composite],
  });
