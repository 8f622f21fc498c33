/**
 * Axiom: contributions add up to what they are contributions to.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../../base/tensor.ts";
import { readFloats } from "../../classifier/classifier.ts";
import { fullGradTerms } from "../../methods/full_grad.ts";
import { integratePieces } from "../../methods/integrated_gradients.ts";
import { kernelShapCam } from "../../methods/kernel_shap_cam.ts";
import { liftContributions } from "../../methods/lift_cam.ts";
import { layerRelevance } from "../../methods/lrp_cam.ts";
import {
  type CompositeName,
  createContext,
  type Method,
  type MethodContext,
  scoreFunction,
} from "../../methods/mod.ts";
import type { Axiom } from "./axiom.ts";

/** Pieces of the path of Integrated Gradients: any number is complete by the rescale rule. */
const PIECES = 8;

/** A sum of contributions, and the scores whose difference it must be: `from` is 0 where they add up to the score itself. */
interface Sums {
  readonly sum: number;
  readonly to: number;
  readonly from: number;
}

/** By method: the two sums of each sample. */
const SUMS: Readonly<
  Record<
    string,
    (context: MethodContext, classes: readonly number[], method: Method) => Promise<Sums[]>
  >
> = {
  "lift-cam": async (context, classes) =>
    await overEmptyLayer(context, classes, await liftContributions(context, classes)),
  // Efficiency: Shapley values add up to what all players together gain.
  "kernel-shap-cam": async (context, classes) => {
    const found = await kernelShapCam.compute(context, classes);
    if ("map" in found) throw new TypeError("kernel-shap-cam yields maps, not weights");
    return await overEmptyLayer(context, classes, await readFloats(found.weights));
  },
  "integrated-gradients": async (context, classes) => {
    const { classifier, forward, input } = context;
    const attributions = await integratePieces(context, classes, PIECES);
    const nothing = floats([1, ...input.shape.slice(1)], zeros(input.shape.slice(1)));
    const base = await classifier.evaluate(nothing);
    return Array.from({ length: forward.count }, (_, row) => {
      const score = scoreFunction(context, row, classes[row]);
      const sum = sumOfRow(attributions.data, row, input.shape);
      return { sum, to: score(forward, row), from: score(base, 0) };
    });
  },
  // Conservation: what reaches the layer and what biases absorb is what set out.
  "lrp-cam": async (context, classes, { settings }) => {
    const { forward } = context;
    const composite = settings!.composite as CompositeName;
    const { relevance, absorbed } = await layerRelevance(context, classes, composite);
    return Array.from({ length: forward.count }, (_, row) => ({
      sum: sumOfRow(relevance.data, row, relevance.shape) + absorbed.data[row],
      to: scoreFunction(context, row, classes[row])(forward, row),
      from: 0,
    }));
  },
  "full-grad": async (context, classes) => {
    const terms = await fullGradTerms(context, classes);
    return terms.map(({ score, input, biases, implicit }) => ({
      sum: input + biases + implicit,
      to: score,
      from: 0,
    }));
  },
};

/** Of a method as it is, not modified: `lrp-cam+gamma` hands back relevance by other rules, which conserve it too. */
function sumsOf({ name, settings }: Method) {
  return settings?.modifiers ? undefined : SUMS[name.split("+")[0]];
}

/** Differences of scores below this share of the scores are lost in their rounding: the bound of 1e-4 of it is a bit of float32. */
const LEVEL = 1e-3;

/** |sum − change| / |change|, the change taken to be no smaller than scores can show; 0 where all of it is 0. */
function relativeError({ sum, to, from }: Sums): number {
  const off = Math.abs(sum - (to - from));
  if (off === 0) return 0;
  return off / Math.max(Math.abs(to - from), LEVEL * Math.max(Math.abs(to), Math.abs(from)));
}

/** Contributions [batch, …] of the layer against the score's change from an empty layer. */
async function overEmptyLayer(
  context: MethodContext,
  classes: readonly number[],
  contributions: Tensor,
): Promise<Sums[]> {
  const { classifier, forward } = context;
  const { channels, height, width } = classifier.layer;
  const nothing = floats([1, channels, height, width], zeros([channels, height, width]));
  const sums: Sums[] = [];
  for (let row = 0; row < forward.count; row++) {
    const base = await classifier.evaluateHead(nothing, forward, row);
    const score = scoreFunction(context, row, classes[row]);
    const sum = sumOfRow(contributions.data, row, contributions.shape);
    sums.push({ sum, to: score(forward, row), from: score(base, 0) });
  }
  return sums;
}

/**
 * Largest difference between the sum of a method's contributions and the change of the score they explain, relative to that
 * change (or to a thousandth of the score, if that is more: a smaller change is lost in the score's rounding): for LIFT-CAM and KernelSHAP-CAM (efficiency) y(A) − y(0) at the target layer, for Integrated Gradients y(x) − y(0) at the input, for FullGrad y
 * itself; for LRP-CAM relevance and what was absorbed against y (conservation).
 */
export const completeness: Axiom = {
  name: "completeness",
  source: "contributions add up to the change of the score; largest relative difference",
  bound: { atMost: 1e-4 },
  applies: (method) => sumsOf(method) !== undefined,
  async check({ classifier, inputs, keys, classes, target, seed }, method: Method) {
    const forward = await classifier.forward(inputs);
    const context = createContext(classifier, forward, target, { seed, keys });
    try {
      const padding = new Array<number>(classifier.batch - classes.length).fill(0);
      const sums = await sumsOf(method)!(context, [...classes, ...padding], method);
      return { value: Math.max(...sums.map(relativeError)) };
    } finally {
      context.dispose();
      forward.dispose();
    }
  },
};

function zeros(shape: readonly number[]): Float32Array {
  return new Float32Array(sizeOf(shape));
}

function sumOfRow(values: Float32Array, row: number, shape: readonly number[]): number {
  const size = sizeOf(shape.slice(1));
  let sum = 0;
  for (let i = row * size; i < (row + 1) * size; i++) sum += values[i];
  return sum;
}
