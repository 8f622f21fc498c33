/**
 * DeepLIFT through operators that are made of simpler ones: they are written out, in both passes, and the rules of the parts
 * are applied.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { pullBack } from "../../onnx/backward.ts";
import { repeatNodes } from "../../onnx/repeat_nodes.ts";
import type { Expansion } from "../expansions.ts";
import { onlyInputs, toFirst } from "../forms.ts";
import { type LiftRule, type LiftTable, withReference } from "./rule.ts";

/**
 * A rule from an operator's definition in simpler ones.
 *
 * @param table the rules of the parts; a function, because the table holds this rule too
 */
export function expanded(write: Expansion, table: () => LiftTable): LiftRule {
  return (b, node, [m, ...further], needed, reference) => {
    onlyInputs(node, needed, 0);
    if (!m || further.some((value) => value !== null)) {
      throw new ModelError(`Cannot explain node ${node.name}: a further output of it is used`);
    }
    const x = node.inputs[0];
    const from = b.graph.nodes.length;
    const of = write(b, node, x);
    const replaced = new Map([[x, reference(x)]]);
    repeatNodes(b, b.graph.nodes.slice(from), replaced);
    const rules = withReference(table(), (value) => replaced.get(value) ?? reference(value));
    return toFirst(node, pullBack(b, rules, { of, cotangent: m, to: [x] })[0]);
  };
}
