import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { emonetGraph } from "../../../src/importers/emonet/graph.ts";
import { readMatlabFolder } from "../../../src/importers/emonet/matlab_folder.ts";
import { checkGraph } from "../../../src/onnx/check.ts";
import { writeModel } from "../../../src/onnx/model_file.ts";
import { inferShapes } from "../../../src/onnx/shapes.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { openSession } from "../../../src/runtime/open.ts";
import { GOLDEN, hashOf } from "./cases.ts";
import { tinyInput } from "./generator.ts";
import { assertAtMost, assertMore } from "../../assert_that.ts";

const REFERENCE = JSON.parse(Deno.readTextFileSync(new URL("tiny.json", GOLDEN)));

function tinyTensors(): Promise<Map<string, Tensor>> {
  return readMatlabFolder(fileURLToPath(new URL("tiny/", GOLDEN)));
}

function difference(found: ArrayLike<number>, expected: readonly number[]): number {
  assert.equal(found.length, expected.length);
  return Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
}

Deno.test("the small network's scores are those of the published code", async () => {
  const input = tinyInput();
  const { forward } = REFERENCE;
  assert.equal(hashOf(input), forward.input.sha256_float32_le_chw);
  const session = await openSession(writeModel(emonetGraph(await tinyTensors())), "native", {
    threads: 1,
  });
  try {
    const { logits, probabilities } = await session.run({
      input: floats([1, 3, 227, 227], input),
    });
    const { data } = await toFloats(logits!);
    assertAtMost(difference(data, forward.logits), 5e-5);
    assertAtMost(difference((await toFloats(probabilities!)).data, forward.probs), 1e-5);
    // What two likely mistakes would give is far from it.
    for (const wrong of ["wrong_logits_without_permute", "wrong_logits_kernels_transposed"]) {
      assertMore(difference(data, forward[wrong]), 0.1, wrong);
    }
  } finally {
    await session.dispose();
  }
});

Deno.test("the graph is well-formed, and its maps have AlexNet's sizes", async () => {
  const graph = emonetGraph(await tinyTensors());
  checkGraph(graph);
  const known = inferShapes(graph);
  for (
    const [name, shape] of [
      ["conv1", ["N", 8, 55, 55]],
      ["pool1", ["N", 8, 27, 27]],
      ["conv2", ["N", 12, 27, 27]],
      ["pool2", ["N", 12, 13, 13]],
      ["conv5", ["N", 6, 13, 13]],
      ["pool5", ["N", 6, 6, 6]],
      ["flat", ["N", 216]],
      ["fc1", ["N", 11]],
      ["fc2", ["N", 9]],
      ["logits", ["N", 20]],
      ["probabilities", ["N", 20]],
    ] as const
  ) {
    assert.deepEqual(known.get(name)?.shape, shape, name);
  }
});
