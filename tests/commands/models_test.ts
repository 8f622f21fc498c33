import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { emocam } from "./cli.ts";

Deno.test("models list names what ships, its licence and whether its file is here", async () => {
  const { status, out } = await emocam("models", "list");
  assert.equal(status, 0);
  const lines = out.trimEnd().split("\n");
  assert.match(lines[0], /^name +task +classes +where +file +licence$/);
  assert.match(out, /^mini-xception +classifier +7 +shipped +present +MIT$/m);
  assert.match(out, /^face-parts +detector +6 +shipped +combines other cards/m);
  const json = JSON.parse((await emocam("models", "list", "--json")).out);
  assert.deepEqual(json.map(({ name }: { name: string }) => name).length, lines.length - 1);
});

Deno.test("models inspect says what is in a file: layers, default layer, receptive fields, missing rules", async () => {
  const golden = fileURLToPath(new URL("../golden/onnx/mobile.onnx", import.meta.url));
  const { out } = await emocam("models", "inspect", golden, "--json");
  const facts = JSON.parse(out);
  assert.deepEqual(
    [facts.classes, facts.logits, facts.opset, facts.inputs.length],
    [20, "logits", 17, 1],
  );
  assert.match(facts.inputs[0], /^input float32 \[N, 3, 56, 72\]$/);
  const last = facts.layers.at(-1);
  assert.deepEqual([last.name, last.shape], ["last_act", ["N", 48, 7, 9]]);
  assert.deepEqual(last.withoutRule, []);
  assert.equal(facts.defaultLayer, "last_act");
  const text = await emocam("models", "inspect", "mini-xception");
  assert.equal(text.status, 0);
  assert.match(text.out, /^\* +maps /m);
  const detector = await emocam("models", "inspect", "tiny-face");
  assert.equal(detector.status, 0);
});
