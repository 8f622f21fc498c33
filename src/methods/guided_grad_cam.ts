/**
 * Guided Grad-CAM.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { readFloats } from "../classifier/values.ts";
import { channelSum } from "../kernels/channel_sum.ts";
import { upsampleBilinear } from "../kernels/upsample_bilinear.ts";
import { inputGradient, largestOfChannels } from "./_input_gradient.ts";
import { GUIDED, guidedUnsupported } from "./guided_backprop.ts";
import { gradientUnsupported, type Method } from "./method.ts";

/**
 * Guided Grad-CAM: guided backpropagation times the Grad-CAM map, rectified and enlarged to the input by bilinear
 * interpolation: map = max_c |g_c| · U(ReLU(Σ_k w_k A_k)). NaN where the score is not finite.
 *
 * Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (ICCV 2017,
 * arXiv 1610.02391), section 3.2.
 *
 * Departs from the source: one number a pixel instead of signed colours (see `guided-backprop`), and the Grad-CAM map lies
 * on the input as the classifier's placement says.
 */
export const guidedGradCam: Method = {
  name: "guided-grad-cam",
  title: "Guided Grad-CAM",
  source: "Selvaraju et al. 2017, arXiv 1610.02391, sec. 3.2",
  family: "relevance",
  rectify: false,
  usesTarget: true,
  usesGradient: true,
  needsInput: true,
  grid: "input",
  unsupported: (classifier, target) =>
    gradientUnsupported(classifier, target) ?? guidedUnsupported(classifier, target),
  async compute(context, classes) {
    const { classifier, forward } = context;
    const guided = largestOfChannels(await inputGradient(context, classes, GUIDED));
    const activation = await readFloats(forward.activation);
    const weights = await readFloats((await context.gradient(classes)).mean);
    const cam = enlargedCam(classifier, activation, weights);
    return { map: floats(guided.shape, guided.data.map((value, i) => value * cam[i])) };
  },
};

/** U(ReLU(Σ_k w_k A_k)), [batch, H, W]. */
function enlargedCam(
  { layer, placement, inputShape }: Classifier,
  activation: Tensor,
  weights: Tensor,
): Float32Array {
  const [maps, channels] = weights.shape as [number, number];
  const { height, width } = layer;
  const cells = height * width;
  const cam = new Float32Array(maps * cells);
  const sum = { maps, perImage: 1, channels, cells, rectify: 1 };
  channelSum.cpu(sum, activation.data, weights.data, cam);
  const [, outHeight, outWidth] = inputShape;
  const enlarged = new Float32Array(maps * outHeight * outWidth);
  upsampleBilinear.cpu(
    {
      maps,
      height,
      width,
      outHeight,
      outWidth,
      scaleY: placement.y.scale,
      offsetY: placement.y.offset,
      scaleX: placement.x.scale,
      offsetX: placement.x.offset,
    },
    cam,
    enlarged,
  );
  return enlarged;
}
