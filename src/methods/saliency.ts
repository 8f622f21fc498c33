/**
 * Saliency maps.
 *
 * @module
 */

import { inputGradient, inputGradientUnsupported, largestOfChannels } from "./_input_gradient.ts";
import type { Method } from "./method.ts";

/**
 * Saliency: map = max_c |∂y/∂x_c|, the largest magnitude of the gradient at a pixel over its colour channels. NaN where y is not
 * finite.
 *
 * Source: Simonyan, Vedaldi & Zisserman, "Deep Inside Convolutional Networks" (ICLR workshop 2014, arXiv 1312.6034), section
 * 3.1. The paper takes y before the softmax; that is target `logit`.
 */
export const saliency: Method = {
  name: "saliency",
  title: "Saliency",
  source: "Simonyan et al. 2014, arXiv 1312.6034, sec. 3.1",
  family: "input",
  rectify: false,
  usesTarget: true,
  needsInput: true,
  grid: "input",
  unsupported: inputGradientUnsupported,
  async compute(context, classes) {
    return { map: largestOfChannels(await inputGradient(context, classes)) };
  },
};
