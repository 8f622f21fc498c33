/**
 * FullGrad.
 *
 * @module
 */

import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { steadyRows } from "../classifier/batch_invariance.ts";
import { halfPixelPlacement } from "../image/geometry.ts";
import { upsampleBilinear } from "../kernels/upsample_bilinear.ts";
import type { Graph } from "../onnx/graph.ts";
import { toFloats } from "../runtime/session.ts";
import { type Ends, sharesGraph, termsGraph } from "./_biases.ts";
import { inputGradientUnsupported } from "./_input_gradient.ts";
import { cotangentOf, type Method, type MethodContext, scoreFunction } from "./method.ts";

/**
 * FullGrad: map = Σ_c ψ(x ⊙ ∂y/∂x)_c + Σ_l Σ_c ψ(b_l ⊙ ∂y/∂z_l)_c at the input's pixels, over the input and all layers l that add a bias b_l to each
 * channel of a map z_l (convolutions, batch normalisations, added constants), ψ = upsampling of |·| min-max normalised channel by channel. It rests on
 * the exact split y = Σ x ⊙ ∂y/∂x + Σ_l Σ b_l ⊙ ∂y/∂z_l of networks of linear layers and ReLUs: {@linkcode fullGradTerms}.
 *
 * The whole network is explained; the target layer plays no part. Layer maps are placed on the input by the half-pixel convention. A batch
 * normalisation that is folded into its convolution has the same share as one that is not.
 *
 * Needs a gradient from the score down to the input.
 *
 * Source: Srinivas and Fleuret, "Full-Gradient Representation for Neural Network Visualization" (NeurIPS 2019, arXiv 1905.00780),
 * section 3 (the split) and section 4 (the map); with pytorch-grad-cam 1.5.7's ε = 1e-7 in the normalisation. (The authors' own code normalises a layer, not a channel.)
 *
 * Departs from the source: biases of linear layers after the maps, which have no place, and implicit biases of functions other than
 * ReLU count in the terms only, as in pytorch-grad-cam.
 */
export const fullGrad: Method = {
  name: "full-grad",
  title: "FullGrad",
  source: "Srinivas & Fleuret 2019, arXiv 1905.00780, sec. 3-4",
  family: "gradient",
  rectify: false,
  usesTarget: true,
  needsInput: true,
  grid: "input",
  unsupported: inputGradientUnsupported,
  async compute(context, classes) {
    const { forward, classifier } = context;
    const [, height, width] = classifier.inputShape;
    const pixels = height * width;
    const maps = new Float32Array(classifier.batch * pixels);
    const shares = await runBackward(context, classes, "FullGrad's shares", sharesGraph);
    const { count } = forward;
    const full = new Float32Array(count * pixels);
    for (const { shape, data } of Object.values(shares)) {
      const [, h, w] = shape as [number, number, number];
      const { x, y } = halfPixelPlacement(w, h, width, height);
      const grid = { maps: count, height: h, width: w, outHeight: height, outWidth: width };
      const placed = { scaleY: y.scale, offsetY: y.offset, scaleX: x.scale, offsetX: x.offset };
      upsampleBilinear.cpu({ ...grid, ...placed }, data, full);
      for (let i = 0; i < full.length; i++) maps[i] += full[i];
    }
    return { map: floats([classifier.batch, height, width], maps) };
  },
  async sums(context, classes) {
    const terms = await fullGradTerms(context, classes);
    return terms.map(({ score, input, biases, implicit }) => ({
      sum: input + biases + implicit,
      to: score,
      from: 0,
    }));
  },
};

/** How the score of one sample splits: `score` = `input` + `biases` + `implicit`, but for rounding. */
export interface FullGradTerms {
  readonly score: number;
  /** Σ x ⊙ ∂y/∂x. */
  readonly input: number;
  /** Σ_l Σ b_l ⊙ ∂y/∂z_l over all layers, those without maps included. */
  readonly biases: number;
  /** What functions add that are neither linear nor ReLU-like (SiLU, LRN, softmax): y − J x, times the gradient. */
  readonly implicit: number;
}

/** FullGrad's completeness: the terms of each sample's score, for one class per row (padding left out). */
export async function fullGradTerms(
  context: MethodContext,
  classes: readonly number[],
): Promise<FullGradTerms[]> {
  const terms = await runBackward(context, classes, "FullGrad's terms", termsGraph);
  const { forward } = context;
  return Array.from({ length: forward.count }, (_, row) => ({
    score: scoreFunction(context, row, classes[row])(forward, row),
    input: terms["input term"].data[row],
    biases: terms["bias term"].data[row],
    implicit: terms["implicit term"].data[row],
  }));
}

/** Runs a backward graph of the whole network on a batch. */
async function runBackward(
  { classifier, forward, target, input }: MethodContext,
  classes: readonly number[],
  name: string,
  write: (graph: Graph, ends: Ends) => Graph,
): Promise<Record<string, Tensor>> {
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const session = await classifier.session(
    `${name}, ${score}`,
    () => steadyRows(write(classifier.graphs.whole, endsOf(classifier, score))),
  );
  const feeds: Record<string, Tensor> = { [classifier.graphs.input]: input, cotangent };
  const read = Object.fromEntries(session.inputs.map((value) => [value, feeds[value]]));
  const results: Record<string, Tensor> = {};
  for (const [value, result] of Object.entries(await session.run(read))) {
    results[value] = await toFloats(result);
  }
  return results;
}

function endsOf({ graphs }: Classifier, score: "logits" | "probabilities"): Ends {
  return { score: graphs[score]!, input: graphs.input };
}
