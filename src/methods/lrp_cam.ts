/**
 * LRP-CAM.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import { type CompositeName, COMPOSITES } from "../rules/lrp/composites.ts";
import { relevanceGraph } from "../rules/lrp/relevance.ts";
import { channelShares, relevanceUnsupported, runBackward, type WriteGraph } from "./_relevance.ts";
import { type Method, type MethodContext, scoreFunction } from "./method.ts";
import { sumOfRow } from "./_sums.ts";

/** The composite of `lrp-cam` itself. */
const DEFAULT: CompositeName = "epsilon";

/**
 * LRP-CAM: map = ReLU(Σ_k s_k A_k), with s_k the sum over space of the relevance of channel k's cells.
 *
 * Relevance sets out as the class's logit, or as the logits of both classes for the margin, and is handed back by the composite
 * `epsilon` with ε = 1e-9, or by another of `src/rules/lrp/composites.ts` ({@linkcode lrpCamBy}). What reaches the target layer and what
 * biases absorb add up to it.
 * Target `probability` is refused: no rule hands a softmax's result back to its inputs and conserves it.
 *
 * Source: Bach et al. 2015 (PLoS ONE 10(7)), equation 58; as a CAM: Jung & Oh 2021 (arXiv 2102.05228), section 3.3, where
 * contributions by LRP take the place of DeepLIFT's.
 *
 * The implementation published with the EmoCAM paper attaches LRP by module hooks, which see neither its functional ReLUs nor
 * its fully connected layers: what it computes is the logit times the gradient, and misses the logit by 123 %. This one conserves
 * relevance.
 */
export const lrpCam: Method = lrpCamBy(DEFAULT);

/** LRP-CAM by a composite; any but the default is a separate method, `lrp-cam+COMPOSITE`. */
export function lrpCamBy(composite: CompositeName): Method {
  const own = composite !== DEFAULT;
  return {
    name: own ? `lrp-cam+${composite}` : "lrp-cam",
    title: own ? `LRP-CAM, ${composite}` : "LRP-CAM",
    source: "Bach et al. 2015, PLoS ONE 10(7), eq. 58",
    family: "relevance",
    rectify: true,
    usesTarget: true,
    published: {
      target: "logit",
      note:
        "lrp-cam is LRP's epsilon rule; the published code hides the ReLUs and fully connected layers from it (its relevance misses the score " +
        "by 123 %), so that its maps differ",
    },
    yieldsWeights: true,
    settings: { composite },
    unsupported: (classifier, target) =>
      target === "probability"
        ? {
          reason: "LRP hands back logits: no rule conserves relevance through a softmax or sigmoid",
          advice: "take target logit or margin",
        }
        : relevanceUnsupported(classifier, target, writer(composite)),
    async compute(context, classes) {
      const { relevance } = await layerRelevance(context, classes, composite);
      return { weights: channelShares(relevance) };
    },
    // Conservation: what reaches the layer and what biases absorb is what set out.
    async sums(context, classes) {
      const { forward } = context;
      const { relevance, absorbed } = await layerRelevance(context, classes, composite);
      return Array.from({ length: forward.count }, (_, row) => ({
        sum: sumOfRow(relevance, row) + absorbed.data[row],
        to: scoreFunction(context, row, classes[row])(forward, row),
        from: 0,
      }));
    },
  };
}

/** A method by each of these composites where it is LRP-CAM; else the method itself. */
export function byComposites(method: Method, composites: readonly CompositeName[]): Method[] {
  return method.name === lrpCam.name ? composites.map(lrpCamBy) : [method];
}

/** Relevance of the target layer's cells, [batch, C, h, w], and what was absorbed on the way, [batch]. */
export async function layerRelevance(
  context: MethodContext,
  classes: readonly number[],
  composite: CompositeName = DEFAULT,
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
