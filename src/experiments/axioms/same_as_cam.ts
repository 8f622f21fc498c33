/**
 * Axiom: where a model has a pooling + linear head, Grad-CAM of the logit is CAM.
 *
 * @module
 */

import { cam } from "../../methods/cam.ts";
import { difference, sampleOf } from "../../attribution/maps.ts";
import { plainMaps } from "../sample_maps.ts";
import type { Axiom } from "./axiom.ts";

/**
 * Largest difference between the final maps of the method and of CAM, as a part of the range. Holds for methods whose weights
 * are the mean gradient, or whose map is Σ gradient · activation.
 *
 * Source: Selvaraju et al. 2017 (arXiv 1610.02391), section 3.1: for such heads Grad-CAM generalises CAM exactly.
 */
export const sameAsCam: Axiom = {
  name: "same as CAM",
  source: "Selvaraju et al. 2017, sec. 3.1; largest difference of final maps",
  bound: { atMost: 1e-4 },
  applies: ({ base, equalsCam }) => base === undefined && equalsCam === true,
  async check(context, method) {
    if (context.target !== "logit") return { skipped: `the target is ${context.target}` };
    const refused = cam.unsupported(context.classifier, "logit");
    if (refused) return { skipped: refused.reason };
    const own = await plainMaps(context, method);
    const reference = await plainMaps(context, cam);
    const values = context.classes.map((_, i) =>
      difference(
        sampleOf(reference.final, reference.samples, i),
        sampleOf(own.final, own.samples, i),
      )
    );
    return { value: Math.max(...values) };
  },
};
