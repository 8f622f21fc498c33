import assert from "node:assert/strict";
import { rows } from "../../src/base/tensor.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { cut } from "../../src/onnx/extract.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { withScores } from "../../src/onnx/scores.ts";
import type { Backend } from "../../src/runtime/session.ts";
import { gradientsOf, readFloats, relativeDifference } from "../gradient_goldens.ts";
import { assertAtMost } from "../assert_that.ts";

const NETWORK = new URL("../golden/onnx/", import.meta.url);
const GRADIENTS = new URL("../golden/gradients/", import.meta.url);

async function compare(file: string, backend: Backend) {
  const model = readModel(await Deno.readFile(new URL(file, NETWORK)));
  const { graph, logits, probabilities } = withScores(model, { kind: "logits" });
  assert.ok(logits, `${file} has no logits`);
  const question = { classes: [8], slots: 1, scores: 20 };
  const at = rows(await readFloats(new URL("mobile_act.npy", NETWORK)), 0, 1);
  const { head } = cut(graph, "last_act");
  for (const [score, name] of [[logits, "logit"], [probabilities, "probability"]] as const) {
    const found = await gradientsOf(head, backend, { ...question, score, target: "last_act", at });
    const expected = await readFloats(new URL(`gradient_${name}.npy`, GRADIENTS));
    const difference = relativeDifference(found, expected);
    assertAtMost(difference, 1e-5, `${file}, ${name}`);
  }
  // On a software adapter compiling the shaders of all layers takes 20 s; the rules are checked there one by one.
  if (backend === "webgpu") return;
  const whole = await gradientsOf(graph, backend, {
    ...question,
    score: logits,
    target: "input",
    at: rows(await readFloats(new URL("mobile_inputs.npy", NETWORK)), 0, 1),
  });
  const expected = await readFloats(new URL("input_gradient_logit.npy", GRADIENTS));
  const difference = relativeDifference(whole, expected);
  assertAtMost(difference, 1e-5, `${file}, input`);
}

const gpu = await openGpu();
for (const backend of ["native", "wasm", "webgpu"] as const) {
  const absent = backend === "webgpu" && !gpu;
  Deno.test({
    name: `the gradients of a MobileNet-like network equal PyTorch's on ${backend}${
      absent ? " (skipped: no GPU adapter here)" : ""
    }`,
    ignore: absent,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const variants = ["mobile.onnx", "mobile_bn.onnx", "mobile_dynamo.onnx"];
      for (const file of backend === "native" ? variants : ["mobile.onnx"]) {
        await compare(file, backend);
      }
    },
  });
}
