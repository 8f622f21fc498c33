/**
 * Checks rules of a table against definitions written out in float64.
 *
 * A case is one node and its operator as plain loops in float64. Checked are, on every backend:
 *
 * - the forward pass, so that the definition is that of the operator (1e-5 of the largest value);
 * - every element of the gradient against a twin: one written in the case, else the central difference of the definition in
 *   float64 (whose own error is about 1e-9) (1e-5 of the largest gradient);
 * - the adjoint identity <Jv, u> = <v, Jᵀu>, with Jv again from the definition in float64 (1e-5);
 * - finite differences of the session's own forward pass in float32 (1e-2).
 *
 * All cases of one operator set are merged into one graph, because opening a session is what takes time.
 */

import assert from "node:assert/strict";
import { type AnyTensor, floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { createRng, type Rng } from "../../src/base/rng.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { gradientGraph } from "../../src/onnx/backward.ts";
import { checkGraph } from "../../src/onnx/check.ts";
import { type Attribute, emptyGraph, type Graph, type Node } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { inferShapes } from "../../src/onnx/shapes.ts";
import { GRADIENT_RULES } from "../../src/rules/gradient/mod.ts";
import { type Doubles, doubles, near } from "./doubles.ts";
import { type Backend, type Session, toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { assertClose } from "../assert_close.ts";

export * from "./doubles.ts";

/** One node to check. */
export interface RuleCase {
  /** What is special about it; unique among the cases of one operator. */
  name: string;
  op: string;
  domain?: string;
  /** Operator set; 17 if not stated. */
  opset?: number;
  attributes?: Record<string, Attribute>;
  /** Inputs in order; null is an absent one. Those in `wrt` are fed, the others are weights. */
  inputs: readonly (AnyTensor | null)[];
  /** Inputs whose gradient is checked; by default the first. */
  wrt?: readonly number[];
  /** Number of outputs (the first is checked) or which one is checked. */
  outputs?: { count: number; checked: number };
  /** Inputs whose first axis stays symbolic; by default the first input's (if it has an axis), so that the batch is free. */
  free?: readonly number[];
  /** The operator's definition; gets the inputs that are tensors of numbers, in order, null for absent ones. */
  forward(inputs: readonly Doubles[]): Doubles;
  /** The gradient by definition, for a case at a corner, where differences mean nothing; they are left out then. */
  twin?(inputs: readonly Doubles[], cotangent: Doubles): Doubles[];
  /** Relative tolerance of float32 results; 1e-5 if not stated. */
  tolerance?: number;
  /** Backends that cannot run the case, with the reason; a skipped step says so. */
  refusedBy?: Partial<Record<Backend, string>>;
}

interface Prepared {
  label: string;
  case: RuleCase;
  prefix: string;
  wrt: readonly number[];
  graph: Graph;
  inputs: (Doubles | null)[];
  feeds: Record<string, Tensor>;
  cotangent: Tensor;
  directions: Tensor[];
}

const EPSILON = 1e-2;

/** The tensors are tiny: more threads only wait for each other, and on a busy machine for minutes. */
const ONE_THREAD = { threads: 1 };

/**
 * Defines the tests of a family of rules, one for each backend; without a GPU adapter the one on WebGPU is skipped and says
 * so.
 */
export async function checkRules(family: string, cases: readonly RuleCase[]): Promise<void> {
  const gpu = await openGpu();
  for (const backend of ["native", "wasm", "webgpu"] as const) {
    const absent = backend === "webgpu" && !gpu;
    Deno.test({
      name: `gradient rules of ${family} agree with their definitions on ${backend}${
        absent ? " (skipped: no GPU adapter here)" : ""
      }`,
      ignore: absent,
      // ONNX Runtime keeps its threads and the GPU its device.
      sanitizeOps: false,
      sanitizeResources: false,
      fn: (t) => checkOn(t, backend, cases),
    });
  }
}

async function checkOn(t: Deno.TestContext, backend: Backend, cases: readonly RuleCase[]) {
  for (const c of cases) {
    const reason = c.refusedBy?.[backend];
    if (!reason) continue;
    const name = `${c.op}: ${c.name} (skipped: ${reason})`;
    await t.step({ name, ignore: true, fn() {} });
  }
  const opsets = new Set(cases.map((c) => c.opset ?? 17));
  for (const opset of opsets) {
    const prepared = cases
      .filter((c) => (c.opset ?? 17) === opset && !c.refusedBy?.[backend])
      .map((c, i) => prepare(c, i));
    if (prepared.length === 0) continue;
    const labels = prepared.map((p) => p.label);
    assert.equal(new Set(labels).size, labels.length, `two cases of one name: ${labels.sort()}`);
    const session = await open(backend, prepared);
    const run = async (sign: number) => await session.run(feedsOf(prepared, sign));
    const base = await run(0);
    const up = await run(1);
    const down = await run(-1);
    await session.dispose();
    for (const one of prepared) {
      const get = async (results: typeof base, name: string) =>
        (await toFloats(results[`${one.prefix}${name}`])).data;
      const gradients: Float32Array[] = [];
      for (const i of one.wrt) gradients.push(await get(base, `gradient${i}`));
      const results = {
        forward: await get(base, "y"),
        gradients,
        up: await get(up, "y"),
        down: await get(down, "y"),
      };
      await t.step(one.label, () => compare(one, results));
    }
  }
}

/** The graph of one case: its node, and the gradient of its result with respect to each input asked for. */
function prepare(c: RuleCase, index: number): Prepared {
  const wrt = c.wrt ?? [0];
  const graph = emptyGraph("case", c.opset ?? 17);
  if (c.domain) graph.domains[c.domain] = 1;
  const { count, checked } = c.outputs ?? { count: 1, checked: 0 };
  const outputs = Array.from({ length: count }, (_, i) => i === checked ? "y" : `other${i}`);
  const node: Node = {
    name: "node",
    op: c.op,
    domain: c.domain ?? "",
    inputs: c.inputs.map((input, i) => input ? `x${i}` : ""),
    outputs,
    attributes: c.attributes ?? {},
  };
  graph.nodes.push(node);
  const free = c.free ?? [0];
  c.inputs.forEach((input, i) => {
    if (!input) return;
    if (!wrt.includes(i)) return graph.initializers.set(`x${i}`, input);
    const [first, ...rest] = input.shape;
    const open = free.includes(i) && first !== undefined;
    graph.inputs.push({
      name: `x${i}`,
      type: "float32",
      shape: open ? ["N", ...rest] : input.shape,
    });
  });
  graph.outputs = [{ name: "y", type: "float32" }];
  const known = inferShapes(graph).get("y");
  assert.ok(known?.shape, `no shape is inferred for ${c.op}, ${c.name}`);
  graph.outputs = [{ name: "y", type: "float32", shape: known.shape }];

  const whole = emptyGraph("case", graph.opset);
  const prefix = `c${index}/`;
  merge(whole, graph, prefix);
  const forward = c.forward(c.inputs.map((input) => input ? toDoubles(input) : doubles([0])));
  wrt.forEach((i) => {
    const gradient = gradientGraph(graph, {
      score: "y",
      target: `x${i}`,
      table: GRADIENT_RULES,
      gradient: `gradient${i}`,
    });
    merge(whole, gradient, prefix, `of${i}/`);
  });
  const rng = createRng(7).split(`${c.op} ${c.name}`);
  return {
    label: `${c.op}: ${c.name}`,
    case: c,
    prefix,
    wrt,
    graph: whole,
    inputs: c.inputs.map((input) => input ? toDoubles(input) : null),
    feeds: Object.fromEntries(wrt.map((i) => [`x${i}`, c.inputs[i] as Tensor])),
    cotangent: random(rng.split("cotangent"), forward.shape),
    directions: wrt.map((i) => random(rng.split(i), c.inputs[i]!.shape)),
  };
}

/** Numbers in [−1, 1). */
function random(rng: Rng, shape: readonly number[]): Tensor {
  return floats(shape, Array.from({ length: sizeOf(shape) }, () => rng.uniform() * 2 - 1));
}

/** Adds a graph to another under a prefix; values that are there already (inputs, weights) are shared. */
function merge(into: Graph, graph: Graph, prefix: string, inner = ""): void {
  const shared = new Set([
    ...graph.inputs.map((input) => input.name),
    ...graph.outputs.map((output) => output.name),
    ...[...graph.initializers.keys()].filter((name) => into.initializers.has(prefix + name)),
  ]);
  const name = (value: string) =>
    value === "" ? "" : shared.has(value) ? prefix + value : prefix + inner + value;
  for (const input of graph.inputs) {
    if (into.inputs.some((other) => other.name === name(input.name))) continue;
    into.inputs.push({
      ...input,
      name: name(input.name),
      ...(input.shape
        ? { shape: input.shape.map((d) => typeof d === "string" ? prefix + d : d) }
        : {}),
    });
  }
  for (const output of graph.outputs) {
    into.outputs.push({
      ...output,
      name: name(output.name),
      ...(output.shape
        ? { shape: output.shape.map((d) => typeof d === "string" ? prefix + d : d) }
        : {}),
    });
  }
  for (const [key, value] of graph.initializers) {
    // One name may mean two things only if it is the case's own weight.
    if (!shared.has(key)) into.initializers.set(name(key), value);
  }
  for (const node of graph.nodes) {
    into.nodes.push({
      ...node,
      name: prefix + inner + node.name,
      inputs: node.inputs.map(name),
      outputs: node.outputs.map(name),
    });
  }
  Object.assign(into.domains, graph.domains);
}

async function open(backend: Backend, prepared: readonly Prepared[]): Promise<Session> {
  const all = emptyGraph("cases", prepared[0].graph.opset);
  for (const { graph } of prepared) {
    all.inputs.push(...graph.inputs);
    all.outputs.push(...graph.outputs);
    all.nodes.push(...graph.nodes);
    for (const [name, value] of graph.initializers) all.initializers.set(name, value);
    Object.assign(all.domains, graph.domains);
  }
  checkGraph(all);
  try {
    return await openSession(writeModel(all), backend, ONE_THREAD);
  } catch (error) {
    // Which case was it?
    for (const { graph, label } of prepared) {
      try {
        await (await openSession(writeModel(graph), backend, ONE_THREAD)).dispose();
      } catch (reason) {
        throw new Error(`${label}: ${reason instanceof Error ? reason.message : reason}`);
      }
    }
    throw error;
  }
}

/** What is fed: the inputs, moved by EPSILON along the directions. */
function feedsOf(prepared: readonly Prepared[], sign: number): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const { prefix, feeds: own, wrt, directions, cotangent } of prepared) {
    wrt.forEach((i, k) => {
      const x = own[`x${i}`];
      const v = directions[k].data;
      feeds[`${prefix}x${i}`] = floats(x.shape, x.data.map((e, j) => e + sign * EPSILON * v[j]));
    });
    feeds[`${prefix}cotangent`] = cotangent;
  }
  return feeds;
}

function compare(
  { case: c, inputs, wrt, cotangent, directions }: Prepared,
  results: {
    forward: Float32Array;
    gradients: Float32Array[];
    up: Float32Array;
    down: Float32Array;
  },
): void {
  const tolerance = c.tolerance ?? 1e-5;
  const { expected, twins, pushed } = definitionOf(c, inputs, wrt, cotangent, directions);
  near(results.forward, expected, tolerance, "the definition of the operator");
  twins.forEach((twin, k) =>
    near(results.gradients[k], twin, tolerance, `the twin's gradient of input ${wrt[k]}`)
  );
  if (!pushed) return;

  const u = cotangent.data;
  const forwards = dot(pushed, u);
  const products = results.gradients.map((g, k) => dot(g, directions[k].data));
  const backwards = products.reduce((a, b) => a + b, 0);
  // Relative to the sizes of what is multiplied: the sum itself may cancel.
  const size = norm(pushed) * norm(u);
  assertClose(
    forwards,
    backwards,
    tolerance * size,
    `adjoint, <Jv, u> against <v, Jᵀu> (sizes ${size})`,
  );
  const differences = results.up.map((e, j) => (e - results.down[j]) / (2 * EPSILON));
  const slope = dot(differences, u);
  assertClose(
    slope,
    backwards,
    1e-2 * size,
    `finite differences against the gradient (sizes ${size})`,
  );
}

/** What a case's definition says, in float64. */
interface Definition {
  expected: Float64Array;
  /** The gradient of each input that is asked for. */
  twins: Float64Array[];
  /** Jv; absent at a corner. */
  pushed?: Float64Array;
}

const definitions = new WeakMap<RuleCase, Definition>();

/** The definition's results for a case, computed once for all backends. */
function definitionOf(
  c: RuleCase,
  inputs: readonly (Doubles | null)[],
  wrt: readonly number[],
  cotangent: Tensor,
  directions: readonly Tensor[],
): Definition {
  const before = definitions.get(c);
  if (before) return before;
  const given = inputs.map((input) => input ?? doubles([0]));
  const u = toDoubles(cotangent);
  const expected = c.forward(given).data;
  let made: Definition;
  if (c.twin) {
    made = { expected, twins: c.twin(given, u).map((twin) => twin.data) };
  } else {
    const h = 1e-5;
    const difference = (direction: (k: number, j: number) => number) => {
      const at = (sign: number) =>
        c.forward(given.map((input, i) => {
          const k = wrt.indexOf(i);
          if (k < 0) return input;
          return { shape: input.shape, data: input.data.map((e, j) => e + sign * direction(k, j)) };
        })).data;
      const down = at(-h);
      return at(h).map((e, j) => (e - down[j]) / (2 * h));
    };
    const twins = wrt.map((i, k) =>
      given[i].data.map((_, j) => dot(u.data, difference((k2, j2) => k2 === k && j2 === j ? 1 : 0)))
    );
    made = { expected, twins, pushed: difference((k, j) => directions[k].data[j]) };
  }
  definitions.set(c, made);
  return made;
}

function toDoubles(value: AnyTensor): Doubles {
  return doubles(value.shape, Array.from(value.data as ArrayLike<number | bigint>, Number));
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}

function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}
