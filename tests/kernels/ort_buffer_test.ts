/** From ONNX Runtime's own GPU buffer to the boxes' importances: no activation crosses to the CPU. */

import assert from "node:assert/strict";
import { floats } from "../../src/base/tensor.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { halfPixelPlacement } from "../../src/image/geometry.ts";
import { type MapBatch, scoreMaps } from "../../src/kernels/box_scores.ts";
import { emptyGraph } from "../../src/onnx/graph.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { isGpuTensor } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { gpuTest, noise } from "./support.ts";
import { assertClose } from "../assert_close.ts";

gpuTest("scoreMaps reads ONNX Runtime's buffer and brings back a few floats a box", async () => {
  const [images, channels, height, width] = [3, 5, 7, 9];
  const graph = emptyGraph("relu");
  const shape = ["N", channels, height, width];
  graph.inputs.push({ name: "x", type: "float32", shape });
  graph.outputs.push({ name: "y", type: "float32", shape });
  graph.nodes.push({
    name: "r",
    op: "Relu",
    domain: "",
    inputs: ["x"],
    outputs: ["y"],
    attributes: {},
  });
  const session = await openSession(writeModel(graph), "webgpu", { onDevice: ["y"] });
  const input = noise(images * channels * height * width, 40);
  const { y } = await session.run({ x: floats([images, channels, height, width], input) });
  assert.ok(isGpuTensor(y), Object.keys(y).join());

  const compute = await createCompute("gpu");
  const read = compute.read.bind(compute);
  let floatsRead = 0;
  compute.read = async (buffer) => {
    floatsRead += buffer.length;
    return await read(buffer);
  };
  const weights = noise(images * channels, 41);
  const maps = { maps: images, height, width, rectify: true };
  const batch: MapBatch = {
    ...maps,
    from: { activation: compute.adopt(y.buffer, input.length), channels, weights },
  };
  const frame = { width: 36, height: 28, placement: halfPixelPlacement(width, height, 36, 28) };
  const boxes = Array.from({ length: 12 }, (_, i) => ({
    map: i % images,
    rect: { x0: i, y0: i / 2, x1: 3 * i + 2, y1: 2 * i + 1.5 },
  }));
  const onCpu: MapBatch = {
    ...maps,
    from: { activation: input.map((x) => Math.max(x, 0)), channels, weights },
  };
  for (const mean of ["exact", "pixels"] as const) {
    floatsRead = 0;
    const found = await scoreMaps(compute, batch, frame, boxes, mean);
    assert.equal(floatsRead, boxes.length + 2 * images);
    const expected = await scoreMaps(await createCompute("cpu"), onCpu, frame, boxes, mean);
    assertClose(found, expected, 2e-6);
  }
  y.dispose();
  await session.dispose();
});
