/**
 * Rows that do not depend on where they lie in a batch, to the last bit.
 *
 * ONNX Runtime's CPU library runs most operators row by row in one order of operations, but not all. A sum over a row begins
 * at the first address that is aligned for vectors, and functions such as `log` round differently in the scalar rest of a
 * thread's part than in vectors. With them a sample's numbers change in the last digits with its place in the batch, so a
 * corpus in another order would not give the same tables. Measured with onnxruntime-node 1.30 on x64, 1 to 8 threads:
 * differences up to 1e-7 of the largest value in a row (sums that cancel: 1e-5); none with the operators of
 * {@link STEADY}, none on the backends wasm and webgpu. Equal batches give equal bytes on all of them.
 *
 * Remedy: sums and LRN are written with steady operators; a graph in which others remain is run one row at a time.
 *
 * @module
 */

import { type AnyTensor, ELEMENT_ARRAYS, sizeOf } from "../base/tensor.ts";
import {
  type Dim,
  floatOf,
  type Graph,
  GraphBuilder,
  int,
  intOf,
  ints,
  intsOf,
  type Known,
  type Node,
  type Value,
} from "../onnx/graph.ts";
import { writeModel } from "../onnx/model_file.ts";
import { inferNode, inferShapes, seedKnown } from "../onnx/shapes.ts";
import {
  type Backend,
  isGpuTensor,
  type Session,
  type SessionOptions,
  type SessionValue,
} from "../runtime/session.ts";
import { openSession } from "../runtime/open.ts";

/** Operators whose rows are the same wherever they lie: see tests/classifier/batch_invariance_test.ts. */
const STEADY = new Set([
  ...["Conv", "ConvTranspose", "Gemm", "MatMul"],
  ...["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"],
  ...["BatchNormalization", "LayerNormalization", "Softmax"],
  ...[
    "Relu",
    "LeakyRelu",
    "PRelu",
    "Clip",
    "Sigmoid",
    "Tanh",
    "HardSigmoid",
    "HardSwish",
    "Softsign",
  ],
  ...["Erf", "Gelu", "Exp", "Sqrt", "Reciprocal", "Pow", "Neg", "Abs", "Sign", "Floor", "Ceil"],
  ...["Round", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min"],
  // Nothing is rounded here.
  ...["ReduceMax", "ReduceMin", "ArgMax", "Equal", "Greater", "GreaterOrEqual", "Less"],
  ...["LessOrEqual", "And", "Or", "Not", "Where", "Cast", "Identity", "Dropout", "Constant"],
  ...["ConstantOfShape", "Shape", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"],
  ...["Concat", "Split", "Slice", "Pad", "Gather", "Tile", "Expand", "SpaceToDepth"],
  ...["DepthToSpace"],
]);

/** A session whose rows do not depend on their place in the batch. */
export interface SteadySession extends Session {
  /** Where rows are run one at a time: the same for all of them together. */
  readonly together?: Session["run"];
}

/**
 * Opens a session whose rows do not depend on their place in the batch.
 *
 * @throws {ModelError} as `openSession`.
 */
export async function openSteady(
  source: Graph,
  backend: Backend,
  options: SessionOptions = {},
): Promise<SteadySession> {
  const graph = steadyRows(source);
  const session = await openSession(writeModel(graph), backend, options);
  const free = graph.inputs.every(({ shape }) => typeof shape?.[0] === "string");
  return backend === "native" && free && unsteadyOps(graph).length > 0
    ? oneByOne(session)
    : session;
}

/** The operators of a graph that may round a row differently by its place in the batch, each once. */
export function unsteadyOps(graph: Graph): string[] {
  let known: Map<Value, Known> | undefined;
  const unsteady = graph.nodes.filter((node) => {
    if (node.domain !== "") return true;
    if (STEADY.has(node.op)) return false;
    if (node.op !== "ReduceSum" && node.op !== "ReduceMean") return true;
    known ??= inferShapes(graph);
    // Whole numbers are added without rounding; a sum across rows of memory is made element by element.
    return known.get(node.inputs[0])?.type === "float32" &&
      trailingAxes(node, known)?.trailing !== false;
  });
  return [...new Set(unsteady.map(({ op, domain }) => domain ? `${domain}.${op}` : op))];
}

/**
 * A graph with the same outputs (but for rounding) in which sums and means over the last axes are products with a column of
 * ones, and LRN is made of pooling and roots. The original stays as it is.
 */
export function steadyRows(source: Graph): Graph {
  const graph: Graph = { ...source, initializers: new Map(source.initializers), nodes: [] };
  const known = new Map<Value, Known>();
  seedKnown(graph, known);
  const builder = new GraphBuilder(graph, known, inferNode, freePrefix(source));
  for (const node of source.nodes) {
    const result = rewrite(builder, node);
    if (result === undefined) {
      graph.nodes.push(node);
      inferNode(graph, node, known);
      continue;
    }
    const last = graph.nodes.at(-1)!;
    last.outputs = [node.outputs[0]];
    known.set(node.outputs[0], known.get(result)!);
  }
  return graph;
}

function freePrefix(graph: Graph): string {
  const values = graph.nodes.flatMap((node) => node.outputs);
  let prefix = "steady";
  for (let n = 2; values.some((value) => value.startsWith(`${prefix}/`)); n++) {
    prefix = `steady${n}`;
  }
  return prefix;
}

/** Adds what a node is replaced by and gives its result; `undefined`: the node stays. */
function rewrite(b: GraphBuilder, node: Node): Value | undefined {
  if (node.domain !== "") return undefined;
  if (node.op === "LRN") return lrn(b, node);
  if (node.op === "ReduceSum" || node.op === "ReduceMean") return lastAxesSum(b, node);
  return undefined;
}

/** The axes a reduction runs over, and whether they are the last ones; `undefined` where that does not follow from the graph. */
function trailingAxes(
  node: Node,
  known: ReadonlyMap<Value, Known>,
): { axes: readonly number[]; shape: readonly Dim[]; trailing: boolean } | undefined {
  const shape = known.get(node.inputs[0])?.shape;
  if (!shape) return undefined;
  const listed = node.inputs[1] ? known.get(node.inputs[1])?.elements : intsOf(node, "axes") ??
    (intOf(node, "noop_with_empty_axes", 0) ? undefined : [...shape.keys()]);
  if (!listed?.every((axis) => typeof axis === "number")) return undefined;
  const axes = (listed as number[]).map((axis) => axis < 0 ? axis + shape.length : axis)
    .sort((p, q) => p - q);
  const trailing = axes.includes(shape.length - 1);
  return { axes, shape, trailing };
}

/** Σ over the last axes as [rows, M] × [M, 1]: one order of additions for every row. */
function lastAxesSum(b: GraphBuilder, node: Node): Value | undefined {
  const x = node.inputs[0];
  const found = trailingAxes(node, b.known);
  if (!found?.trailing || b.known.get(x)?.type !== "float32") return undefined;
  const { axes, shape } = found;
  const first = shape.length - axes.length;
  const extents = shape.slice(first);
  const kept = shape.slice(1, first);
  const whole = (dims: readonly Dim[]): dims is readonly number[] =>
    dims.every((dim) => typeof dim === "number");
  if (axes[0] !== first || first === 0 || !whole(extents) || !whole(kept)) return undefined;
  const length = sizeOf(extents);
  const rows = b.op("Reshape", [x, b.ints([-1, length])]);
  const sums = b.op("MatMul", [rows, b.floats([length, 1], new Float32Array(length).fill(1))]);
  const values = node.op === "ReduceMean" ? b.op("Div", [sums, b.scalar(length)]) : sums;
  const keep = intOf(node, "keepdims", 1) ? extents.map(() => 1) : [];
  return b.op("Reshape", [values, b.ints([-1, ...kept, ...keep])]);
}

/**
 * y = x / d^β with d = k + α · (mean of x² over `size` neighbouring channels). β = 0.75, as in AlexNet, by square roots, which
 * are rounded correctly and so the same everywhere: d^0.75 = √d · √√d.
 */
function lrn(b: GraphBuilder, node: Node): Value | undefined {
  const x = node.inputs[0];
  const shape = b.known.get(x)?.shape;
  if (shape?.length !== 4 || shape.slice(1).some((dim) => typeof dim !== "number")) {
    return undefined;
  }
  const [channels, height, width] = shape.slice(1) as number[];
  const size = intOf(node, "size", 1);
  const beta = floatOf(node, "beta", 0.75);
  const planes = b.op("Reshape", [
    b.op("Mul", [x, x]),
    b.ints([-1, 1, channels!, height! * width!]),
  ]);
  const means = b.op("AveragePool", [planes], {
    kernel_shape: ints([size, 1]),
    pads: ints([Math.floor((size - 1) / 2), 0, Math.ceil((size - 1) / 2), 0]),
    count_include_pad: int(1),
  });
  const scaled = b.op("Mul", [
    b.op("Reshape", [means, b.ints([-1, channels!, height!, width!])]),
    b.scalar(floatOf(node, "alpha", 1e-4)),
  ]);
  const d = b.op("Add", [scaled, b.scalar(floatOf(node, "bias", 1))]);
  const root = b.op("Sqrt", [d]);
  const power = beta === 0.75
    ? b.op("Mul", [root, b.op("Sqrt", [root])])
    : b.op("Pow", [d, b.scalar(beta)]);
  return b.op("Div", [x, power]);
}

/** A session that is given one row at a time. */
function oneByOne(session: Session): SteadySession {
  return {
    ...session,
    together: session.run,
    async run(feeds, fetches) {
      const extents = Object.values(feeds).map(({ shape }) => shape[0]);
      const count = extents[0] ?? 1;
      if (count < 2 || extents.some((extent) => extent !== count)) {
        return await session.run(feeds, fetches);
      }
      const parts: Record<string, SessionValue>[] = [];
      for (let row = 0; row < count; row++) {
        const own = Object.entries(feeds).map((
          [name, value],
        ) => [name, rowsOf(value, row, row + 1)]);
        parts.push(await session.run(Object.fromEntries(own), fetches));
      }
      return Object.fromEntries(
        Object.keys(parts[0]).map((name) => [name, stacked(parts.map((part) => part[name]))]),
      );
    },
  };
}

function rowsOf(value: SessionValue, from: number, to: number): SessionValue {
  if (isGpuTensor(value)) throw new TypeError("Cannot take single rows of a tensor on the GPU");
  const [, ...rest] = value.shape;
  const size = sizeOf(rest);
  const data = value.data.slice(from * size, to * size);
  return { ...value, shape: [to - from, ...rest], data } as AnyTensor;
}

/** Values of one row each as one value. */
function stacked(values: readonly SessionValue[]): SessionValue {
  const rows = values.map((value) => {
    if (isGpuTensor(value)) throw new TypeError("Cannot stack tensors on the GPU");
    return value;
  });
  const [{ type, shape, data: { length } }] = rows as [AnyTensor];
  const data = new ELEMENT_ARRAYS[type](length * rows.length);
  rows.forEach((row, i) => data.set(row.data as never, i * length));
  return { type, shape: [rows.length, ...shape.slice(1)], data } as AnyTensor;
}
