import assert from "node:assert/strict";
import { runSamples } from "../../src/attribution/batch.ts";
import { samplesOfImage } from "../../src/attribution/samples_of_image.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { findClassifier } from "../../src/classifier/source.ts";
import type { Detector } from "../../src/detectors/detector.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import { METHODS } from "../../src/methods/mod.ts";
import { createRng } from "../../src/base/rng.ts";

const WIDTH = 120, HEIGHT = 90;

/** Boxes that are the same in every picture. */
function fixedBoxes(asked: string[]): Detector {
  const box = { confidence: 1, x0: 10, y0: 10, x1: 60, y1: 50 };
  return {
    name: "fixed",
    key: {},
    detect(_image, path) {
      asked.push(path);
      const boxes = [{ label: "cup", ...box }, { label: "dog", ...box, x1: 100, y1: 80 }];
      return Promise.resolve({ boxes, faces: [] });
    },
    dispose: () => Promise.resolve(),
  };
}

function noise(): RgbImage {
  const rng = createRng(7);
  return rgbImage(
    WIDTH,
    HEIGHT,
    Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, () => rng.below(256)),
  );
}

/** A picture with its left half grey. */
function occluded({ width, height, data }: RgbImage): RgbImage {
  return rgbImage(width, height, data.map((value, i) => i / 3 % width < width / 2 ? 128 : value));
}

Deno.test("a picture that is not a file, original or edited, gets maps and box scores", async () => {
  const classifier = await openClassifier(await findClassifier("mini-xception"), {
    backend: "native",
    batch: 2,
  });
  try {
    const asked: string[] = [];
    const request = {
      classifier,
      detector: fixedBoxes(asked),
      methods: METHODS.filter(({ name }) => ["grad-cam", "random-map"].includes(name)),
      target: "logit" as const,
      seed: 1,
      classes: 3,
      boxMean: "exact" as const,
      compute: await createCompute("cpu"),
    };
    const image = noise();
    const original = await samplesOfImage(request, { image, key: "noise" });
    const edited = await samplesOfImage(
      request,
      { image: occluded(image), key: "noise, left half grey" },
      { detection: original.detection },
    );
    assert.deepEqual(asked, [""], "known boxes are not detected again");
    assert.deepEqual(edited.samples.map(({ key }) => key), ["noise, left half grey#0"]);
    assert.deepEqual(edited.samples[0].boxes, original.samples[0].boxes);

    const [before, after] = await runSamples(request, [...original.samples, ...edited.samples]);
    for (const { maps } of [before, after]) {
      assert.deepEqual(
        maps.map(({ method }) => method),
        request.methods,
        "by the entries asked for",
      );
      for (const { target, map, scores } of maps) {
        assert.equal(target, 3);
        assert.equal(map!.raw.length, map!.width * map!.height);
        assert.deepEqual(scores.map(({ box, share }) => ({ box, share })), [
          { box: 0, share: 1 },
          { box: 1, share: 1 },
        ]);
        for (const { importance } of scores) {
          assert.ok(importance >= 0, `importance ${importance}`);
          assert.ok(importance <= 1, `importance ${importance}`);
        }
      }
    }
    assert.notDeepEqual(after.prediction.probabilities, before.prediction.probabilities);
    for (const [m, { name }] of request.methods.entries()) {
      assert.notDeepEqual(after.maps[m].map, before.maps[m].map, `${name} knows the edit`);
    }
    const [alone] = await runSamples(request, edited.samples);
    assert.deepEqual(alone, after, "the same beside another picture and alone");
  } finally {
    await classifier.dispose();
  }
});
