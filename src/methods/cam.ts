/**
 * CAM, the original class activation map.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import type { Method } from "./method.ts";

/**
 * CAM: map = ReLU(Σ_k W_ck A_k), with W the weights of the linear layer that follows global pooling. Where the pooled
 * channels are the logits themselves, W is the identity and the map is the class's own channel.
 *
 * Needs no gradient. With such a head Grad-CAM of the logit is this map divided by the number of cells (Selvaraju et al.,
 * section 3.1), so both are equal after normalisation.
 *
 * Source: Zhou et al., "Learning Deep Features for Discriminative Localization" (CVPR 2016, arXiv 1512.04150), equation 2.
 *
 * Departs from the source: negative values are set to 0 before normalisation, as Grad-CAM does; the paper shows the
 * signed map.
 */
export const cam: Method = {
  name: "cam",
  title: "CAM",
  source: "Zhou et al. 2016, arXiv 1512.04150, eq. 2",
  family: "gradient",
  rectify: true,
  usesTarget: false,
  yieldsWeights: true,
  unsupported(classifier) {
    const head = classifier.linearHead();
    return "reason" in head
      ? { reason: `CAM needs a pooling + linear head: ${head.reason}` }
      : undefined;
  },
  compute({ classifier }, classes) {
    const head = classifier.linearHead();
    if ("reason" in head) throw new TypeError(`Cannot compute CAM: ${head.reason}`);
    const channels = head.weights.shape[1];
    const weights = new Float32Array(classes.length * channels);
    classes.forEach((k, row) => {
      weights.set(head.weights.data.subarray(k * channels, (k + 1) * channels), row * channels);
    });
    return Promise.resolve({ weights: floats([classes.length, channels], weights) });
  },
};
