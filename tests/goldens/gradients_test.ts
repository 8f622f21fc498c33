/**
 * Gradients of the reference networks against PyTorch's autograd: of logits and probabilities, with respect to the target
 * layer's activation (head only) and to the input (the whole network).
 */

import assert from "node:assert/strict";
import { rows } from "../../src/base/tensor.ts";
import { cut } from "../../src/onnx/extract.ts";
import { readModel } from "../../src/onnx/model_file.ts";
import { withScores } from "../../src/onnx/scores.ts";
import type { Backend } from "../../src/runtime/session.ts";
import { gradientsOf, readFloats, readNumbers, relativeDifference } from "../gradient_goldens.ts";
import { goldenTest } from "../shared_goldens.ts";

interface Variant {
  file: string;
  input: string;
  output: string;
  output_is: "softmax" | "logits";
  target: string;
  logits_tensor: string;
}

/** Of the largest gradient. Measured: logits 1.6e-7 (head) and 1.8e-6 (whole network), probabilities 2.4e-6 and 6.4e-6. */
const TOLERANCE = 1e-5;

async function compare(goldens: URL, net: string, variant: Variant, backend: Backend) {
  const folder = new URL(`cam/${net}/`, goldens);
  const at = (name: string) => new URL(name, folder);
  const kind = variant.output_is === "softmax" ? "probabilities" : "logits";
  const { graph, logits, probabilities, classes: scores } = withScores(
    readModel(await Deno.readFile(at(variant.file))),
    { output: variant.output, kind },
  );
  assert.ok(logits, `${net} has no logits`);
  const classes = await readNumbers(at("classes.npy"));
  const activation = await readFloats(at("act.npy"));
  const inputs = rows(await readFloats(at("inputs.npy")), 0, 2);
  const slots = 2;
  const report: string[] = [];
  const check = (what: string, difference: number) => {
    report.push(`${what} ${difference.toExponential(1)}`);
    assert.ok(difference <= TOLERANCE, `${variant.file} on ${backend}: ${report.join(", ")}`);
  };
  const { head } = cut(graph, variant.target);
  for (const [name, score] of [["logit", logits], ["prob", probabilities]] as const) {
    const found = await gradientsOf(head, backend, {
      score,
      target: variant.target,
      at: activation,
      classes,
      slots,
      scores,
    });
    check(name, relativeDifference(found, await readFloats(at(`grad_${name}.npy`))));
    const whole = await gradientsOf(graph, backend, {
      score,
      target: variant.input,
      at: inputs,
      classes: classes.slice(0, 4),
      slots,
      scores,
    });
    const expected = await readFloats(at(`captum/input_grad_${name}.npy`));
    check(`input ${name}`, relativeDifference(whole, expected));
  }
}

for (const net of ["alexish", "resish", "mobile"]) {
  goldenTest(`gradients of all exports of ${net} equal PyTorch's`, async (goldens) => {
    const list = await Deno.readTextFile(new URL(`cam/${net}/onnx.json`, goldens));
    for (const variant of JSON.parse(list) as Variant[]) {
      await compare(goldens, net, variant, "native");
    }
    await compare(goldens, net, JSON.parse(list)[0], "wasm");
  });
}
