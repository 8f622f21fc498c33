/**
 * A Darknet network as an ONNX graph.
 *
 * Batch normalization stays a separate node with ONNX's epsilon (1e-5 inside the root): Darknet puts 1e-6 outside the
 * root, lightnet and PyTorch 1e-5 inside. Which of them holds is decided when the weights are folded (`fold_batch_norm.ts`).
 *
 * @module
 */

import { floats } from "../../base/tensor.ts";
import { checkGraph } from "../../onnx/check.ts";
import {
  emptyGraph,
  float,
  type Graph,
  GraphBuilder,
  int,
  ints,
  string,
  type Value,
} from "../../onnx/graph.ts";
import { prune } from "../../onnx/depends_on.ts";
import { ACTIVATIONS } from "./activations.ts";
import type { DarknetLayer, Extent, Operation } from "./layer.ts";
import type { DarknetNetwork } from "./network.ts";
import type { ConvolutionWeights } from "./weights.ts";

/** ONNX's and PyTorch's epsilon of batch normalization. */
const NORM_EPSILON = 1e-5;

/**
 * Builds the graph: `input` [N, 3, H, W] (RGB, 0..1) to `yolo0`, `yolo1` … in the order of the [yolo] sections, each
 * [N, anchors · (5 + classes), h, w] as the section reads it, without any sigmoid. Channel = anchor · (5 + classes) + entry.
 *
 * The output of layer i is called `layerI`, unless it is a head's map. Layers that no head needs are left out.
 *
 * @param weights by index of the layer; the arrays are kept, not copied.
 */
export function darknetGraph(
  network: DarknetNetwork,
  weights: ReadonlyMap<number, ConvolutionWeights>,
  name: string,
): Graph {
  const { layers, input } = network;
  const graph = emptyGraph(name);
  graph.inputs.push({ name: "input", type: "float32", shape: shapeOf(input) });
  const heads = layers.filter(({ operation }) => operation.kind === "yolo");
  const names = new Map(heads.map(({ index }, k) => [index - 1, `yolo${k}`]));
  const values: Value[] = [];
  for (const layer of layers) {
    const { index, operation } = layer;
    const before = index === 0 ? "input" : values[index - 1];
    if (operation.kind === "yolo") {
      graph.outputs.push({ name: before, type: "float32", shape: shapeOf(layer.input) });
      values.push(before);
      continue;
    }
    const b = new GraphBuilder(graph, new Map(), () => {}, `layer${index}`);
    addLayer(b, { layer, operation, before, values, weights: weights.get(index) });
    // A layer's result is made by its last node.
    const value = names.get(index) ?? `layer${index}`;
    graph.nodes.at(-1)!.outputs[0] = value;
    values.push(value);
  }
  const result = prune(graph);
  checkGraph(result);
  return result;
}

function shapeOf({ channels, height, width }: Extent) {
  return ["N", channels, height, width];
}

interface Site {
  readonly layer: DarknetLayer;
  readonly operation: Exclude<Operation, { kind: "yolo" }>;
  /** Output of the layer before. */
  readonly before: Value;
  /** Outputs of all layers before. */
  readonly values: readonly Value[];
  readonly weights: ConvolutionWeights | undefined;
}

/** Adds a layer's nodes, at least one. */
function addLayer(b: GraphBuilder, { layer, operation, before, values, weights }: Site): void {
  switch (operation.kind) {
    case "convolutional": {
      const made = convolution(b, before, layer, operation, weights!);
      ACTIVATIONS[operation.activation](b, made);
      return;
    }
    case "shortcut": {
      const sum = b.op("Add", [before, values[operation.from]]);
      ACTIVATIONS[operation.activation](b, sum);
      return;
    }
    case "route":
      if (operation.from.length === 1) b.op("Identity", [values[operation.from[0]]]);
      else b.op("Concat", operation.from.map((from) => values[from]), { axis: int(1) });
      return;
    case "upsample": {
      const { stride, scale } = operation;
      const made = b.op("Resize", [before, "", b.floats([4], [1, 1, stride, stride])], {
        mode: string("nearest"),
        coordinate_transformation_mode: string("asymmetric"),
        nearest_mode: string("floor"),
      });
      if (scale !== 1) b.op("Mul", [made, b.scalar(scale)]);
      return;
    }
    case "maxpool": {
      const { size, stride, before: begin, after } = operation;
      b.op("MaxPool", [before], {
        kernel_shape: ints([size, size]),
        strides: ints([stride, stride]),
        pads: ints([begin, begin, ...after]),
      });
      return;
    }
    default:
      operation satisfies never;
  }
}

function convolution(
  b: GraphBuilder,
  x: Value,
  { index, input }: DarknetLayer,
  operation: Operation & { kind: "convolutional" },
  { biases, norm, weights }: ConvolutionWeights,
): Value {
  const { filters, size, stride, padding, groups } = operation;
  const vector = (name: string, data: Float32Array) =>
    b.initializer(floats([filters], data), `layer${index}.${name}`);
  const kernel = b.initializer(
    floats([filters, input.channels / groups, size, size], weights),
    `layer${index}.weights`,
  );
  const attributes = {
    kernel_shape: ints([size, size]),
    strides: ints([stride, stride]),
    pads: ints([padding, padding, padding, padding]),
    group: int(groups),
  };
  if (!norm) return b.op("Conv", [x, kernel, vector("biases", biases)], attributes);
  return b.op("BatchNormalization", [
    b.op("Conv", [x, kernel], attributes),
    vector("scales", norm.scales),
    vector("biases", biases),
    vector("means", norm.means),
    vector("variances", norm.variances),
  ], { epsilon: float(NORM_EPSILON) });
}
