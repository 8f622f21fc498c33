import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { type DetectorCard, parseCard } from "../../src/runtime/card.ts";
import type { Box, Face } from "../../src/detectors/detector.ts";
import { FACE_PART_LABELS, facePartBoxes, openFaceParts } from "../../src/detectors/face_parts.ts";
import { openDetector } from "../../src/detectors/mod.ts";
import { assertEvery, assertLess } from "../assert_that.ts";
import { assertClose } from "../assert_close.ts";

const models = new URL("../../models/", import.meta.url);
const card = parseCard(
  await Deno.readTextFile(new URL("face-parts.json", models)),
  "face-parts",
) as DetectorCard;
const located = { card, folder: fileURLToPath(models) };

/** A face of round numbers: 100 px wide from x = 100, 100 px high from y = 50. */
function plainFace(): Face {
  const points: [number, number][] = Array.from({ length: 68 }, () => [150, 100]);
  const put = (first: number, ...values: [number, number][]) =>
    values.forEach((point, i) => points[first + i] = point);
  put(0, [100, 60], [100, 70], [102, 80], [105, 100]);
  put(8, [150, 150]);
  put(13, [195, 100], [198, 80], [200, 70], [200, 60]);
  put(17, [110, 55], [115, 50], [120, 50], [125, 52], [130, 55]);
  put(22, [170, 55], [175, 50], [180, 50], [185, 52], [190, 55]);
  put(27, [150, 60], [150, 70], [150, 80], [150, 90], [140, 95], [145, 97], [150, 98]);
  put(34, [155, 97], [160, 95]);
  put(36, [112, 65], [116, 62], [122, 62], [128, 65], [122, 68], [116, 69]);
  put(42, [172, 65], [178, 62], [184, 62], [188, 65], [184, 67], [178, 68]);
  put(48, [130, 120]);
  put(54, [170, 122]);
  for (let i = 49; i < 68; i++) if (i !== 54) put(i, [150, i < 55 ? 112 : 130]);
  return {
    confidence: 0.75,
    box: { x0: 95, y0: 45, x1: 205, y1: 155 },
    landmarks: Float32Array.from(points.flat()),
  };
}

const OPTIONS = { index: 3, image: { width: 640, height: 480 }, padding: 0.035, cropScale: 1.2 };
const rounded = ({ label, x0, y0, x1, y1 }: Box) => [
  label,
  ...[x0, y0, x1, y1].map((value) => Math.round(value * 1000) / 1000),
];

Deno.test("parts are the boxes of their landmarks, padded by 3.5 % of the face crop", () => {
  const boxes = facePartBoxes(plainFace(), OPTIONS);
  // The crop's side is 120 px, so the padding is 4.2 px.
  assert.deepEqual(boxes.map(rounded), [
    ["Human face", 100, 50, 200, 150],
    ["Human eye", 107.8, 57.8, 132.2, 73.2],
    ["Human eye", 167.8, 57.8, 192.2, 72.2],
    ["Human nose", 135.8, 55.8, 164.2, 102.2],
    ["Human mouth", 125.8, 107.8, 174.2, 134.2],
    ["Brow", 105.8, 45.8, 134.2, 59.2],
    ["Brow", 165.8, 45.8, 194.2, 59.2],
    ["Cheek", 105, 69, 140, 120],
    ["Cheek", 160, 68, 195, 122],
  ]);
  assertEvery(boxes, ({ face, confidence }) => face === 3 && confidence === 0.75);
  assert.deepEqual(new Set(boxes.map(({ label }) => label)), new Set(FACE_PART_LABELS));
});

Deno.test("a mirrored face has the mirrored boxes", () => {
  const face = plainFace();
  const width = 640;
  // Which landmark becomes which when left and right change places.
  const pairs = [...Array(17).keys()].map((i) => 16 - i);
  pairs.push(26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31);
  pairs.push(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40);
  pairs.push(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65);
  assert.deepEqual([...pairs].sort((a, b) => a - b), [...Array(68).keys()]);
  const landmarks = new Float32Array(136);
  pairs.forEach((from, to) => {
    landmarks[2 * to] = width - face.landmarks[2 * from];
    landmarks[2 * to + 1] = face.landmarks[2 * from + 1];
  });
  const key = (box: unknown[]) => JSON.stringify(box);
  const mirrored = facePartBoxes(face, OPTIONS)
    .map((box) => key(rounded({ ...box, x0: width - box.x1, x1: width - box.x0 })));
  const found = facePartBoxes({ ...face, landmarks }, OPTIONS).map((box) => key(rounded(box)));
  assert.deepEqual(found.sort(), mirrored.sort());
});

Deno.test("boxes end at the image's edge, and what lies outside or has no extent is left out", () => {
  const face = plainFace();
  const small = facePartBoxes(face, { ...OPTIONS, image: { width: 150, height: 100 } });
  assert.deepEqual(small.map(({ label }) => label), [
    "Human face",
    "Human eye",
    "Human nose",
    "Brow",
    "Cheek",
  ]);
  assertEvery(small, ({ x1, y1 }) => x1 <= 150 && y1 <= 100);
  // A head turned far: the wing of the nose lies over the jaw line.
  face.landmarks[2 * 31] = 104;
  const turned = facePartBoxes(face, OPTIONS);
  assert.equal(turned.filter(({ label }) => label === "Cheek").length, 1);
  const nothing = { ...face, landmarks: new Float32Array(136).fill(NaN) };
  assert.deepEqual(facePartBoxes(nothing, OPTIONS), []);
});

Deno.test("the portrait has one face with nine parts where they belong", async () => {
  const image = await decodeImage(await Deno.readFile(new URL("photos/astronaut.jpg", models)));
  const detector = await openDetector(located, "native");
  try {
    assert.deepEqual(detector.labels, FACE_PART_LABELS);
    const { boxes, faces } = await detector.detect(image, "astronaut.jpg");
    assert.equal(faces.length, 1);
    assert.equal(faces[0].landmarks.length, 136);
    assert.equal(boxes.length, 9);
    const centre = ({ x0, y0, x1, y1 }: Box) => [(x0 + x1) / 2, (y0 + y1) / 2] as const;
    const [face, left, right, nose, mouth] = boxes.map(centre) as (readonly [number, number])[];
    assertLess(left![0], nose![0], "eyes beside the nose");
    assertLess(nose![0], right![0], "eyes beside the nose");
    assertLess(left![1], nose![1], "eyes over nose over mouth");
    assertLess(nose![1], mouth![1], "eyes over nose over mouth");
    assertClose(mouth![0], face![0], 15);
    // The same photo gives the same numbers again, and another run of the detector has the same key.
    const again = await detector.detect(image, "elsewhere/astronaut.jpg");
    assert.deepEqual(again, { boxes, faces });
    const second = await openFaceParts(located, "native");
    assert.deepEqual(second.key, detector.key);
    await second.dispose();
  } finally {
    await detector.dispose();
  }
});

Deno.test("a decoder of unknown kind and one without its settings are refused", async () => {
  const open = (other: typeof card) => openDetector({ ...located, card: other }, "native");
  await assert.rejects(
    open({ ...card, decoder: { kind: "nope" } }),
    (error) =>
      error instanceof ModelError &&
      /decoder kind "nope"; known are face-parts, yolo/.test(error.message),
  );
  await assert.rejects(
    open({ ...card, decoder: { kind: "face-parts", padding: 1 } }),
    (error) => error instanceof ModelError && /decoder\.faces/.test(error.message),
  );
  const swapped = { ...card, decoder: { ...card.decoder, faces: "mini-xception" } };
  await assert.rejects(
    open(swapped),
    (error) =>
      error instanceof ModelError &&
      /Cannot use model mini-xception for faces: its task is classifier/.test(error.message),
  );
});

Deno.test("settings that only YOLO detectors have are refused", async () => {
  for (const options of [{ profile: "lightnet" as const }, { confidence: .5 }, { nms: .5 }]) {
    const [name] = Object.keys(options);
    await assert.rejects(
      openDetector(located, "native", options),
      (error) =>
        error instanceof UsageError &&
        error.message.startsWith(`Cannot use --${name} ${Object.values(options)[0]} with detector`),
    );
  }
});
