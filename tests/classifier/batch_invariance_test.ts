import assert from "node:assert/strict";
import { createRng } from "../../src/base/rng.ts";
import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { openSteady, steadyRows, unsteadyOps } from "../../src/classifier/batch_invariance.ts";
import { float, type GraphBuilder, int, ints } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import type { Session } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { netOn, noise, output, runNative } from "../onnx/native.ts";
import { assertClose } from "../assert_close.ts";

/** A graph of one input "x" [N, …shape]. */
interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  readonly net: (b: GraphBuilder) => string;
  /** Whether it is run one row at a time. */
  readonly alone?: boolean;
}

// Extents that are not multiples of a vector's, so that rows begin at every offset.
const SHAPES = [[5, 7, 7], [7, 13, 9]] as const;

/** Values over 0.1. */
const positive = (b: GraphBuilder) => b.op("Add", [b.op("Abs", ["x"]), b.scalar(0.1)]);

const CASES: readonly Case[] = SHAPES.flatMap((shape): Case[] => {
  const [channels] = shape;
  const features = sizeOf(shape);
  return [
    ...["Sigmoid", "Tanh", "HardSwish", "Exp", "Erf", "LeakyRelu", "GlobalAveragePool"].map(
      (op): Case => ({ name: op, shape, net: (b) => b.op(op, ["x"]) }),
    ),
    {
      name: "ReduceMean over space",
      shape,
      net: (b) => b.op("ReduceMean", ["x", b.ints([2, 3])], { keepdims: int(0) }),
    },
    {
      name: "ReduceSum over everything, kept",
      shape,
      net: (b) => b.op("ReduceSum", ["x", b.ints([-1, 1, 2])]),
    },
    { name: "ReduceSum over channels", shape, net: (b) => b.op("ReduceSum", ["x", b.ints([1])]) },
    { name: "LRN", shape, net: (b) => b.op("LRN", ["x"], { size: int(5), alpha: float(0.1) }) },
    {
      name: "LRN of another size and exponent",
      shape,
      net: (b) => b.op("LRN", ["x"], { size: int(3), alpha: float(1), beta: float(0.6) }),
    },
    {
      name: "Conv",
      shape,
      net: (b) =>
        b.op("Conv", ["x", b.initializer(noise([6, channels, 3, 3], 5))], {
          pads: ints([1, 1, 1, 1]),
        }),
    },
    ...[1, 7, 33].map((classes): Case => ({
      name: `Gemm of ${classes} columns`,
      shape,
      net: (b) =>
        b.op("Gemm", [b.op("Flatten", ["x"]), b.initializer(noise([features, classes], 5))]),
    })),
    { name: "Softmax over channels", shape, net: (b) => b.op("Softmax", ["x"], { axis: int(1) }) },
    ...["Softplus", "Elu", "Mish"].map((op): Case => ({
      name: op,
      shape,
      net: (b) => b.op(op, ["x"]),
      alone: true,
    })),
    { name: "Log", shape, net: (b) => b.op("Log", [positive(b)]), alone: true },
    {
      name: "InstanceNormalization",
      shape,
      net: (b) => {
        const [scale, bias] = [1, 2].map((seed) => b.initializer(noise([channels], seed)));
        return b.op("InstanceNormalization", ["x", scale!, bias!]);
      },
      alone: true,
    },
  ];
});

function graphOf({ shape, net }: Case) {
  const b = netOn(["N", ...shape], 18);
  return output(b, net(b));
}

/** The rows of a session's only output. */
async function rowsOf(session: Session, rows: readonly Tensor[]): Promise<Float32Array[]> {
  const size = rows[0].data.length;
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(row.data, i * size));
  const { [session.outputs[0]]: result } = await session.run({
    x: floats([rows.length, ...rows[0].shape.slice(1)], data),
  });
  const { data: values } = result as Tensor;
  const each = values.length / rows.length;
  return rows.map((_, i) => values.slice(i * each, (i + 1) * each));
}

for (const [backend, threads] of [["native", 1], ["native", 3], ["wasm", 2]] as const) {
  Deno.test(`a row's result is the same to the last bit wherever it lies in a batch, on ${backend} with ${threads} threads`, async () => {
    const rng = createRng(4);
    for (const item of CASES) {
      const rows = Array.from({ length: 9 }, (_, i) => noise([1, ...item.shape], 10 + i));
      const session = await openSteady(graphOf(item), backend, { threads });
      const expected = await rowsOf(session, rows);
      for (let shift = 0; shift < 5; shift++) {
        const order = shuffled(rows.length, rng);
        // The last ones are left out: other neighbours, and for some rows a smaller batch.
        const found = await rowsOf(session, order.slice(0, 9 - shift).map((row) => rows[row]));
        found.forEach((row, i) =>
          assert.deepEqual(row, expected[order[i]].slice(), `${item.name} [${item.shape}]`)
        );
      }
      await session.dispose();
    }
  });
}

Deno.test("what is rewritten for steady rows computes what the operator computes", async () => {
  for (const item of CASES) {
    const graph = graphOf(item);
    const feeds = { x: noise([3, ...item.shape], 7) };
    const [name] = graph.outputs.map((value) => value.name);
    const [before, after] = await Promise.all(
      [graph, steadyRows(graph)].map(async (each) =>
        (await runNative(each, feeds))[name!] as Tensor
      ),
    );
    assert.deepEqual(after!.shape, before!.shape, item.name);
    assertClose(after!, before!, { ofLargest: 2e-6 }, item.name);
  }
});

Deno.test("only graphs with an operator that is not known to be steady are run row by row", () => {
  for (const item of CASES) {
    const left = unsteadyOps(steadyRows(graphOf(item)));
    assert.equal(left.length > 0, item.alone ?? false, `${item.name}: ${left}`);
  }
  const b = netOn(["N", 3, 4, 4]);
  const [foreign] = b.ops("Unheard", ["x"], {}, 1, "com.example");
  b.known.set(foreign!, { type: "float32", shape: ["N", 3, 4, 4] });
  assert.deepEqual(unsteadyOps(output(b, foreign!)), ["com.example.Unheard"]);
});

Deno.test("the original graph stays as it is when its rows are made steady", () => {
  for (const item of CASES) {
    const graph = graphOf(item);
    const before = writeModel(graph);
    steadyRows(graph);
    assert.deepEqual(writeModel(graph), before, item.name);
  }
});

Deno.test("a graph whose batch size is fixed is never split", async () => {
  const b = netOn([2, 3, 5, 5], 18);
  const graph = output(b, b.op("Softplus", ["x"]));
  const session = await openSteady(graph, "native", { threads: 1 });
  const plain = await openSession(writeModel(graph), "native", { threads: 1 });
  const feeds = { x: noise([2, 3, 5, 5]) };
  assert.deepEqual(await session.run(feeds), await plain.run(feeds));
  await session.dispose();
  await plain.dispose();
});

function shuffled(length: number, rng: { below(n: number): number }): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
