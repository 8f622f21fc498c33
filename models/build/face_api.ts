/**
 * The nets of the npm package `@vladmandic/face-api` (a fork of face-api.js), from their TFJS weights.
 *
 * The package keeps the architectures in its code, so they are written out here; layers and orders were read from
 * `faceFeatureExtractor/`, `faceProcessor/` and `tinyYolov2/` of version 1.7.15 (MIT).
 *
 * Inputs are NCHW and already normalised (a model card says how); the batch size is free.
 *
 * @module
 */

import {
  emptyGraph,
  float,
  type Graph,
  GraphBuilder,
  int,
  type Shape,
  type Value,
} from "../../src/onnx/graph.ts";
import { conv, depthwiseConv, globalAverage, pool, samePadding } from "./tfjs/layers.ts";
import { nameTensor } from "./naming.ts";
import { restore, type TfjsWeight, weightOf } from "./tfjs/weights.ts";

type Weights = ReadonlyMap<string, TfjsWeight>;

function start(name: string, shape: Shape): { graph: Graph; b: GraphBuilder } {
  const graph = emptyGraph(name);
  graph.inputs.push({ name: "input", type: "float32", shape });
  // The architectures are fixed, so nothing has to be inferred while building.
  return { graph, b: new GraphBuilder(graph, new Map(), () => {}, name) };
}

/** A depthwise 3×3 convolution without bias and a 1×1 one with it. `extent` is the side of the (square) input. */
function separableConv(
  b: GraphBuilder,
  weights: Weights,
  x: Value,
  { name, extent, stride }: { name: string; extent: number; stride: number },
): Value {
  const padding = samePadding(extent, 3, stride);
  const spatial = depthwiseConv(b, x, {
    filters: weightOf(weights, `${name}/depthwise_filter`),
    strides: [stride, stride],
    padding: [padding, padding],
  });
  return conv(b, spatial, {
    filters: weightOf(weights, `${name}/pointwise_filter`),
    bias: weightOf(weights, `${name}/bias`),
  });
}

/** Side of the input of the expression and landmark nets. */
const FACE_SIDE = 112;

/**
 * The features shared by the expression and landmark nets: four blocks of four convolutions, each of which sees the
 * sum of all before it in the block; the first convolution of a block halves the side.
 *
 * @param x [N, 3, 112, 112]
 * @returns [N, 256, 7, 7], after the last ReLU
 */
function faceFeatures(b: GraphBuilder, weights: Weights, x: Value): Value {
  let extent = FACE_SIDE;
  for (let block = 0; block < 4; block++) {
    const name = (layer: number) => `dense${block}/conv${layer}`;
    const halving = { extent, stride: 2 };
    let sum: Value;
    if (block === 0) {
      const padding = samePadding(extent, 3, 2);
      sum = conv(b, x, {
        filters: weightOf(weights, `${name(0)}/filters`),
        bias: weightOf(weights, `${name(0)}/bias`),
        strides: [2, 2],
        padding: [padding, padding],
      });
    } else {
      sum = separableConv(b, weights, x, { name: name(0), ...halving });
    }
    extent /= 2;
    x = sum = b.op("Relu", [sum]);
    for (let layer = 1; layer < 4; layer++) {
      const more = separableConv(b, weights, x, { name: name(layer), extent, stride: 1 });
      sum = b.op("Add", [sum, more]);
      x = b.op("Relu", [sum]);
    }
  }
  return x;
}

/** Average pooling over all cells and one fully connected layer: [N, 256, 7, 7] to [N, outputs]. */
function faceHead(
  b: GraphBuilder,
  weights: Weights,
  { features, outputs }: { features: Value; outputs: number },
): Value {
  return b.op("Gemm", [
    globalAverage(b, features),
    restore(b, weightOf(weights, "fc/weights", [256, outputs])),
    restore(b, weightOf(weights, "fc/bias", [outputs])),
  ]);
}

/**
 * The expression net (`face_expression_model`).
 *
 * @returns a graph: `input` [N, 3, 112, 112] to `logits` [N, 7] and `probabilities` [N, 7]; the target tensor `features`
 * [N, 256, 7, 7] lies before the pooling
 * @throws {ModelError} when a weight is missing or has another shape
 */
export function faceExpressionNet(weights: Weights): Graph {
  const { graph, b } = start("face-expression", ["N", 3, FACE_SIDE, FACE_SIDE]);
  const features = faceFeatures(b, weights, "input");
  const logits = faceHead(b, weights, { features, outputs: 7 });
  const probabilities = b.op("Softmax", [logits], { axis: int(1) });
  graph.outputs.push(
    { name: logits, type: "float32", shape: ["N", 7] },
    { name: probabilities, type: "float32", shape: ["N", 7] },
  );
  nameTensor(graph, features, "features", ["N", 256, 7, 7]);
  nameTensor(graph, logits, "logits", ["N", 7]);
  nameTensor(graph, probabilities, "probabilities", ["N", 7]);
  return graph;
}

/**
 * The 68-point landmark net (`face_landmark_68_model`).
 *
 * @returns a graph: `input` [N, 3, 112, 112] to `landmarks` [N, 136]: x0, y0, x1, y1, … in 0..1 of the padded square
 * @throws {ModelError} when a weight is missing or has another shape
 */
export function faceLandmarkNet(weights: Weights): Graph {
  const { graph, b } = start("face-landmarks", ["N", 3, FACE_SIDE, FACE_SIDE]);
  const features = faceFeatures(b, weights, "input");
  const landmarks = faceHead(b, weights, { features, outputs: 136 });
  graph.outputs.push({ name: landmarks, type: "float32", shape: ["N", 136] });
  nameTensor(graph, landmarks, "landmarks", ["N", 136]);
  return graph;
}

/**
 * The tiny face detector (`tiny_face_detector_model`), a small YOLO v2 with separable convolutions.
 *
 * The side of the input must be a multiple of 32; other sizes run, but not as in face-api: padding is written for them.
 * The first convolution takes one cell off each edge, so its pool sees an even side and the next one an odd one
 * (416 → 414 → 207 → 104), which TensorFlow pads by one cell at the end; later sides are even.
 *
 * @returns a graph: `input` [N, 3, H, W] to `grid` [N, 25, H/32, W/32]: five anchors of tx, ty, tw, th, score
 * @throws {ModelError} when a weight is missing or has another shape
 */
export function tinyFaceNet(weights: Weights): Graph {
  const { graph, b } = start("tiny-face", ["N", 3, "H", "W"]);
  const leaky = (x: Value) => b.op("LeakyRelu", [x], { alpha: float(0.1) });
  let x = leaky(conv(b, "input", {
    filters: weightOf(weights, "conv0/filters", [3, 3, 3, 16]),
    bias: weightOf(weights, "conv0/bias"),
  }));
  for (let layer = 1; layer <= 5; layer++) {
    const end = layer === 2 ? 1 : 0;
    x = pool(b, x, {
      kind: "MaxPool",
      kernel: [2, 2],
      strides: [2, 2],
      padding: [[0, end], [0, end]],
    });
    // Any even extent: at stride 1 the padding of a 3×3 kernel is one cell on each side.
    x = leaky(separableConv(b, weights, x, { name: `conv${layer}`, extent: 32, stride: 1 }));
  }
  x = pool(b, x, { kind: "MaxPool", kernel: [2, 2], padding: [[0, 1], [0, 1]] });
  const grid = conv(b, x, {
    filters: weightOf(weights, "conv8/filters", [1, 1, 512, 25]),
    bias: weightOf(weights, "conv8/bias"),
  });
  const shape: Shape = ["N", 25, "H/32", "W/32"];
  graph.outputs.push({ name: grid, type: "float32", shape });
  nameTensor(graph, grid, "grid", shape);
  return graph;
}
