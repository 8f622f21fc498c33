import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "../../src/base/errors.ts";
import {
  DECODERS,
  DETECTOR_OPTIONS,
  detectorOptions,
  findDetector,
} from "../../src/detectors/mod.ts";
import { floats } from "../../src/base/tensor.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { constantGraph, writeSmallYolo } from "./small_yolo.ts";

Deno.test("kinds and settings have their own names; a command's options give those of detectors", () => {
  for (
    const names of [
      DECODERS.map(({ kind }) => kind),
      DETECTOR_OPTIONS.map(({ name }) => name),
    ]
  ) {
    assert.deepEqual(names, [...new Set(names)]);
  }
  assert.deepEqual(
    detectorOptions({
      detector: "x",
      nms: .3,
      profile: "lightnet",
      confidence: undefined,
      batch: 8,
    }),
    { profile: "lightnet", nms: .3 },
  );
});

/** Opens a detector, and gives what its key says. */
async function keyOf(name: string, settings: Partial<Parameters<typeof findDetector>[2]>) {
  const { detector, notices } = await findDetector(name, [], { backend: "native", ...settings });
  await detector.dispose();
  assert.deepEqual(notices, []);
  return detector.key;
}

Deno.test("a preset's values are taken by detectors that have the setting, where it is not given", () =>
  withFolder(async (folder) => {
    const head = { output: "yolo0", anchors: [[8, 8]] as [number, number][] };
    const graph = constantGraph(64, 48, [floats([6, 1, 1], new Float32Array(6))]);
    await writeSmallYolo(folder, graph, { width: 64, height: 48, classes: ["cat"], heads: [head] });
    const card = join(folder, "small-yolo.json");
    assert.equal((await keyOf(card, {})).profile, "darknet");
    assert.equal((await keyOf(card, { preset: "paper" })).profile, "lightnet");
    const options = { profile: "darknet" };
    assert.equal((await keyOf(card, { preset: "paper", options })).profile, "darknet");
    assert.equal((await keyOf("face-parts", { preset: "paper" })).detector, "face-parts");
  }));

Deno.test("a setting that a detector does not have, and a value that it does not take, are refused", () =>
  withFolder(async (folder) => {
    const refused = async (name: string, options: Record<string, string | number>, text: string) =>
      await assert.rejects(
        keyOf(name, { options }),
        (error) => error instanceof UsageError && error.message === text,
        text,
      );
    await refused(
      "face-parts",
      { profile: "lightnet" },
      "Cannot use --profile lightnet with detector face-parts: only YOLO detectors have it; leave it out",
    );
    const boxes = join(folder, "boxes.csv");
    await Deno.writeTextFile(boxes, "image,label,confidence,x0,y0,x1,y1\na.jpg,cat,1,0,0,1,1\n");
    await refused(
      boxes,
      { nms: .5 },
      `Cannot use --nms 0.5 with detector ${boxes}: only YOLO detectors have it; leave it out`,
    );
    const head = { output: "yolo0", anchors: [[8, 8]] as [number, number][] };
    const graph = constantGraph(64, 48, [floats([6, 1, 1], new Float32Array(6))]);
    await writeSmallYolo(folder, graph, { width: 64, height: 48, classes: ["cat"], heads: [head] });
    const card = join(folder, "small-yolo.json");
    await refused(card, { nms: 2 }, "Cannot use nms 2: give a number from 0 to 1");
    await refused(card, { profile: "torch" }, "Cannot use profile torch: give darknet, lightnet");
  }));
