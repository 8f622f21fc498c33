/**
 * EmoNet as an ONNX graph.
 *
 * @module
 */

import type { Tensor } from "../../base/tensor.ts";
import {
  type Attribute,
  emptyGraph,
  float,
  type Graph,
  int,
  ints,
  type Value,
} from "../../onnx/graph.ts";
import { CLASSES, CONNECTED, CONVOLUTIONS, INPUT_SIDE, KEYS } from "./geometry.ts";

/**
 * The network [N, 3, 227, 227] → probabilities and logits [N, 20]. Convolutions and fully connected layers are named as in the
 * published code (`conv1` … `fc2`, each before its ReLU; the last is `logits`), `norm` and `pool` come after them.
 *
 * MATLAB flattens the last maps with the row running fastest: the transposition in front of `fc1`, whose weights stay as they
 * are. Cross-channel normalisation: ONNX divides alpha by the size, as MATLAB does.
 *
 * @param tensors the sixteen tensors by key, of the shapes that `shapesFor` gives
 */
export function emonetGraph(tensors: ReadonlyMap<string, Tensor>): Graph {
  const graph = emptyGraph("emonet");
  graph.inputs.push({ name: "input", type: "float32", shape: ["N", 3, INPUT_SIDE, INPUT_SIDE] });
  for (const name of ["probabilities", "logits"]) {
    graph.outputs.push({ name, type: "float32", shape: ["N", CLASSES] });
  }
  for (const key of KEYS) graph.initializers.set(key, tensors.get(key)!);
  const add = (
    op: string,
    output: Value,
    inputs: readonly Value[],
    attributes: Record<string, Attribute> = {},
  ): Value => {
    graph.nodes.push({
      name: output,
      op,
      domain: "",
      inputs: [...inputs],
      outputs: [output],
      attributes,
    });
    return output;
  };

  let value: Value = "input";
  for (const { name, kernel, stride, padding, groups } of CONVOLUTIONS) {
    const number = name.slice(-1);
    value = add("Conv", name, [value, `${name}.weight`, `${name}.bias`], {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([padding, padding, padding, padding]),
      group: int(groups),
    });
    value = add("Relu", `relu${number}`, [value]);
    if (name === "conv1" || name === "conv2") {
      value = add("LRN", `norm${number}`, [value], {
        size: int(5),
        alpha: float(1e-4),
        beta: float(0.75),
        bias: float(1),
      });
    }
    if (name !== "conv3" && name !== "conv4") {
      value = add("MaxPool", `pool${number}`, [value], {
        kernel_shape: ints([3, 3]),
        strides: ints([2, 2]),
      });
    }
  }
  value = add("Transpose", "permuted", [value], { perm: ints([0, 1, 3, 2]) });
  value = add("Flatten", "flat", [value], { axis: int(1) });
  for (const name of CONNECTED) {
    const last = name === "fc3";
    value = add("Gemm", last ? "logits" : name, [value, `${name}.weight`, `${name}.bias`], {
      transB: int(1),
    });
    if (!last) value = add("Relu", `relu_${name}`, [value]);
  }
  add("Softmax", "probabilities", [value], { axis: int(1) });
  return graph;
}
