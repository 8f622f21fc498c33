/**
 * Heads that are global average pooling and at most one linear layer: those with an exact class activation map.
 *
 * @module
 */

import { floats, sizeOf, type Tensor } from "../base/tensor.ts";
import { constantValue } from "./constants.ts";
import {
  floatOf,
  type Graph,
  intOf,
  intsOf,
  type Known,
  type Node,
  producers,
  type Value,
} from "./graph.ts";
import { ancestors, dependents } from "./depends_on.ts";
import { inferShapes } from "./shapes.ts";
import { simplify } from "./simplify.ts";
import { windowsOf } from "./window.ts";

/** logits[n, k] = Σ_c weights[k, c] · mean over h, w of A[n, c, h, w] + bias[k]. */
export interface LinearHead {
  /** [K, C]; the identity where the pooled channels are the logits themselves. */
  weights: Tensor;
  /** [K]; absent if there is none. */
  bias?: Tensor;
}

/** What an axis of a tensor on the way is. */
type Role = "batch" | "channel" | "space" | "one";

interface State {
  roles: readonly Role[];
  pooled: boolean;
  weights?: Tensor;
  bias?: Tensor;
}

interface Walk {
  graph: Graph;
  made: ReadonlyMap<Value, Node>;
  known: ReadonlyMap<Value, Known>;
}

/** One node of the way: the state after it, or why there is no linear head. */
type Step = (state: State, node: Node, walk: Walk, input: number) => State | string;

/**
 * The linear map from the pooled target layer to the logits, if the graph between them is nothing else: global average pooling
 * (GlobalAveragePool, ReduceMean, AveragePool over everything), at most one linear op (Gemm, MatMul with or without Add, 1×1
 * Conv, which may also come before the pooling), and ops that only rearrange.
 *
 * Weights that the model computes from stored ones (dequantisation, transposition) are followed.
 *
 * @param target the target layer [N, C, h, w]
 * @param logits the scores [N, K]
 * @returns the weights, or a reason in words why the head is none of this kind
 * @throws {ModelError} when the shapes contradict each other.
 */
export function linearHead(
  source: Graph,
  target: Value,
  logits: Value,
): LinearHead | { reason: string } {
  const outputs = [...source.outputs];
  for (const name of [target, logits]) {
    if (!outputs.some((output) => output.name === name)) outputs.push({ name, type: "float32" });
  }
  const graph = simplify({ ...source, outputs });
  const walk: Walk = { graph, made: producers(graph), known: inferShapes(graph) };
  const shape = walk.known.get(target)?.shape;
  if (shape?.length !== 4) return { reason: `tensor ${target} is not of the form [N, C, h, w]` };
  const downstream = dependents(graph, [target]);
  const before = ancestors(graph, [logits]);
  if (!downstream.has(logits)) return { reason: `${logits} does not depend on ${target}` };

  let state: State = { roles: ["batch", "channel", "space", "space"], pooled: false };
  let at = target;
  for (const node of graph.nodes) {
    const made = node.outputs.find((output) => downstream.has(output) && before.has(output));
    if (made === undefined || made === target) continue;
    const reads = [...node.inputs.keys()].filter((i) => downstream.has(node.inputs[i]));
    if (reads.length !== 1 || node.inputs[reads[0]] !== at) {
      return { reason: `the way from ${target} to ${logits} branches at ${named(node)}` };
    }
    const step = node.domain === "" ? STEPS[node.op] : undefined;
    const next = step
      ? step(state, node, walk, reads[0])
      : `${named(node)} is neither pooling nor linear`;
    if (typeof next === "string") return { reason: next };
    state = next;
    at = made;
  }
  if (!state.pooled) return { reason: `no global average pooling between ${target} and ${logits}` };
  const channels = shape[1];
  if (typeof channels !== "number") {
    return { reason: `${target} has an unknown number of channels` };
  }
  const weights = state.weights ?? identity(channels);
  return state.bias ? { weights, bias: state.bias } : { weights };
}

function named(node: Node): string {
  return `${node.op} ${JSON.stringify(node.name)}`;
}

function identity(n: number): Tensor {
  const data = new Float32Array(n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return floats([n, n], data);
}

const same: Step = (state) => state;

function pooledOver(state: State, axes: ReadonlySet<number>, keep: boolean): State | undefined {
  const right = state.roles.every((role, axis) =>
    axes.has(axis) ? role !== "batch" && role !== "channel" : role !== "space"
  );
  if (!right) return undefined;
  const roles = state.roles.map((role, axis): Role => axes.has(axis) ? "one" : role)
    .filter((_, axis) => keep || !axes.has(axis));
  return { ...state, roles, pooled: true };
}

const globalPool: Step = (state, node) =>
  pooledOver(state, new Set([...state.roles.keys()].slice(2)), true) ??
    `${named(node)} does not pool over height and width`;

const reduceMean: Step = (state, node, { graph, made }) => {
  const rank = state.roles.length;
  const listed = intsOf(node, "axes") ??
    (node.inputs[1] ? constantValue(graph, made, node.inputs[1])?.data : undefined);
  const axes = listed
    ? new Set(Array.from(listed, (axis) => axis < 0 ? axis + rank : axis))
    : new Set(state.roles.keys());
  return pooledOver(state, axes, intOf(node, "keepdims", 1) !== 0) ??
    `${named(node)} averages over other axes than height and width`;
};

const averagePool: Step = (state, node, { known }) => {
  const shape = known.get(node.inputs[0])?.shape;
  const kernel = intsOf(node, "kernel_shape");
  const whole = shape &&
    windowsOf(node, shape.slice(2)).every((w, i) =>
      kernel?.[i] === shape[i + 2] && w.before === 0 && w.after === 0
    );
  const next = whole
    ? pooledOver(state, new Set([...state.roles.keys()].slice(2)), true)
    : undefined;
  return next ?? `${named(node)} does not pool over the whole extent`;
};

const transpose: Step = (state, node) => {
  const perm = intsOf(node, "perm") ?? [...state.roles.keys()].reverse();
  return { ...state, roles: perm.map((axis) => state.roles[axis]) };
};

/** Reshaping may drop and add axes of one and join height and width; batch and channels stay. */
const reshape: Step = (state, node, { known }) => {
  const [from, to] = [known.get(node.inputs[0])?.shape, known.get(node.outputs[0])?.shape];
  const refusal = `${named(node)} mixes channels with other axes`;
  if (!from || !to) return refusal;
  const wide = [...from.keys()].filter((axis) => state.roles[axis] !== "one" && from[axis] !== 1);
  const kept = wide.map((axis) => ({ role: state.roles[axis], dim: from[axis] }));
  const merged: typeof kept = [];
  for (const axis of kept) {
    const last = merged.at(-1);
    const joins = axis.role === "space" && last?.role === "space" &&
      typeof axis.dim === "number" && typeof last.dim === "number";
    if (joins) last.dim = (last.dim as number) * (axis.dim as number);
    else merged.push({ ...axis });
  }
  for (const parts of [kept, merged]) {
    let next = 0;
    const roles = to.map((dim): Role => dim === parts[next]?.dim ? parts[next++].role : "one");
    const rest = to.filter((_, axis) => roles[axis] === "one");
    if (next === parts.length && rest.every((dim) => dim === 1)) {
      // A batch or a single channel of extent 1 is found by its place.
      if (!roles.includes("batch") && to[0] === 1) roles[0] = "batch";
      if (!roles.includes("channel") && to[1] === 1) roles[1] = "channel";
      return { ...state, roles };
    }
  }
  return refusal;
};

/** Multiplies by [K, C] and adds [K]. */
function apply(state: State, node: Node, weights: Tensor, bias?: Tensor): State | string {
  if (state.weights) return `${named(node)} is a second linear layer`;
  if (state.bias) return `${named(node)} follows an addition`;
  return { ...state, weights, ...bias ? { bias } : {} };
}

function transposed(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) data[j * rows + i] = matrix.data[i * columns + j];
  }
  return floats([columns, rows], data);
}

function scaled(value: Tensor, factor: number): Tensor {
  return factor === 1 ? value : floats(value.shape, value.data.map((x) => x * factor));
}

const conv: Step = (state, node, { graph, made }, input) => {
  const weights = constantValue(graph, made, node.inputs[1] ?? "");
  const bias = node.inputs[2] ? constantValue(graph, made, node.inputs[2]) : undefined;
  if (input !== 0 || !weights || (node.inputs[2] && !bias)) {
    return `the weights of ${named(node)} are not constant`;
  }
  const plain = sizeOf(weights.shape.slice(2)) === 1 && intOf(node, "group", 1) === 1 &&
    (intsOf(node, "strides") ?? []).every((s) => s === 1) &&
    (intsOf(node, "pads") ?? []).every((p) => p === 0);
  if (!plain || state.roles[1] !== "channel") return `${named(node)} is not a 1×1 convolution`;
  return apply(state, node, floats(weights.shape.slice(0, 2), weights.data), bias);
};

/** The bias of Gemm or Add as [K], if it is the same for all samples. */
function asBias(value: Tensor, classes: number): Tensor | undefined {
  if (value.data.length === 1) {
    return floats([classes], new Float32Array(classes).fill(value.data[0]));
  }
  return value.data.length === classes && value.shape.at(-1) === classes
    ? floats([classes], value.data)
    : undefined;
}

const gemm: Step = (state, node, { graph, made }, input) => {
  const matrix = constantValue(graph, made, node.inputs[1] ?? "");
  const plain = input === 0 && intOf(node, "transA", 0) === 0 && matrix?.shape.length === 2;
  if (!plain) return `the weights of ${named(node)} are not constant`;
  if (state.roles.join() !== "batch,channel") return `${named(node)} does not act on channels`;
  const weights = intOf(node, "transB", 0) ? matrix : transposed(matrix);
  const c = node.inputs[2] ? constantValue(graph, made, node.inputs[2]) : undefined;
  const bias = c && asBias(c, weights.shape[0]);
  if (node.inputs[2] && !bias) return `the bias of ${named(node)} is not constant`;
  return apply(
    state,
    node,
    scaled(weights, floatOf(node, "alpha", 1)),
    bias && scaled(bias, floatOf(node, "beta", 1)),
  );
};

const matMul: Step = (state, node, { graph, made }, input) => {
  const matrix = constantValue(graph, made, node.inputs[1] ?? "");
  if (input !== 0 || matrix?.shape.length !== 2) {
    return `the weights of ${named(node)} are not constant`;
  }
  if (state.roles.at(-1) !== "channel") return `${named(node)} does not act on channels`;
  return apply(state, node, transposed(matrix));
};

const add: Step = (state, node, { graph, made, known }, input) => {
  const value = constantValue(graph, made, node.inputs[1 - input] ?? "");
  const shape = known.get(node.outputs[0])?.shape;
  const channel = state.roles.indexOf("channel");
  const classes = shape?.[channel];
  if (!value || typeof classes !== "number" || shape!.length !== state.roles.length) {
    return `${named(node)} adds something that is not constant`;
  }
  // Along the channels of [N, C, 1, 1] a bias is [C, 1, 1]; anything wider is not one number a class.
  const own = channel - (state.roles.length - value.shape.length);
  const onlyChannels = value.shape.every((dim, axis) => dim === 1 || axis === own);
  const bias = onlyChannels ? asBias(floats([value.data.length], value.data), classes) : undefined;
  if (!bias) return `${named(node)} does not add one number a class`;
  const sum = state.bias
    ? floats([classes], bias.data.map((x, i) => x + state.bias!.data[i]))
    : bias;
  return { ...state, bias: sum };
};

const STEPS: Readonly<Record<string, Step>> = {
  Identity: same,
  Dropout: same,
  Cast: same,
  GlobalAveragePool: globalPool,
  ReduceMean: reduceMean,
  AveragePool: averagePool,
  Transpose: transpose,
  Reshape: reshape,
  Flatten: reshape,
  Squeeze: reshape,
  Unsqueeze: reshape,
  Conv: conv,
  Gemm: gemm,
  MatMul: matMul,
  Add: add,
};
