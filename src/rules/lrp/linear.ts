/**
 * LRP through linear layers: a rule says, as data, which parts of inputs, weights and biases count.
 *
 * @module
 */

import type { Rule } from "../../onnx/backward.ts";
import { floatOf, type GraphBuilder, type Node, type Value } from "../../onnx/graph.ts";
import { range, scale, unsqueeze, unsupported, whereElseZero, zeroWhere } from "../forms.ts";
import { GRADIENT_RULES } from "../gradient/mod.ts";
import { type Absorb, stabilised, stabiliser } from "./rule.ts";

/** A sum of parts of a tensor v: all · v + positive · max(v, 0) + negative · min(v, 0) + ones · 1. */
export interface Mix {
  readonly all?: number;
  readonly positive?: number;
  readonly negative?: number;
  readonly ones?: number;
}

/** Parts of the inputs times parts of the weights. */
export interface Product {
  readonly input: Mix;
  readonly weight: Mix;
}

/**
 * A rule for linear layers, z_k = Σ_j x_j w_jk + b_k. Each group hands a share of R_k back in proportion to its own parts of the
 * products: R_j = Σ_groups share Σ_k (Σ_parts x′_j w′_jk) / z′_k R_k with z′_k the sum of the same parts over j, plus its part of the
 * bias, stabilised by ε. Shares of the groups that apply to a result add up to 1.
 */
export interface LinearRule {
  readonly name: string;
  /** Paper and equation. */
  readonly source: string;
  readonly epsilon: number;
  readonly groups: readonly {
    readonly share: number;
    /** Only for results of this sign, 0 counted as positive; by default for all. */
    readonly when?: "positive" | "negative";
    readonly parts: readonly Product[];
    readonly bias: Mix;
  }[];
}

/** What a linear rule has to know of an operator. */
interface LinearLayer {
  /** Which input carries relevance. */
  readonly index: number;
  /** The weights; absent where they are all the same positive number (pooling). */
  readonly weight?: Value;
  /** Broadcasts with the result. */
  readonly bias?: Value;
  forward(x: Value, weight: Value | undefined): Value;
  backward(s: Value, weight: Value | undefined): Value;
}

/** Applies a linear rule to a node. */
export function applyLinear(
  rule: LinearRule,
  b: GraphBuilder,
  node: Node,
  relevance: Value,
  needed: readonly boolean[],
  absorb: Absorb,
): (Value | null)[] {
  const layer = layerOf(b, node, needed);
  const x = node.inputs[layer.index];
  let total: Value | undefined;
  for (const { share, when, parts, bias } of rule.groups) {
    const used = parts.flatMap(({ input, weight }) => {
      // Pooling weights are positive: their negative part is nothing, the others are the pool itself.
      const factor = (weight.all ?? 0) + (weight.positive ?? 0) + (weight.ones ?? 0);
      if (layer.weight === undefined && factor === 0) return [];
      const w = layer.weight === undefined ? undefined : mix(b, layer.weight, weight);
      return [{ input: mix(b, x, input), w, factor: layer.weight === undefined ? factor : 1 }];
    });
    const whole = parts.length === 1 && isAll(parts[0].input) && isAll(parts[0].weight) &&
      isAll(bias);
    const offset = layer.bias === undefined || Object.keys(bias).length === 0
      ? undefined
      : mix(b, layer.bias, bias);
    if (!whole && node.op === "BatchNormalization") {
      throw unsupported(node, `rule ${rule.name} chooses among inputs`, "give it the ε-rule");
    }
    // The layer's own result, where nothing is left out of it.
    const z = whole ? node.outputs[0] : [
      ...used.map(({ input, w, factor }) => scale(b, layer.forward(input, w), factor)),
      ...offset ? [offset] : [],
    ].reduce((a, c) => b.op("Add", [a, c]));
    const own = scale(b, ofSign(b, relevance, node.outputs[0], when), share);
    const s = b.op("Div", [own, stabilised(b, z, rule.epsilon)]);
    absorb(b.op("Mul", [s, stabiliser(b, z, rule.epsilon)]));
    if (offset) absorb(b.op("Mul", [s, offset]));
    for (const { input, w, factor } of used) {
      const part = b.op("Mul", [input, scale(b, layer.backward(s, w), factor)]);
      total = total === undefined ? part : b.op("Add", [total, part]);
    }
  }
  return node.inputs.map((_, i) => i === layer.index ? total! : null);
}

/** Relevance of results of a sign, elsewhere 0. */
function ofSign(
  b: GraphBuilder,
  relevance: Value,
  result: Value,
  when: "positive" | "negative" | undefined,
): Value {
  if (when === undefined) return relevance;
  const negative = b.op("Less", [result, b.scalar(0)]);
  return (when === "negative" ? whereElseZero : zeroWhere)(b, negative, relevance);
}

function isAll(mix: Mix): boolean {
  return mix.all === 1 && Object.keys(mix).length === 1;
}

function mix(b: GraphBuilder, v: Value, { all, positive, negative, ones }: Mix): Value {
  const parts: Value[] = [];
  if (all) parts.push(scale(b, v, all));
  if (positive) parts.push(scale(b, b.op("Relu", [v]), positive));
  if (negative) parts.push(scale(b, b.op("Relu", [b.op("Neg", [v])]), -negative));
  if (ones) {
    const zeros = b.op("Mul", [v, b.scalar(0)]);
    parts.push(b.op("Add", [zeros, b.scalar(ones)]));
  }
  return parts.reduce((a, c) => b.op("Add", [a, c]));
}

/** The one input that carries relevance. @throws {UnsupportedOpError} when there are several. */
function onlyNeeded(node: Node, needed: readonly boolean[]): number {
  const index = needed.indexOf(true);
  if (needed.indexOf(true, index + 1) < 0) return index;
  throw unsupported(node, "its weights depend on the target", "choose a target layer after it");
}

function layerOf(b: GraphBuilder, node: Node, needed: readonly boolean[]): LinearLayer {
  const index = onlyNeeded(node, needed);
  const rule: Rule = (GRADIENT_RULES as Record<string, Rule>)[node.op];
  const flags = node.inputs.map((_, i) => i === index);
  const other = 1 - index;
  const placed = (x: Value, weight: Value | undefined) =>
    weight === undefined
      ? node.inputs.map((input, i) => i === index ? x : input)
      : [0, 1].map((i) => i === index ? x : weight);
  const layer = {
    index,
    forward: (x: Value, weight: Value | undefined) =>
      b.op(node.op, placed(x, weight), node.attributes),
    backward: (s: Value, weight: Value | undefined) => {
      const inputs = placed(node.inputs[index], weight);
      const local = { ...node, inputs };
      return rule(b, local, [s], flags.slice(0, inputs.length))[index]!;
    },
  };
  switch (node.op) {
    case "Conv":
    case "ConvTranspose": {
      if (index !== 0) break;
      const rank = b.shape(node.inputs[0]!).length;
      const bias = node.inputs[2];
      return {
        ...layer,
        weight: node.inputs[1]!,
        ...bias ? { bias: unsqueeze(b, bias, range(rank - 2, 1)) } : {},
      };
    }
    case "Gemm": {
      if (index === 2 || floatOf(node, "alpha", 1) < 0) break;
      const bias = node.inputs[2];
      return {
        ...layer,
        weight: node.inputs[other]!,
        ...bias ? { bias: scale(b, bias, floatOf(node, "beta", 1)) } : {},
      };
    }
    case "MatMul":
      return { ...layer, weight: node.inputs[other]! };
    case "BatchNormalization": {
      if (index !== 0) break;
      const [, channels, ...spatial] = b.shape(node.inputs[0]!);
      const shape = [1, channels as number, ...spatial.map(() => 1)];
      const zeros = b.floats(shape, new Float32Array(channels as number));
      return { ...layer, bias: layer.forward(zeros, undefined) };
    }
    default:
      if (index === 0) return layer;
  }
  throw unsupported(
    node,
    `relevance would flow to its input ${index}`,
    "choose a target layer after it",
  );
}
