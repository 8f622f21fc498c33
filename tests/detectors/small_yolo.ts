/** Small YOLO detectors for tests: an ONNX file and its card in a folder. */

import { join } from "node:path";
import { floats, type Tensor } from "../../src/base/tensor.ts";
import { sha256 } from "../../src/base/json.ts";
import { emptyGraph, float, type Graph, ints } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { builderOn } from "../../src/onnx/shapes.ts";
import { type DetectorCard, type Located, parseCard } from "../../src/runtime/card.ts";

/** A head as the card has it. */
export interface SmallHead {
  readonly output: string;
  readonly anchors: readonly (readonly [number, number])[];
}

/** The card, with anything in it replaced. */
export interface SmallCard {
  readonly width: number;
  readonly height: number;
  readonly classes: readonly string[];
  readonly heads: readonly SmallHead[];
  readonly decoder?: Record<string, unknown>;
  readonly input?: Record<string, unknown>;
  readonly top?: Record<string, unknown>;
}

/** A graph whose heads are these logits [C, height, width] whatever the image is. */
export function constantGraph(width: number, height: number, heads: readonly Tensor[]): Graph {
  const graph = emptyGraph("constant");
  graph.inputs.push({ name: "input", type: "float32", shape: ["N", 3, height, width] });
  const b = builderOn(graph);
  const nothing = b.op("Mul", [
    b.op("ReduceMean", ["input"], { axes: ints([1, 2, 3]) }),
    b.scalar(0),
  ]);
  heads.forEach(({ shape, data }, k) => {
    const logits = b.initializer(floats([1, ...shape], data));
    graph.nodes.push({
      name: `head${k}`,
      op: "Add",
      domain: "",
      inputs: [logits, nothing],
      outputs: [`yolo${k}`],
      attributes: {},
    });
    graph.outputs.push({ name: `yolo${k}`, type: "float32", shape: ["N", ...shape] });
  });
  return graph;
}

/** Weights of {@linkcode convolutionGraph}. */
export interface Convolution {
  /** [channels, 3, stride, stride]. */
  readonly weights: Tensor;
  readonly scale: Float32Array;
  readonly shift: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

/** One convolution with kernel = stride and its batch norm, as one head. */
export function convolutionGraph(width: number, height: number, conv: Convolution): Graph {
  const graph = emptyGraph("convolution");
  graph.inputs.push({ name: "input", type: "float32", shape: ["N", 3, height, width] });
  const b = builderOn(graph);
  const [channels, , stride] = conv.weights.shape;
  const vector = (data: Float32Array) => b.initializer(floats([channels], data));
  const convolved = b.op("Conv", ["input", b.initializer(conv.weights)], {
    kernel_shape: ints([stride, stride]),
    strides: ints([stride, stride]),
  });
  graph.nodes.push({
    name: "norm",
    op: "BatchNormalization",
    domain: "",
    inputs: [convolved, ...[conv.scale, conv.shift, conv.mean, conv.variance].map(vector)],
    outputs: ["yolo0"],
    attributes: { epsilon: float(1e-5) },
  });
  graph.outputs.push({
    name: "yolo0",
    type: "float32",
    shape: ["N", channels, height / stride, width / stride],
  });
  return graph;
}

/** Writes NAME.onnx and NAME.json into a folder, as an import leaves them. */
export async function writeSmallYolo(
  folder: string,
  graph: Graph,
  card: SmallCard,
  name = "small-yolo",
): Promise<Located<DetectorCard>> {
  const model = writeModel(graph);
  const text = JSON.stringify({
    name,
    task: "detector",
    file: `${name}.onnx`,
    sha256: sha256(model),
    bytes: model.length,
    classes: card.classes,
    input: {
      name: "input",
      width: card.width,
      height: card.height,
      channels: "rgb",
      fit: "letterbox",
      resize: "pillow-bicubic",
      scale: 1 / 255,
      ...card.input,
    },
    decoder: { kind: "yolo", profile: "darknet", heads: card.heads, ...card.decoder },
    source: "made for a test",
    licence: "none",
    ...card.top,
  });
  await Deno.writeFile(join(folder, `${name}.onnx`), model);
  await Deno.writeTextFile(join(folder, `${name}.json`), text);
  return { card: parseCard(text, `${name}.json`) as DetectorCard, folder };
}
