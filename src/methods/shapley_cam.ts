/**
 * ShapleyCAM.
 *
 * @module
 */

import { UnsupportedOpError } from "../base/errors.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier, ScoreTensor } from "../classifier/classifier.ts";
import { readFloats } from "../classifier/values.ts";
import { steadyRows } from "../classifier/batch_invariance.ts";
import { gradientGraph, pullBack } from "../onnx/backward.ts";
import { checkGraph } from "../onnx/check.ts";
import { prune } from "../onnx/depends_on.ts";
import type { Graph } from "../onnx/graph.ts";
import { builderOn } from "../onnx/shapes.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import type { SessionValue } from "../runtime/session.ts";
import { channelWeights, readGradients } from "./_layer.ts";
import {
  cotangentOf,
  gradientUnsupported,
  type Method,
  type MethodContext,
  scoreTensorOf,
} from "./method.ts";

/**
 * ShapleyCAM: w_k = mean over space of (g − ½ H A)_k, with g = ∂y_c/∂A and H = ∂²y_c/∂A² at the activation, and map = ReLU(Σ_k w_k A_k). These are
 * the Shapley values of the cells under a second-order Taylor expansion of the score; Grad-CAM is the first-order one.
 *
 * H A is one Hessian–vector product: the gradient's own graph is differentiated once more, so no Hessian is formed. It is 0 for a head that
 * is piecewise linear (logits after pooling, ReLUs and linear layers): there ShapleyCAM equals Grad-CAM.
 *
 * Needs a gradient from the score down to the target layer, and one of that gradient.
 *
 * Source: Cai, "CAMs as Shapley Value-based Explainers" (The Visual Computer 2025, arXiv 2501.06261), as in pytorch-grad-cam 1.5.7.
 */
export const shapleyCam: Method = {
  name: "shapley-cam",
  title: "ShapleyCAM",
  source: "Cai 2025, arXiv 2501.06261",
  family: "gradient",
  rectify: true,
  usesTarget: true,
  usesGradient: true,
  yieldsWeights: true,
  unsupported(classifier, target) {
    const first = gradientUnsupported(classifier, target);
    if (first !== undefined) return first;
    try {
      hessianGraph(classifier, scoreTensorOf(target));
      return undefined;
    } catch (error) {
      if (!(error instanceof UnsupportedOpError)) throw error;
      return {
        reason:
          `the gradient cannot be differentiated again: no rule for ${error.op} (node ${error.node})`,
      };
    }
  },
  async compute(context, classes) {
    const layer = await readGradients(context, classes);
    const { gradient, cells } = layer;
    const product = await hessianProduct(context, classes);
    const weights = channelWeights(layer, (from, to) => {
      let sum = 0;
      for (let i = from; i < to; i++) sum += gradient[i];
      if (product) { for (let i = from; i < to; i++) sum -= 0.5 * product.data[i]; }
      return sum / cells;
    });
    return { weights };
  },
};

/**
 * The product of the score's Hessian at the activation with the activation itself, [batch, C, h, w], for one class per row; `undefined`
 * where the gradient does not depend on the activation, so that it is 0.
 */
export async function hessianProduct(
  { classifier, forward, target }: MethodContext,
  classes: readonly number[],
): Promise<Tensor | undefined> {
  const { score, cotangent } = cotangentOf(forward, target, classes);
  const graph = hessianGraph(classifier, score);
  if (!graph) return undefined;
  const session = await classifier.session(`Hessian product of ${score}`, () => graph);
  const feeds: Record<string, SessionValue> = {
    [classifier.graphs.layer]: forward.activation,
    ...forward.bypass,
    cotangent,
    direction: forward.activation,
  };
  const read = Object.fromEntries(session.inputs.map((name) => [name, feeds[name]]));
  const { data } = await readFloats((await session.run(read)).product!);
  return floats(forward.activation.shape, data);
}

/** The graphs of Hessian products; null where the Hessian is 0. */
const written = new WeakMap<Classifier, Map<ScoreTensor, Graph | null>>();

/**
 * The graph of H·direction: inputs are the head's, `cotangent` [batch, classes] and `direction` (shape of the layer); output `product`. H is
 * symmetric, so that the product is the gradient of Σ direction · gradient. Null where the gradient does not depend on the layer.
 *
 * @throws {UnsupportedOpError} when an operator of the gradient's graph has no rule.
 */
function hessianGraph(classifier: Classifier, score: ScoreTensor): Graph | null {
  let own = written.get(classifier);
  if (!own) written.set(classifier, own = new Map());
  let graph = own.get(score);
  if (graph === undefined) own.set(score, graph = writeHessianProduct(classifier, score));
  return graph;
}

function writeHessianProduct({ graphs }: Classifier, score: ScoreTensor): Graph | null {
  const { head, layer } = graphs;
  const graph = gradientGraph(head, {
    score: graphs[score]!,
    target: layer,
    table: GRADIENT_RULES,
    gradient: "first_gradient",
  });
  const b = builderOn(graph, "second");
  const shape = b.shape(layer);
  graph.inputs.push({ name: "direction", type: "float32", shape });
  b.known.set("direction", { type: "float32", shape });
  const [product] = pullBack(b, GRADIENT_RULES, {
    of: "first_gradient",
    cotangent: "direction",
    to: [layer],
  });
  if (!product) return null;
  graph.nodes.push({
    name: "product",
    op: "Identity",
    domain: "",
    inputs: [product],
    outputs: ["product"],
    attributes: {},
  });
  graph.outputs = [{ name: "product", type: "float32", shape }];
  const result = prune(graph);
  checkGraph(result);
  return steadyRows(result);
}
