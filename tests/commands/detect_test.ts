import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { floats } from "../../src/base/tensor.ts";
import { readBoxes } from "../../src/detectors/mod.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { constantGraph, type SmallCard, writeSmallYolo } from "../detectors/small_yolo.ts";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { emocam } from "./cli.ts";
import { assertClose } from "../assert_close.ts";

const PHOTO = fileURLToPath(new URL("../../models/photos/astronaut.jpg", import.meta.url));

const CARD: SmallCard = {
  width: 32,
  height: 32,
  classes: ["cat, big", "\u001b[31mdog"],
  heads: [{ output: "yolo0", anchors: [[16, 8]] }],
};

/** Logits of one box in the middle of the frame, half as wide and a quarter as high: σ(2) cat, σ(1) dog, objectness σ(3). */
const LOGITS = [0, 0, 0, 0, 3, 2, 1];
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A card in a folder whose network always finds those. */
async function smallYolo(folder: string): Promise<string> {
  await writeSmallYolo(folder, constantGraph(32, 32, [floats([7, 1, 1], LOGITS)]), CARD);
  return join(folder, "small-yolo.json");
}

Deno.test("detect finds a YOLO's boxes in image pixels by either profile", () =>
  withFolder(async (folder) => {
    const card = await smallYolo(folder);
    const json = async (...args: string[]) => {
      const { status, out, err } = await emocam(
        ...["detect", PHOTO, "--detector", card, "--backend", "native", "--json", ...args],
      );
      assert.deepEqual([status, err], [0, ""]);
      return JSON.parse(out);
    };
    const objectness = Math.fround(sigmoid(3));
    // A square photo of 512 pixels fills the frame.
    const corners = { x0: 128, y0: 192, x1: 384, y1: 320 };
    const dog = Math.fround(objectness * Math.fround(sigmoid(1)));
    assert.deepEqual(await json(), [{
      image: PHOTO,
      width: 512,
      height: 512,
      boxes: [
        {
          label: CARD.classes[0],
          confidence: Math.fround(objectness * Math.fround(sigmoid(2))),
          ...corners,
        },
        { label: CARD.classes[1], confidence: dog, ...corners },
      ],
    }]);
    const [{ boxes: [best, ...others] }] = await json("--profile", "lightnet");
    assert.deepEqual(others, []);
    const { confidence, label, ...rest } = best;
    assert.deepEqual([label, rest], [CARD.classes[0], corners]);
    assertClose(confidence, sigmoid(3) * sigmoid(1), 1e-7);
    const [{ boxes: over }] = await json("--confidence", "0.75");
    assert.equal(over.length, 1);
    const [{ boxes: none }] = await json("--confidence", "1");
    assert.deepEqual(none, []);
  }));

Deno.test("detect prints a table that no label can disturb", () =>
  withFolder(async (folder) => {
    const { status, out } = await emocam("detect", PHOTO, "--detector", await smallYolo(folder));
    assert.equal(status, 0);
    assert.equal(
      out,
      `${PHOTO}  512 × 512 pixels, 2 boxes
label            confidence     x0     y0     x1     y1
cat, big              0.839  128.0  192.0  384.0  320.0
⟨U+001B⟩[31mdog       0.696  128.0  192.0  384.0  320.0
`,
    );
  }));

Deno.test("a CSV that detect wrote is a detector that finds the same boxes", () =>
  withFolder(async (folder) => {
    const file = join(folder, "boxes.csv"), json = join(folder, "boxes.json");
    const first = await emocam("detect", PHOTO, "--backend", "native", "--out", file);
    assert.deepEqual([first.status, first.out], [0, ""]);
    assert.match(first.err, /^1 image, 9 boxes: .*boxes\.csv\n$/);
    const table = readBoxes(await Deno.readFile(file), file);
    assert.deepEqual([...table.images.keys()], [PHOTO]);
    const own = await emocam("detect", PHOTO, "--backend", "native", "--json");
    const again = await emocam("detect", PHOTO, "--detector", file, "--json");
    assert.deepEqual([again.status, again.out], [0, own.out]);
    await emocam("detect", PHOTO, "--backend", "native", "--out", json);
    assert.equal(await Deno.readTextFile(json), own.out);
    assert.equal(JSON.parse(own.out)[0].boxes.length, 9);
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(left, [RECORD_FILE, "boxes.csv", "boxes.json"], "no temporary file stays");
  }));

Deno.test("a bad image is a line on standard error and the others continue; all bad is exit status 1", () =>
  withFolder(async (folder) => {
    const card = await smallYolo(folder);
    await Deno.writeTextFile(join(folder, "bad\n.jpg"), "no picture");
    await Deno.copyFile(PHOTO, join(folder, "good.jpg"));
    const run = (...paths: string[]) =>
      emocam("detect", ...paths, "--detector", card, "--backend", "native", "--json");
    const some = await run(folder);
    assert.equal(some.status, 0);
    assert.match(some.err, /^failed: bad⟨U\+000A⟩\.jpg: .*unknown format.*\n$/);
    assert.deepEqual(JSON.parse(some.out).map(({ image }: { image: string }) => image), [
      "good.jpg",
    ]);
    const all = await run(join(folder, "bad\n.jpg"));
    assert.equal(all.status, 1);
    assert.deepEqual(JSON.parse(all.out), []);
  }));

Deno.test("what detect cannot use stops it before any work, with one line", () =>
  withFolder(async (folder) => {
    const card = await smallYolo(folder);
    const photo = join(folder, "photo.json");
    await Deno.copyFile(PHOTO, photo);
    const cases: [string[], RegExp][] = [
      [["--profile", "lightnet"], /--profile lightnet with detector face-parts: only YOLO/],
      [["--nms", ".5"], /--nms 0\.5 with detector face-parts/],
      [["--profile", "other"], /--profile "other": give darknet, lightnet/],
      [
        ["--detector", card, "--confidence", "1.5"],
        /--confidence "1\.5": give a number from 0 to 1/,
      ],
      [["--detector", card, "--nms", "-1"], /--nms "-1"/],
      [["--detector", "mini-xception"], /Cannot use model mini-xception as detector/],
      [["--detector", "nothing"], /Cannot find model "nothing"/],
      [["--out", folder], /--out .*: it is a folder/],
      [["--out", join(folder, "none", "boxes.csv")], /--out .*give the path of a file/],
      [["--out", ""], /--out "": it is empty/],
      [["--out", PHOTO], /it is one of the images/],
    ];
    for (const [args, reason] of cases) {
      const { status, out, err } = await emocam("detect", PHOTO, "--backend", "native", ...args);
      assert.deepEqual([status, out], [2, ""], args.join(" "));
      assert.match(err, reason);
      assert.equal(err.trimEnd().split("\n").length, 1, err);
    }
    assert.deepEqual(await Deno.readFile(PHOTO), await Deno.readFile(photo));
  }));
