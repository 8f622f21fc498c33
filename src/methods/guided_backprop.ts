/**
 * Guided backpropagation.
 *
 * @module
 */

import type { Classifier } from "../classifier/classifier.ts";
import { builderOn } from "../onnx/shapes.ts";
import { GUIDED_RULES, isRelu } from "../rules/guided/mod.ts";
import {
  inputGradient,
  inputGradientUnsupported,
  type InputRules,
  largestOfChannels,
} from "./_input_gradient.ts";
import type { Method } from "./method.ts";
import type { Target } from "../classifier/target.ts";
import type { Unsupported } from "../base/errors.ts";

/** The rules of guided backpropagation, for the walk to the input. */
export const GUIDED: InputRules = { name: "guided gradient", table: GUIDED_RULES };

/** Why guided backpropagation is not available; without a ReLU it would be the plain gradient under another name. */
export function guidedUnsupported(classifier: Classifier, target: Target): Unsupported | undefined {
  const refused = inputGradientUnsupported(classifier, target);
  if (refused !== undefined) return refused;
  const b = builderOn(classifier.graphs.whole);
  return b.graph.nodes.some((node) => isRelu(b, node))
    ? undefined
    : { reason: "guided backpropagation changes ReLUs, and the model has none" };
}

/**
 * Guided backpropagation: map = max_c |g_c| with g the gradient at the input in which every ReLU lets only positive values
 * back (see `src/rules/guided/`). NaN where y is not finite.
 *
 * It depends little on the class: with most networks it shows edges (Adebayo et al. 2018, arXiv 1810.03292).
 *
 * Source: Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (ICLR workshop 2015, arXiv 1412.6806),
 * section 3.4.
 *
 * Departs from the source: the paper shows the signed colours; a map of one number a pixel is made as for saliency.
 */
export const guidedBackprop: Method = {
  name: "guided-backprop",
  title: "Guided Backprop",
  source: "Springenberg et al. 2015, arXiv 1412.6806, sec. 3.4",
  family: "relevance",
  rectify: false,
  usesTarget: true,
  needsInput: true,
  grid: "input",
  unsupported: guidedUnsupported,
  async compute(context, classes) {
    return { map: largestOfChannels(await inputGradient(context, classes, GUIDED)) };
  },
};
