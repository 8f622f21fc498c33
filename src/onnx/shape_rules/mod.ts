/**
 * Shape rules by op, for the standard domain. An op without a rule is not an error: its outputs are unknown unless the file
 * itself states them.
 *
 * @module
 */

import type { Graph, Known } from "../graph.ts";
import { meet } from "../dims.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { INDEXING } from "./indexing.ts";
import { LAYOUT } from "./layout.ts";
import { LINEAR } from "./linear.ts";
import { known, type ShapeRule, type ShapeRules, type Site } from "./site.ts";
import { SPATIAL } from "./spatial.ts";

/** `If`: the branch that is taken where the condition follows from the graph, else what both branches have in common. */
const branch: ShapeRule = (site) => {
  const taken = takenBranch(site.node, site.numbers(0)?.[0]);
  const outputsOf = (inner: Graph): (Known | undefined)[] => {
    const scope = site.inferSubgraph(inner, site.known);
    return inner.outputs.map((output) => scope.get(output.name));
  };
  if (taken) return outputsOf(taken);
  const then = site.node.attributes["then_branch"];
  const otherwise = site.node.attributes["else_branch"];
  if (then?.kind !== "graph" || otherwise?.kind !== "graph") return [];
  const [a, b] = [outputsOf(then.value), outputsOf(otherwise.value)];
  return a.map((first, i) => {
    const second = b[i];
    if (!first || !second) return undefined;
    const same = first.shape && second.shape && first.shape.length === second.shape.length;
    if (!same) return known(first.type);
    const shape = first.shape!.map((dim, axis) =>
      dim === second.shape![axis] ? dim : site.unknown(axis, i)
    );
    return known(first.type, shape);
  });
};

/** The subgraph of an `If` for a decided condition; `undefined` where it is open. */
export function takenBranch(
  node: { attributes: Site["node"]["attributes"] },
  condition: number | undefined,
): Graph | undefined {
  if (condition === undefined) return undefined;
  const attribute = node.attributes[condition ? "then_branch" : "else_branch"];
  return attribute?.kind === "graph" ? attribute.value : undefined;
}

/** All rules. */
export const SHAPE_RULES: ShapeRules = {
  ...ELEMENTWISE,
  ...SPATIAL,
  ...LINEAR,
  ...LAYOUT,
  ...INDEXING,
  If: branch,
};

/**
 * What is known of an output from its rule, completed by what the file states: unknown ranks and anonymous extents take the
 * file's word. Where the two disagree the rule holds, because files keep stale shapes when their batch size is changed.
 */
export function complete(
  inferred: Known | undefined,
  stated: Known | undefined,
): Known | undefined {
  if (!inferred) return stated && known(stated.type, stated.shape);
  if (!inferred.shape) return stated?.shape ? known(inferred.type, stated.shape) : inferred;
  if (stated?.shape?.length !== inferred.shape.length) return inferred;
  const shape = inferred.shape.map((dim, axis) => meet(dim, stated.shape![axis]) ?? dim);
  return known(inferred.type, shape, inferred.elements);
}
