/**
 * Axiom: the map says where covering the picture lowers the score.
 *
 * @module
 */

import { occlusion as sensitivity } from "../../methods/occlusion.ts";
import { spearman } from "../../statistics/correlation.ts";
import { type Maps, mapsOf, meanOf, sampleOf } from "./_maps.ts";
import type { Axiom, AxiomContext } from "./axiom.ts";

/** Occlusion maps of a context: all methods are compared with the same ones. */
const occluded = new WeakMap<AxiomContext, Promise<Maps>>();

/**
 * Mean rank correlation, over samples, between a method's final map and how much the score falls when a patch is laid over each
 * pixel (the `occlusion` method's raw map, signed). It is the one axiom that looks at what the classifier does when evidence is taken
 * away, and needs neither gradients nor layers. A map that has nothing to do with the score is at 0; the bound asks for little more than
 * that, since patches are coarse and classifiers react to covering in ways of their own. Samples with a constant map are left out.
 */
export const occlusion: Axiom = {
  name: "occlusion",
  source: "falls of the score under a patch; mean rank correlation over samples",
  bound: { atLeast: 0.1 },
  applies: ({ name }) => name !== sensitivity.name,
  async check(context, method) {
    const reason = sensitivity.unsupported(context.classifier, context.target);
    if (reason !== undefined) return { skipped: reason };
    let falls = occluded.get(context);
    if (!falls) occluded.set(context, falls = mapsOf(context, sensitivity, context));
    const { raw, samples } = await falls;
    const { final } = await mapsOf(context, method, context);
    const value = meanOf(
      context.classes.map((_, i) =>
        spearman(sampleOf(final, samples, i), sampleOf(raw, samples, i)).r
      ),
    );
    return Number.isNaN(value) ? { skipped: "all maps are constant" } : { value };
  },
};
