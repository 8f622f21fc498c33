/**
 * Axiom: a mirrored picture has the mirrored map.
 *
 * @module
 */

import { floats, type Tensor } from "../../base/tensor.ts";
import { mapsOf, sampleOf } from "../../attribution/maps.ts";
import { byPlacement, meanOverSamples, plainMaps } from "../sample_maps.ts";
import type { Axiom, AxiomContext, Finding } from "./axiom.ts";
import { occlusion } from "../../methods/occlusion.ts";
import type { Method } from "../../methods/mod.ts";
import { plainPearson } from "../../statistics/correlation.ts";

const BOUND = 0.9;

/**
 * Mean correlation, over samples, between the final map of the mirrored input and the mirrored final map. A network that
 * was trained on mirrored pictures should explain them alike; a map that stays where it was shows the network's padding and
 * position, not the picture, or is drawn in the wrong place. Samples whose map is constant are left out.
 *
 * A classifier that itself treats mirrored pictures otherwise has other maps of them, and should: where what covering does to the score
 * is not mirrored either (occlusion sensitivity, by the same figure and bound), a low figure says nothing of the method.
 */
export const mirror: Axiom = {
  name: "mirror",
  source: "equivariance under reflection; mean correlation over samples",
  bound: { atLeast: BOUND },
  // What ignores the picture has nothing to mirror.
  applies: ({ ignores }) => !ignores?.includes("picture"),
  async check(context, method) {
    const finding = await agreement(context, method);
    if ("skipped" in finding || !(finding.value < BOUND)) return finding;
    const falls = await fallsAgreement(context);
    if (falls === undefined || !("value" in falls) || falls.value >= BOUND) return finding;
    const excuse = `the classifier itself treats mirrored pictures otherwise: ${
      falls.value.toPrecision(2)
    } for the falls of its score under a patch`;
    return { ...finding, excuse };
  },
};

/** The figure of a method. */
async function agreement(context: AxiomContext, method: Method): Promise<Finding> {
  const [, height, width] = context.classifier.inputShape;
  const plain = await plainMaps(context, method);
  const flipped = await mapsOf(context, method, { ...context, inputs: flip(context.inputs) });
  return await byPlacement(context, method, async (finalOf) => {
    const own = await finalOf(plain), others = await finalOf(flipped);
    return meanOverSamples(
      context.classes.map((_, i) => [
        flipRows(sampleOf(own, plain.samples, i), height, width),
        sampleOf(others, flipped.samples, i),
      ]),
      plainPearson,
    );
  });
}

/** Of each context: all methods share it. */
const ofFalls = new WeakMap<AxiomContext, Promise<Finding>>();

/** The figure of occlusion sensitivity; `undefined` where it is not defined. */
function fallsAgreement(context: AxiomContext): Promise<Finding> | undefined {
  if (occlusion.unsupported(context.classifier, context.target)) return undefined;
  let known = ofFalls.get(context);
  if (!known) ofFalls.set(context, known = agreement(context, occlusion));
  return known;
}

/** Inputs [n, C, H, W] mirrored left to right. */
export function flip(inputs: Tensor): Tensor {
  const [n, channels, height, width] = inputs.shape as [number, number, number, number];
  return floats(inputs.shape, flipRows(inputs.data, n * channels * height, width));
}

function flipRows(values: Float32Array, rows: number, width: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let x = 0; x < width; x++) out[row * width + x] = values[row * width + width - 1 - x];
  }
  return out;
}
