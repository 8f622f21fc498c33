import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeNpy } from "../../src/base/npy.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { netOn, noise, put } from "../onnx/native.ts";
import { once } from "../once.ts";
import { emocam, type Outcome } from "./cli.ts";

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

/** Explains an input of that classifier by the methods of a name. */
async function explainDeterminants(methods: string) {
  let outcome!: Outcome;
  await withFolder(async (folder) => {
    outcome = await emocam("explain", ...await writeDeterminants(folder), "--methods", methods);
  });
  return outcome;
}

Deno.test("methods that are left out for one reason are one note", async () => {
  const { status, err } = await explainDeterminants("gradient");
  assert.equal(status, 0, err);
  const notes = err.split("\n").filter((line) => line.includes("gradient rule"));
  assert.equal(notes.length, 1, err);
  assert.match(
    notes[0],
    /^note: grad-cam, hires-cam, .*full-grad are left out: no gradient rule for Det \(node /,
  );
});

Deno.test("where no method is left, the refusal has each reason once and advises once", async () => {
  const { status, err } = await explainDeterminants("input");
  assert.equal(status, 2);
  assert.match(
    err,
    /^Cannot explain model det: saliency, [^;]* are left out: no gradient rule for Det [^;]*; integrated-gradients is left out: [^;]*; choose a target layer [^;]*\n$/,
  );
});

Deno.test("a method that was named and cannot run is refused, with what to do", async () => {
  const { err } = await explainDeterminants("grad-cam");
  assert.match(err, /: no gradient rule for Det [^;]*; leave it out of --methods\n$/);
});

Deno.test("methods that a modifier leaves out are one note too: the reason names none of them", async () => {
  await withFolder(async (folder) => {
    const smooth = ["--methods", "perturbation,input", "--eigen-smooth", "--backend", "native"];
    const photo = await emocam("explain", PHOTO, ...smooth, "--out", folder);
    assert.equal(photo.status, 0, photo.err);
    assert.match(
      photo.err,
      /^note: rise, occlusion, saliency, .* are left out: no eigen-smooth: its maps [^\n]*\n$/,
    );
  });
});

Deno.test("a method that explains no probability says which targets it explains", async () => {
  const lrp = await emocam("explain", PHOTO, "--methods", "lrp-cam", "--target", "probability");
  assert.match(lrp.err, /softmax or sigmoid; take target logit or margin\n$/);
});

/** A run and a check with two target layers. */
const fused = once(async () => {
  const layers = ["--layer", "maps,mini-xception/Add_20", "--backend", "native"];
  let found!: { run: Outcome; page: string; check: Outcome };
  await withFolder(async (folder) => {
    const run = await emocam("analyze", PHOTO, ...layers, "--out", folder);
    const page = await Deno.readTextFile(join(folder, "report.html"));
    const check = await emocam("check", PHOTO, ...layers, "--methods", "eigen-cam");
    found = { run, page, check };
  });
  return found;
});

Deno.test("analyze names all target layers where several are fused, with their shapes", async () => {
  const { run } = await fused();
  assert.equal(run.status, 0, run.err);
  assert.match(
    run.err,
    /^1 image; classifier mini-xception cut at maps \(7×8×8\) \+ mini-xception\/Add_20 \(256×8×8\) fused, /,
  );
  assert.match(run.out, /^1 image, 1 sample, \d+ boxes; 0 images were computed before/m);
});

Deno.test("the report and check name all target layers too", async () => {
  const { page, check } = await fused();
  assert.match(page, /maps \+ mini-xception\/Add_20 fused/);
  assert.match(check.out, /^mini-xception, layer maps \+ mini-xception\/Add_20 fused, /);
});
