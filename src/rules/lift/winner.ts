/**
 * DeepLIFT through maxima: all of a window's change goes to one element.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import type { Node, Value } from "../../onnx/graph.ts";
import { expandLike, toFirst, whereElseZero, zeroWhere } from "../forms.ts";
import { difference, type LiftRule, ratioOr, withinPart } from "./rule.ts";

/**
 * A maximum over windows. Where it has grown, y ≥ y₀, the whole change y − y₀ goes to the element that is the maximum now; where it
 * has shrunk, to the element that was the maximum in the reference pass. The element's own change is at least as large and of the
 * same sign, so that the multiplier lies in 0..1 times the window's; an element that decides several windows gets the sum.
 *
 * Captum's rule for max pooling goes the same two ways, but writes windows that overlap over each other, so that contributions do
 * not add up; here they do.
 *
 * @param gradient the operator's gradient rule, which says which element is the maximum
 * @param larger the comparison that holds where the extreme has moved outwards: "Less" (of y₀ and y) for a maximum
 */
export function winner(gradient: Rule, larger: "Less" | "Greater" = "Less"): LiftRule {
  return (b, node, [m], needed, reference) => {
    const x = node.inputs[0];
    const y = node.outputs[0];
    const y0 = reference(y);
    const change = b.op("Mul", [m!, b.op("Sub", [y, y0])]);
    const inwards = b.op(larger, [y, y0]);
    const [grown] = gradient(b, node, [zeroWhere(b, inwards, change)], needed);
    // As many rows as the actual pass has, so that shapes fit.
    const before: Node = {
      ...node,
      inputs: [expandLike(b, reference(x), x), ...node.inputs.slice(1)],
      outputs: [expandLike(b, y0, y)],
    };
    const [shrunk] = gradient(b, before, [whereElseZero(b, inwards, change)], needed);
    const [sloped] = gradient(b, node, [m!], needed);
    const near = withinPart(0)(b, x, reference(x));
    const total: Value = b.op("Add", [grown!, shrunk!]);
    return toFirst(node, ratioOr(b, near, total, difference(b, x, reference), sloped!));
  };
}
