import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeNpy } from "../../src/base/npy.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { netOn, noise, put } from "../onnx/native.ts";
import { emocam } from "./cli.ts";

const PHOTO = fileURLToPath(new URL("../../models/photos/hopper.jpg", import.meta.url));

/** A classifier whose scores are determinants, which have no gradient rule: there is one of each channel's square of cells. */
async function writeDeterminants(folder: string): Promise<string[]> {
  const b = netOn(["N", 1, 6, 6]);
  const channels = b.op("Conv", ["x", b.initializer(noise([3, 1, 3, 3]))]);
  const maps = put(b, "Relu", [channels], {}, "maps");
  const node = { name: "det", op: "Det", domain: "", inputs: [maps], outputs: ["logits"] };
  b.graph.nodes.push({ ...node, attributes: {} });
  b.graph.outputs.push({ name: "logits", type: "float32", shape: ["N", 3] });
  const model = join(folder, "det.onnx"), inputs = join(folder, "inputs.npy");
  await Deno.writeFile(model, writeModel(b.graph));
  await Deno.writeFile(inputs, writeNpy(noise([1, 1, 6, 6], 2)));
  return [inputs, "--classifier", model, "--layer", "maps", "--backend", "native"];
}

Deno.test("methods that are left out for one reason are one note, and a refusal advises once", async () => {
  await withFolder(async (folder) => {
    const args = ["explain", ...await writeDeterminants(folder)];
    const found = await emocam(...args, "--methods", "gradient");
    assert.equal(found.status, 0, found.err);
    const notes = found.err.split("\n").filter((line) => line.includes("gradient rule"));
    assert.equal(notes.length, 1, found.err);
    assert.match(
      notes[0],
      /^note: grad-cam, hires-cam, .*full-grad are left out: no gradient rule for Det \(node /,
    );
    const none = await emocam(...args, "--methods", "input");
    assert.equal(none.status, 2);
    assert.match(
      none.err,
      /^Cannot explain model det: saliency, [^;]* are left out: no gradient rule for Det [^;]*; integrated-gradients is left out: [^;]*; choose a target layer [^;]*\n$/,
    );
    const named = await emocam(...args, "--methods", "grad-cam");
    assert.match(named.err, /: no gradient rule for Det [^;]*; leave it out of --methods\n$/);
    // A modifier's reason names the method.
    const smooth = ["--methods", "perturbation,input", "--eigen-smooth", "--backend", "native"];
    const photo = await emocam("explain", PHOTO, ...smooth, "--out", folder);
    assert.equal(photo.status, 0, photo.err);
    assert.match(
      photo.err,
      /^note: rise, occlusion, saliency, .* are left out: no eigen-smooth: its maps [^\n]*\n$/,
    );
    const lrp = await emocam("explain", PHOTO, "--methods", "lrp-cam", "--target", "probability");
    assert.match(lrp.err, /softmax or sigmoid; take target logit or margin\n$/);
  });
});

Deno.test("all target layers are named where several are fused", async () => {
  await withFolder(async (folder) => {
    const layers = ["--layer", "maps,mini-xception/Add_20", "--backend", "native"];
    const run = await emocam("analyze", PHOTO, ...layers, "--out", folder);
    assert.equal(run.status, 0, run.err);
    assert.match(
      run.err,
      /^1 image; classifier mini-xception cut at maps \(7×8×8\) \+ mini-xception\/Add_20 \(256×8×8\) fused, /,
    );
    assert.match(run.out, /^1 image, 1 sample, \d+ boxes; 0 images were computed before/m);
    const page = await Deno.readTextFile(join(folder, "report.html"));
    assert.match(page, /maps \+ mini-xception\/Add_20 fused/);
    const check = await emocam("check", PHOTO, ...layers, "--methods", "eigen-cam");
    assert.match(check.out, /^mini-xception, layer maps \+ mini-xception\/Add_20 fused, /);
  });
});
