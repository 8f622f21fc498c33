/**
 * Rules of guided backpropagation: those of the gradient, but a ReLU lets only positive values back.
 *
 * @module
 */

import type { Rule, RuleTable } from "../../onnx/backward.ts";
import { floatOf, type GraphBuilder, type Node } from "../../onnx/graph.ts";
import { constantOf } from "../forms.ts";
import { GRADIENT_RULES } from "../gradient/mod.ts";

/**
 * What flows back through a ReLU passes where the forward value was positive (as for the gradient) and what flows back is
 * positive (as in a deconvnet). `Clip` with lower bound 0, which exporters write for ReLU6, is a ReLU in this sense; all
 * other operators keep their gradient.
 *
 * Source: Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (ICLR workshop 2015, arXiv 1412.6806),
 * section 3.4 and figure 1.
 */
export const GUIDED_RULES = {
  ...GRADIENT_RULES,
  Relu: guided(GRADIENT_RULES.Relu),
  Clip: (b, node, out, needed) =>
    (isRelu(b, node) ? guided(GRADIENT_RULES.Clip) : GRADIENT_RULES.Clip)(b, node, out, needed),
} satisfies RuleTable;

function guided(rule: Rule): Rule {
  return (b, node, [y], needed) => rule(b, node, [b.op("Relu", [y!])], needed);
}

/** Whether a node is a ReLU, or one with an upper bound. */
export function isRelu(b: GraphBuilder, node: Node): boolean {
  if (node.domain !== "" || node.op !== "Clip") return node.domain === "" && node.op === "Relu";
  if (b.graph.opset < 11) return "min" in node.attributes && floatOf(node, "min", 0) === 0;
  return constantOf(b, node.inputs[1])?.[0] === 0;
}
