/**
 * The backward walk: pulls a cotangent back through a graph and writes what it meets as more nodes of that graph.
 *
 * The walk knows nothing of any operator; a table of rules does. With `src/rules/gradient/` it gives the gradient; other
 * tables over the same walk give guided backpropagation, DeepLIFT or LRP.
 *
 * Reverse-mode differentiation as in Griewank & Walther, "Evaluating Derivatives" (2nd ed., SIAM 2008), section 3.2: one
 * cotangent a value, summed over the value's uses, in reverse topological order.
 *
 * @module
 */

import { ModelError, UnsupportedOpError } from "../base/errors.ts";
import type { ElementType } from "../base/tensor.ts";
import { checkGraph } from "./check.ts";
import { dependents, prune } from "./depends_on.ts";
import {
  type Graph,
  type GraphBuilder,
  type Known,
  type Node,
  readsOf,
  type Shape,
  type Value,
} from "./graph.ts";
import { builderOn, inferShapes } from "./shapes.ts";
import { simplify } from "./simplify.ts";

/**
 * Pulls cotangents back through one node.
 *
 * @param b where the rule adds its nodes
 * @param node the node of the forward graph; its inputs and outputs may be used as values
 * @param out the cotangent of each output; null: nothing flows there
 * @param needed for each input, whether anybody wants its cotangent; a rule builds nothing for the others
 * @returns the cotangent of each input, of that input's shape; null: nothing flows there
 */
export type Rule = (
  b: GraphBuilder,
  node: Node,
  out: readonly (Value | null)[],
  needed: readonly boolean[],
) => (Value | null)[];

/** Rules by operator: `"Conv"`, or `"com.microsoft.Gelu"` outside the standard operator set. */
export type RuleTable = Readonly<Record<string, Rule>>;

/** The oldest operator set that the rules can write: it brought Where, Sign and comparisons of floats. */
const OLDEST_OPSET = 9;

/** What {@linkcode pullBack} is asked for. */
interface PullBackRequest {
  /** The value whose cotangent is given. */
  of: Value;
  /** A value of the shape of `of`. */
  cotangent: Value;
  /** The values whose cotangents are wanted. */
  to: readonly Value[];
}

/** The key of a node's operator in a rule table. */
export function ruleKey(node: Node): string {
  return node.domain === "" ? node.op : `${node.domain}.${node.op}`;
}

/**
 * Adds the vector–Jacobian products `cotangentᵀ · ∂of/∂to` to the builder's graph.
 *
 * Only floating-point tensors carry a cotangent, so shapes, indices and masks end the walk by themselves. A value that is
 * used several times gets the sum over its uses.
 *
 * @returns for each of `to` a value of its shape, or null where `of` does not depend on it
 * @throws {UnsupportedOpError} when a node on the way has no rule in the table.
 * @throws {ModelError} when a value is not in the graph.
 */
export function pullBack(
  b: GraphBuilder,
  table: RuleTable,
  { of, cotangent, to }: PullBackRequest,
): (Value | null)[] {
  const values = valuesOf(b.graph);
  for (const value of [of, cotangent, ...to]) {
    if (!values.has(value)) {
      throw new ModelError(
        `Cannot differentiate at tensor ${JSON.stringify(value)}: the graph has no such tensor`,
      );
    }
  }
  const forward = [...b.graph.nodes];
  const wanted = dependents(
    { nodes: forward },
    to,
    (value) => isFloating(b.known.get(value)?.type),
  );
  const cotangents = new Map<Value, Value>();
  if (wanted.has(of)) cotangents.set(of, cotangent);
  for (const node of forward.reverse()) {
    const out = node.outputs.map((output) => cotangents.get(output) ?? null);
    if (out.every((value) => value === null)) continue;
    // The node that makes one of `to` is not on the way any more.
    if (!readsOf(node).some((read) => wanted.has(read))) continue;
    const rule = ruleFor(table, node);
    const needed = node.inputs.map((input) => wanted.has(input));
    rule(b, node, out, needed).forEach((value, i) => {
      const input = node.inputs[i];
      if (value === null || !needed[i]) return;
      assertShape(b, node, input, value);
      const before = cotangents.get(input);
      cotangents.set(input, before === undefined ? value : b.op("Add", [before, value]));
    });
  }
  return to.map((value) => cotangents.get(value) ?? null);
}

/** What {@linkcode gradientGraph} is asked for. */
interface GradientRequest {
  /** The value that is differentiated, e.g. logits [N, K]. Which of its elements count is the cotangent's choice. */
  score: Value;
  /** The value with respect to which, e.g. an activation [N, C, H, W]. */
  target: Value;
  table: RuleTable;
  /** Name of the new input; by default `"cotangent"`. */
  cotangent?: Value;
  /** Name of the new output; by default `"gradient"`. */
  gradient?: Value;
  /** Values of the forward pass that the graph puts out besides, e.g. the probabilities. */
  keep?: readonly Value[];
}

/**
 * Writes the vector–Jacobian product of a model's head as a separate graph.
 *
 * Its inputs are the head's and `cotangent` (shape of the score), its outputs `gradient` (shape of the target) and what is
 * kept. The batch dimension stays free. Weights are shared with the given graph, not copied, and the forward pass is there
 * only where the backward pass reads it. The given graph is not changed. The result can be differentiated again.
 *
 * @throws {UnsupportedOpError} when an operator between target and score has no rule.
 * @throws {ModelError} when the score does not depend on the target, either is not float32, a new name is taken, or the operator
 * set is older than 9.
 */
export function gradientGraph(head: Graph, request: GradientRequest): Graph {
  const { score, target, table, gradient = "gradient" } = request;
  return backwardGraph(head, { ...request, outputs: [gradient] }, (b, cotangent) => {
    const [found] = pullBack(b, table, { of: score, cotangent, to: [target] });
    return [connected(found, score, target)];
  });
}

/**
 * A value that the walk has found.
 *
 * @throws {ModelError} when it has found none, because the score does not depend on the target.
 */
export function connected(found: Value | null | undefined, score: Value, target: Value): Value {
  if (found) return found;
  throw new ModelError(
    `Cannot differentiate tensor ${JSON.stringify(score)}: it does not depend on ${
      JSON.stringify(target)
    }`,
  );
}

/** What {@linkcode backwardGraph} is asked for. */
interface BackwardRequest {
  /** The value from which the walk starts, float32. */
  score: Value;
  /** The value at which it ends, float32. */
  target: Value;
  /** Name of the new input of the score's shape; by default `"cotangent"`. */
  cotangent?: Value;
  /** Names of the new outputs. */
  outputs: readonly Value[];
  /** Values of the forward pass that the graph puts out besides. */
  keep?: readonly Value[];
}

/**
 * A graph of a model's head with what `write` adds to it: its inputs are the head's and the cotangent, its outputs what `write`
 * returns, under the names asked for, and what is kept. All else is as for {@linkcode gradientGraph}.
 *
 * @throws {ModelError} when the score or target is not float32, a new name is taken, or the operator set is older than 9.
 */
export function backwardGraph(
  head: Graph,
  { score, target, cotangent = "cotangent", outputs, keep = [] }: BackwardRequest,
  write: (b: GraphBuilder, cotangent: Value) => readonly Value[],
): Graph {
  if (head.opset < OLDEST_OPSET) {
    throw new ModelError(
      `Cannot write the gradient of the model: operator set ${head.opset}, older than ${OLDEST_OPSET}; convert it with onnx.version_converter`,
    );
  }
  const stated = inferShapes(head);
  const taken = valuesOf(head);
  for (const name of [cotangent, ...outputs]) {
    if (taken.has(name)) {
      throw new ModelError(
        `Cannot add tensor ${JSON.stringify(name)} to the model: the name is taken; choose another`,
      );
    }
  }
  const inner = [score, target, ...keep].filter((value, i, all) =>
    all.indexOf(value) === i && !head.inputs.some((input) => input.name === value)
  );
  // Resolves shape arithmetic and branches, and gives us a graph to add to.
  const graph = simplify({
    ...head,
    name: `${head.name} ${outputs[0]}`,
    outputs: inner.map((name) => ({ name, ...describe(stated, name) })),
  });
  const b = builderOn(graph, "backward");
  const seed = describe(b.known, score);
  for (const value of [score, target]) {
    const { type } = describe(b.known, value);
    if (type === "float32") continue;
    throw new ModelError(
      `Cannot write the gradient of the model: ${
        JSON.stringify(value)
      } is ${type}; convert the model to float32`,
    );
  }
  graph.inputs.push({ name: cotangent, ...seed });
  b.known.set(cotangent, seed);

  const found = write(b, cotangent);
  outputs.forEach((name, i) =>
    graph.nodes.push({
      name,
      op: "Identity",
      domain: "",
      inputs: [found[i]],
      outputs: [name],
      attributes: {},
    })
  );
  graph.outputs = [
    ...outputs.map((name, i) => ({ name, ...describe(b.known, found[i]) })),
    ...keep.map((value) => ({ name: value, ...describe(b.known, value) })),
  ];
  // All inputs stay, used or not, so that whoever runs the graph need not know which a rule has read.
  const result = { ...prune(graph), inputs: graph.inputs };
  checkGraph(result);
  return result;
}

/** An operator in the way. */
interface UnsupportedOp {
  op: string;
  node: string;
}

/**
 * The nodes between two values that have no rule, in the order of the graph; empty when the graph can be differentiated as
 * far as the table goes (a rule may still refuse a variant of its operator).
 */
export function unsupportedOps(
  graph: Graph,
  from: Value,
  to: Value,
  table: RuleTable,
): UnsupportedOp[] {
  const known = inferShapes(graph);
  const after = dependents(graph, [from], (value) => isFloating(known.get(value)?.type));
  const before = new Set<Value>([to]);
  const found: UnsupportedOp[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => before.has(output) && after.has(output))) continue;
    const reads = readsOf(node).filter((read) => after.has(read));
    if (reads.length === 0) continue;
    for (const read of reads) before.add(read);
    if (!Object.hasOwn(table, ruleKey(node))) found.push({ op: ruleKey(node), node: node.name });
  }
  return found.reverse();
}

function ruleFor(table: RuleTable, node: Node): Rule {
  const key = ruleKey(node);
  if (Object.hasOwn(table, key)) return table[key];
  const control = Object.values(node.attributes).some((attribute) => attribute.kind === "graph");
  throw new UnsupportedOpError(
    key,
    node.name,
    `Cannot differentiate node ${JSON.stringify(node.name)}: no backward rule for operator ${key}`,
    control
      ? "export the model without control flow (onnxsim removes most of it)"
      : "choose a target layer after it, a method without gradients, or add a rule in src/rules/gradient/",
  );
}

/** Whether a tensor can carry a cotangent; one of unknown type is taken to. */
function isFloating(type: ElementType | undefined): boolean {
  return type === undefined || type.startsWith("float");
}

/** A rule that gives a wrong shape would only be noticed where the shapes next meet, if at all. */
function assertShape(b: GraphBuilder, node: Node, input: Value, cotangent: Value): void {
  const expected = b.known.get(input)?.shape;
  const met = b.known.get(cotangent)?.shape;
  if (!expected || !met || compatible(expected, met)) return;
  throw new ModelError(
    `Cannot differentiate node ${JSON.stringify(node.name)}: the cotangent of ${
      JSON.stringify(input)
    } has shape [${met}], not [${expected}]; this is a fault in the rule for ${ruleKey(node)}`,
  );
}

function compatible(a: Shape, b: Shape): boolean {
  return a.length === b.length &&
    a.every((dim, i) => dim === b[i] || typeof dim === "string" || typeof b[i] === "string");
}

function valuesOf(graph: Graph): Set<Value> {
  const values = new Set<Value>([
    ...graph.inputs.map((input) => input.name),
    ...graph.initializers.keys(),
  ]);
  for (const node of graph.nodes) for (const output of node.outputs) values.add(output);
  return values;
}

function describe(known: ReadonlyMap<Value, Known>, value: Value): Known {
  const found = known.get(value);
  if (!found) {
    throw new ModelError(
      `Cannot differentiate at tensor ${JSON.stringify(value)}: nothing is known of its shape`,
    );
  }
  return found.shape ? { type: found.type, shape: found.shape } : { type: found.type };
}
