/**
 * Gradients of a score at the target layer, from the head's graph.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { gradientGraph, unsupportedOps } from "../onnx/backward.ts";
import { type Graph, ints, type Value } from "../onnx/graph.ts";
import { builderOn } from "../onnx/shapes.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import type { SessionValue } from "../runtime/session.ts";
import type { Classifier, ClassifierGraphs, ScoreTensor } from "./classifier.ts";
import type { Sessions } from "./sessions.ts";

/**
 * Gradients of a cut classifier.
 *
 * @param name of the model, for messages
 */
export function gradients(
  graphs: ClassifierGraphs,
  sessions: Sessions,
  name: string,
): Pick<Classifier, "gradient" | "gradientUnsupported"> {
  const { whole, head, layer } = graphs;
  const scoreOf = (score: ScoreTensor): Value => {
    const value = graphs[score];
    if (value) return value;
    throw new ModelError(`Cannot differentiate the logits of ${name}: it has none`);
  };
  return {
    async gradient(forward, score, cotangent) {
      const backward = await sessions.steady(
        `gradient of ${score}`,
        () =>
          withMean(gradientGraph(head, {
            score: scoreOf(score),
            target: layer,
            table: GRADIENT_RULES,
          })),
        ["gradient", "gradient_mean"],
      );
      const feeds: Record<string, SessionValue> = {
        [layer]: forward.activation,
        ...forward.bypass,
        cotangent,
      };
      // The backward graph keeps only the inputs that it reads: a linear head's gradient needs no activation.
      const read = Object.fromEntries(backward.inputs.map((name) => [name, feeds[name]]));
      const { gradient, gradient_mean } = await backward.run(read);
      return { gradient, mean: gradient_mean };
    },
    gradientUnsupported(score, from = layer) {
      const value = graphs[score];
      if (!value) return "the model has no tensor of logits";
      const missing = unsupportedOps(whole, from, value, GRADIENT_RULES);
      if (missing.length === 0) return undefined;
      const ops = [...new Set(missing.map(({ op }) => op))].join(", ");
      return `no gradient rule for ${ops} (node ${missing[0].node})`;
    },
  };
}

/** Adds the gradient's mean over space, so that Grad-CAM's weights never leave the device. */
function withMean(graph: Graph): Graph {
  const builder = builderOn(graph, "emocam_mean");
  const mean = graph.opset >= 18
    ? builder.op("ReduceMean", ["gradient", builder.ints([2, 3])], {
      keepdims: { kind: "int", value: 0 },
    })
    : builder.op("ReduceMean", ["gradient"], {
      axes: ints([2, 3]),
      keepdims: { kind: "int", value: 0 },
    });
  graph.nodes.push({
    name: "gradient_mean",
    op: "Identity",
    domain: "",
    inputs: [mean],
    outputs: ["gradient_mean"],
    attributes: {},
  });
  const { shape = [] } = builder.known.get(mean) ?? {};
  graph.outputs.push({ name: "gradient_mean", type: "float32", shape });
  return graph;
}
