/** Small networks and corpora for the cases of models: conv 3 × 3, ReLU, mean over space, linear head, with something in between. */

import { join } from "node:path";
import sharp from "sharp";
import { createRng } from "../../src/base/rng.ts";
import { readNpy, writeNpy } from "../../src/base/npy.ts";
import type { AnyTensor, Tensor } from "../../src/base/tensor.ts";
import {
  type Attribute,
  type Dim,
  emptyGraph,
  type Graph,
  type GraphBuilder,
  ints,
  type Node,
  type ValueInfo,
} from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { emocam, type Outcome } from "../commands/cli.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";

/** Side of the pictures that the networks take. */
export const SIDE = 16;
/** Of all networks here. */
export const CLASSES = 4;

/** Where a network differs from the plain one. */
export interface SmallNet {
  readonly opset?: number;
  /** The input's first extent. */
  readonly batch?: Dim;
  /** After the ReLU, [N, 6, 16, 16]. */
  readonly between?: (b: GraphBuilder, value: string) => string;
  /** Instead of flattening [N, 6, 1, 1] to [N, 6]. */
  readonly flatten?: (b: GraphBuilder, value: string) => string;
  /** After the logits [N, 4]. */
  readonly end?: (b: GraphBuilder, value: string) => string;
  /** Last of all. */
  readonly change?: (graph: Graph) => void;
}

/** Writes out such a network. */
export function smallNet(
  { opset = 17, batch = "N", between, flatten, end, change }: SmallNet = {},
): Graph {
  const b = netOn([batch, 3, SIDE, SIDE], opset);
  const conv = b.op("Conv", ["x", b.initializer(noise([6, 3, 3, 3], 1), "w")], {
    kernel_shape: ints([3, 3]),
    pads: ints([1, 1, 1, 1]),
  });
  const relu = put(b, "Relu", [conv], {}, "relu");
  const pooled = b.op("GlobalAveragePool", [between?.(b, relu) ?? relu]);
  const flat = flatten?.(b, pooled) ?? b.op("Flatten", [pooled]);
  const weights = b.initializer(noise([6, CLASSES], 2), "head");
  const logits = put(b, "Gemm", [flat, weights], {}, "logits");
  const graph = output(b, end?.(b, logits) ?? logits);
  change?.(graph);
  return graph;
}

/** A node of the standard domain. */
export function nodeOf(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, Attribute> = {},
): Node {
  return {
    name: `the ${op}`,
    op,
    domain: "",
    inputs: [...inputs],
    outputs: [...outputs],
    attributes,
  };
}

/** A graph for an attribute of If, Loop or Scan. */
export function subgraph(
  nodes: readonly Node[],
  outputs: readonly ValueInfo[],
  inputs: readonly ValueInfo[] = [],
  initializers: Readonly<Record<string, AnyTensor>> = {},
): Attribute {
  return {
    kind: "graph",
    value: {
      ...emptyGraph("inner"),
      nodes: [...nodes],
      outputs: [...outputs],
      inputs: [...inputs],
      initializers: new Map(Object.entries(initializers)),
    },
  };
}

/** One truth value. */
export const truth = (value: boolean): AnyTensor => ({
  type: "bool",
  shape: [],
  data: Uint8Array.of(value ? 1 : 0),
});

/** Writes a network, or its bytes, and gives its path. */
export async function writeNet(folder: string, net: Graph | Uint8Array, name = "net.onnx") {
  const path = join(folder, name);
  await Deno.writeFile(path, net instanceof Uint8Array ? net : writeModel(net));
  return path;
}

/** Writes pictures of noise, the same for the same number, and gives their folder. */
export async function writePictures(folder: string, count: number): Promise<string> {
  const corpus = join(folder, "corpus");
  await Deno.mkdir(corpus, { recursive: true });
  for (let i = 0; i < count; i++) {
    const rng = createRng(i + 1);
    const data = Uint8Array.from({ length: 3 * 32 * 32 }, () => rng.below(256));
    await sharp(data, { raw: { width: 32, height: 32, channels: 3 } }).png().toFile(
      join(corpus, `${i}.png`),
    );
  }
  await Deno.writeTextFile(
    join(folder, "boxes.csv"),
    "image,label,confidence,x0,y0,x1,y1\n" +
      Array.from({ length: count }, (_, i) => `${i}.png,Dog,0.9,4,4,20,20\n`).join(""),
  );
  return corpus;
}

/** Runs `explain` with `--json` on ready inputs, and gives each one's probabilities, and the raw maps. */
export async function explained(
  folder: string,
  model: string,
  inputs: Tensor,
  ...more: string[]
): Promise<Outcome & { probabilities: number[][]; maps: Readonly<Record<string, Tensor>> }> {
  const path = join(folder, "x.npy"), out = join(folder, "maps");
  await Deno.writeFile(path, writeNpy(inputs));
  const backend = more.includes("--backend") ? [] : ["--backend", "native"];
  const done = await emocam(
    ...["explain", path, "--classifier", model, "--json", ...backend],
    ...["--maps", out, "--out", join(folder, "explained"), ...more],
  );
  if (done.status !== 0) return { ...done, probabilities: [], maps: {} };
  const maps: Record<string, Tensor> = {};
  for await (const { name } of Deno.readDir(out)) {
    if (!name.endsWith(".npy")) continue;
    maps[name] = readNpy(await Deno.readFile(join(out, name))) as Tensor;
  }
  const { results } = JSON.parse(done.out) as {
    results: readonly { scores: readonly { probability: number }[] }[];
  };
  return {
    ...done,
    probabilities: results.map(({ scores }) => scores.map(({ probability }) => probability)),
    maps,
  };
}
