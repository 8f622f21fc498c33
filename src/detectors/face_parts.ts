/**
 * Parts of faces as objects: eyes, nose, mouth, brows and cheeks from a face detector and 68 landmarks.
 *
 * Names are those of Open Images where it has the part ("Human eye", "Human nose", "Human mouth", "Human face"); "Brow" and
 * "Cheek" are our own.
 *
 * @module
 */

import { z } from "zod";
import { ModelError } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { frameOf, intersect, isEmpty, type Rect } from "../image/geometry.ts";
import { type DetectorCard, findCard, type Located, type NetworkCard } from "../runtime/card.ts";
import { type Network, readNetwork } from "../runtime/network.ts";
import type { Backend } from "../runtime/session.ts";
import type { Box, DecoderKind, Detector, Face } from "./detector.ts";
import { openFaceLandmarks } from "./face_landmarks.ts";
import { decoderSettings } from "./network.ts";
import { openTinyFace } from "./tiny_face.ts";
import type { Size } from "../image/image.ts";

/** The labels, in the order in which a face's boxes come. */
export const FACE_PART_LABELS = [
  "Human face",
  "Human eye",
  "Human nose",
  "Human mouth",
  "Brow",
  "Cheek",
] as const;

const settingsSchema = z.strictObject({
  kind: z.literal("face-parts"),
  /** Names of the cards of the two nets. */
  faces: z.string(),
  landmarks: z.string(),
  /** Part of the face crop's side by which a part's box is larger than its landmarks, on each side. */
  padding: z.number().min(0),
  /** Side of the face crop as a multiple of the larger side of the landmarks' box, as in the classifiers' cards. */
  cropScale: z.number().positive(),
});

/** Parts of faces. */
export const faceParts: DecoderKind = {
  kind: "face-parts",
  title: "face-parts",
  options: [],
  open: (located, backend) => openFaceParts(located, backend),
};

/** Landmarks of each part: first and last. */
const GROUPS: readonly { label: string; first: number; last: number }[] = [
  { label: "Human eye", first: 36, last: 41 },
  { label: "Human eye", first: 42, last: 47 },
  { label: "Human nose", first: 27, last: 35 },
  { label: "Human mouth", first: 48, last: 67 },
  { label: "Brow", first: 17, last: 21 },
  { label: "Brow", first: 22, last: 26 },
];

function bounds(landmarks: Float32Array, first: number, last: number): Rect {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let point = first; point <= last; point++) {
    const x = landmarks[2 * point], y = landmarks[2 * point + 1];
    [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
  }
  return { x0, y0, x1, y1 };
}

/**
 * The two cheeks: from the lower lid (the lower of its two points) down to the corner of the mouth, and from the jaw line at
 * point 3 (13 on the right) to the wing of the nose. They are not padded, as their sides are the borders of other parts. A
 * cheek turned away has no extent and is left out.
 */
function cheeks(landmarks: Float32Array): Rect[] {
  const x = (point: number) => landmarks[2 * point];
  const y = (point: number) => landmarks[2 * point + 1];
  return [
    { x0: x(3), y0: Math.max(y(40), y(41)), x1: x(31), y1: y(48) },
    { x0: x(35), y0: Math.max(y(46), y(47)), x1: x(13), y1: y(54) },
  ];
}

/**
 * The boxes of one face's parts, clipped to the image. What lies outside it or has no extent is left out.
 *
 * "Human face" is the box of all 68 landmarks; eyes, nose, mouth and brows are the boxes of their landmarks, padded; see
 * `cheeks` for those. Confidence is that of the face.
 *
 * @param index of the face, kept in each box
 */
export function facePartBoxes(
  face: Face,
  { index, image, padding, cropScale }: {
    index: number;
    image: Size;
    padding: number;
    cropScale: number;
  },
): Box[] {
  const { landmarks, confidence } = face;
  const whole = bounds(landmarks, 0, 67);
  const pad = padding * cropScale * Math.max(whole.x1 - whole.x0, whole.y1 - whole.y0);
  const parts: [string, Rect][] = [["Human face", whole]];
  for (const { label, first, last } of GROUPS) {
    const { x0, y0, x1, y1 } = bounds(landmarks, first, last);
    parts.push([label, { x0: x0 - pad, y0: y0 - pad, x1: x1 + pad, y1: y1 + pad }]);
  }
  for (const cheek of cheeks(landmarks)) parts.push(["Cheek", cheek]);
  return parts.map(([label, rect]) => ({
    label,
    confidence,
    face: index,
    ...intersect(rect, frameOf(image)),
  })).filter((box) => !isEmpty(box));
}

/**
 * Opens the detector of face parts with the two nets its card names.
 *
 * @throws {ModelError} when a card is malformed or is not of such a net, or the backend refuses a model
 * @throws {UsageError} when there is no card of that name
 */
export async function openFaceParts(
  { card }: Located<DetectorCard>,
  backend: Backend,
): Promise<Detector> {
  const settings = decoderSettings(card, settingsSchema);
  const faceNet = await network(settings.faces, "faces");
  const landmarkNet = await network(settings.landmarks, "landmarks");
  const finder = await openTinyFace(faceNet, backend);
  const locator = await openFaceLandmarks(landmarkNet, backend);
  return {
    name: card.name,
    key: {
      detector: "face-parts",
      version: 1,
      padding: settings.padding,
      cropScale: settings.cropScale,
      faces: finder.key as Json,
      landmarks: locator.key as Json,
    },
    cards: [faceNet.card, landmarkNet.card],
    notices: [...finder.notices, ...locator.notices],
    labels: FACE_PART_LABELS,
    async detect(image) {
      const faces: Face[] = [];
      for (const { confidence, ...box } of await finder.find(image)) {
        const landmarks = await locator.locate(image, box);
        if (landmarks) faces.push({ confidence, box, landmarks });
      }
      const boxes = faces.flatMap((face, index) =>
        facePartBoxes(face, { index, image, ...settings })
      );
      return { boxes, faces };
    },
    async dispose() {
      await finder.dispose();
      await locator.dispose();
    },
  };
}

async function network(name: string, task: NetworkCard["task"]): Promise<Network<NetworkCard>> {
  const { card, folder } = await findCard(name);
  if (card.task !== task) {
    throw new ModelError(`Cannot use model ${name} for ${task}: its task is ${card.task}`);
  }
  return await readNetwork({ card: card as NetworkCard, folder });
}
