/**
 * Input × gradient.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import { inputGradient, inputGradientUnsupported, sumOfChannels } from "./_input_gradient.ts";
import type { Method } from "./method.ts";

/**
 * Input × gradient: map = Σ_c x_c ∂y/∂x_c, with x as the network reads it (after normalisation).
 *
 * For a network without biases and with piecewise linear activations the sum over all pixels is the logit itself; it is the
 * first-order estimate of what the input adds over an input of zeros.
 *
 * Source: Shrikumar et al., "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences"
 * (2016, arXiv 1605.01713), section 2, where it is the method compared with; Ancona et al., "Towards better understanding of
 * gradient-based attribution methods" (ICLR 2018, arXiv 1711.06104), table 1.
 *
 * Departs from the sources: channels are added up to one map, and negative values are set to 0 before normalisation, as for
 * CAMs, so that importance is evidence for the class.
 */
export const inputXGradient: Method = {
  name: "input-x-gradient",
  title: "Input × gradient",
  source: "Shrikumar et al. 2016, arXiv 1605.01713, sec. 2",
  family: "input",
  rectify: true,
  usesTarget: true,
  needsInput: true,
  grid: "input",
  unsupported: inputGradientUnsupported,
  async compute(context, classes) {
    const gradient = await inputGradient(context, classes);
    return { map: sumOfChannels(product(context.input, gradient)) };
  },
};

function product(a: Tensor, b: Tensor): Tensor {
  return floats(a.shape, a.data.map((value, i) => value * b.data[i]));
}
