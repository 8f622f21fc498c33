import assert from "node:assert/strict";
import { join } from "node:path";
import { refuseConflictingBoxes } from "../../src/corpus/conflicting_boxes.ts";
import type { Box, Detector } from "../../src/detectors/detector.ts";
import { imagesOf } from "./counted_analysis.ts";
import { withFolder } from "./face_corpus.ts";

const box = (label: string): Box => ({ label, confidence: 1, x0: 0, y0: 0, x1: 1, y1: 1 });

/** A detector that knows boxes by path. */
function byPath(boxes: Record<string, Box[]>): Detector {
  const lookUp = (path: string) => ({ boxes: boxes[path] ?? [], faces: [] });
  return {
    name: "boxes.csv",
    key: {},
    lookUp,
    detect: (_image, path) => Promise.resolve(lookUp(path)),
    dispose: () => Promise.resolve(),
  };
}

Deno.test("of equal files with other boxes the first by path is used, whatever the order of the images", async () => {
  await withFolder(async (folder) => {
    const contents = {
      "a.png": "same",
      "b.png": "same",
      "c.png": "Same",
      "d.png": "same",
      "e.png": "longer",
    };
    for (const [name, text] of Object.entries(contents)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const images = imagesOf(folder, ["e.png", "d.png", "missing.png", "c.png", "b.png", "a.png"]);
    const detector = byPath({
      "a.png": [box("dog")],
      "b.png": [box("cat")],
      "c.png": [box("cow")],
      "d.png": [box("dog")],
    });
    const refused = (list: Awaited<ReturnType<typeof refuseConflictingBoxes>>) =>
      list.filter((image) => image.refused !== undefined);
    const found = await refuseConflictingBoxes(images, detector);
    assert.deepEqual(found.map(({ path }) => path), images.map(({ path }) => path));
    assert.deepEqual(refused(found).map(({ path, refused }) => [path, refused]), [
      [
        "b.png",
        "Cannot use its boxes: the file is identical to a.png, for which boxes.csv has other boxes",
      ],
    ]);
    assert.deepEqual(
      refused(await refuseConflictingBoxes(images.toReversed(), detector)).map(({ path }) => path),
      ["b.png"],
    );
    const { lookUp: _, ...looking } = detector;
    assert.deepEqual(await refuseConflictingBoxes(images, looking), images);
  });
});
