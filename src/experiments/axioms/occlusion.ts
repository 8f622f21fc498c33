/**
 * Axiom: the map says where covering the picture lowers the score.
 *
 * @module
 */

import { occlusion as sensitivity } from "../../methods/occlusion.ts";
import { spearman } from "../../statistics/correlation.ts";
import { sampleOf } from "../../attribution/maps.ts";
import { byPlacement, meanOverSamples, plainMaps } from "../sample_maps.ts";
import type { Axiom } from "./axiom.ts";

const isConstant = (map: Float32Array) => map.every((value) => value === map[0]);

/**
 * Mean rank correlation, over samples, between a method's final map and how much the score falls when a patch is laid over each
 * pixel (the `occlusion` method's raw map, signed). It is the one axiom that looks at what the classifier does when evidence is taken
 * away, and needs neither gradients nor layers. A map that has nothing to do with the score is at 0; the bound asks for little more than
 * that, since patches are coarse and classifiers react to covering in their own ways. Samples with a constant map are left out.
 */
export const occlusion: Axiom = {
  name: "occlusion",
  source: "falls of the score under a patch; mean rank correlation over samples",
  bound: { atLeast: 0.1 },
  applies: ({ name }) => name !== sensitivity.name,
  async check(context, method) {
    const refused = sensitivity.unsupported(context.classifier, context.target);
    if (refused) return { skipped: refused.reason };
    const falls = await plainMaps(context, sensitivity);
    if (context.classes.every((_, i) => isConstant(sampleOf(falls.raw, falls.samples, i)))) {
      return { skipped: "the score falls alike wherever a patch lies" };
    }
    const maps = await plainMaps(context, method);
    return await byPlacement(context, method, async (finalOf) => {
      const final = await finalOf(maps);
      return meanOverSamples(
        context.classes.map((_, i) => [
          sampleOf(final, maps.samples, i),
          sampleOf(falls.raw, falls.samples, i),
        ]),
        (map, fall) => spearman(map, fall).r,
      );
    });
  },
};
