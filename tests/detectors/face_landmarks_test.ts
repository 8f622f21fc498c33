import assert from "node:assert/strict";
import { landmarkCrop, placeLandmarks } from "../../src/detectors/face_landmarks.ts";
import { readReference } from "../nets_helpers.ts";
import { assertClose } from "../assert_close.ts";

const golden = new URL("../golden/nets/", import.meta.url);

Deno.test("landmarkCrop cuts face-api's box to the crop face-api used", async () => {
  const reference = JSON.parse(await Deno.readTextFile(new URL("reference.json", golden)));
  // The crop belongs to the box found at 608 px.
  const [x, y, width, height] = [
    811.195629565408,
    446.13956914756756,
    263.88393461287785,
    250.2649041828082,
  ];
  const box = { x0: x, y0: y, x1: x + width, y1: y + height };
  const crop = landmarkCrop(box, { width: 1920, height: 1280 });
  assert.deepEqual(crop, { x0: 811, y0: 446, x1: 811 + 263, y1: 446 + 250 });
  assert.deepEqual(reference.sample1_face0_crop, { width: 263, height: 250 });
});

Deno.test("landmarkCrop stays inside the image, and is undefined outside it", () => {
  const image = { width: 100, height: 80 };
  assert.deepEqual(landmarkCrop({ x0: -5.5, y0: 10.9, x1: 20.2, y1: 30.2 }, image), {
    x0: 0,
    y0: 10,
    x1: 20,
    y1: 29,
  });
  assert.deepEqual(landmarkCrop({ x0: 90.5, y0: 70.5, x1: 200, y1: 200 }, image), {
    x0: 90,
    y0: 70,
    x1: 99,
    y1: 79,
  });
  assert.equal(landmarkCrop({ x0: 100, y0: 0, x1: 120, y1: 20 }, image), undefined);
  assert.equal(landmarkCrop({ x0: 5, y0: 5, x1: 5.9, y1: 20 }, image), undefined);
  assert.equal(landmarkCrop({ x0: NaN, y0: 5, x1: 9, y1: 20 }, image), undefined);
});

Deno.test("placeLandmarks gives face-api's coordinates in the crop", async () => {
  const raw = await readReference(new URL("sample1_face0_lm68_raw.npy", golden));
  const post = await readReference(new URL("sample1_face0_lm68_post.npy", golden));
  const placed = placeLandmarks(raw.data, { x0: 100, y0: 50, x1: 100 + 263, y1: 50 + 250 });
  const relative = Array.from(
    placed,
    (value, i) => i % 2 === 0 ? (value - 100) / 263 : (value - 50) / 250,
  );
  // Coordinates of some hundred pixels in float32.
  assertClose(relative, post.data, 1e-6);
});

Deno.test("placeLandmarks undoes the padding of a tall crop", () => {
  const values = new Float32Array(136).fill(0.5);
  values.set([0.25, 0, 0.75, 1]);
  const placed = placeLandmarks(values, { x0: 10, y0: 20, x1: 30, y1: 60 });
  // A square of 40 px around x = 20: 0.25 and 0.75 of it are the crop's edges.
  assert.deepEqual([...placed.subarray(0, 6)], [10, 20, 30, 60, 20, 40]);
});
