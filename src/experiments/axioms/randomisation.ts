/**
 * Axiom: a model that has learned nothing has other maps.
 *
 * @module
 */

import { learnedNodes } from "../../onnx/randomise.ts";
import { correlationWhenRedrawn } from "../cascade.ts";
import { findingOf } from "../sample_maps.ts";
import type { Axiom } from "./axiom.ts";

/**
 * Mean correlation, over samples, between a method's final maps and those of the same network with the parameters of all layers re-drawn,
 * for the same classes: the last step of the cascade. A map that stays shows the picture or the architecture (edges, padding, what lies in
 * the middle), not what the classifier learned. The bound is ours: at .5 two maps share a quarter of their variance. Samples whose map is
 * constant are left out.
 *
 * Source: Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018, arXiv 1810.03292), section 3.
 */
export const randomisation: Axiom = {
  name: "randomisation",
  source:
    "all parameters re-drawn (Adebayo et al. 2018); mean correlation with the trained model's maps",
  bound: { atMost: 0.5 },
  applies: ({ ignores }) => !ignores?.includes("model"),
  async check(context, method) {
    const layers = learnedNodes(context.classifier.graphs.whole).length;
    if (layers === 0) return { skipped: "no parameters were found to re-draw" };
    return findingOf(await correlationWhenRedrawn(context, method, layers));
  },
};
