/**
 * EmoNet's card.
 *
 * @module
 */

import { INPUT_SIDE } from "./geometry.ts";

/** The 20 emotion categories in the order of the network's outputs. */
export const EMONET_CLASSES: readonly string[] = [
  "Adoration",
  "Aesthetic Appreciation",
  "Amusement",
  "Anxiety",
  "Awe",
  "Boredom",
  "Confusion",
  "Craving",
  "Disgust",
  "Empathetic Pain",
  "Entrancement",
  "Excitement",
  "Fear",
  "Horror",
  "Interest",
  "Joy",
  "Romance",
  "Sadness",
  "Sexual Desire",
  "Surprise",
];

/**
 * Linear heads on the probabilities, on the scale 1 … 9 of their norms.
 *
 * Source: package emonet-py 1.0.8 (L. Mertens, KU Leuven; MIT licence); EmoCAM holds the same numbers.
 */
const HEADS = {
  valence: {
    bias: 3.2963,
    // deno-fmt-ignore
    weights: [
      0.599, 0.4576, 0.3248, -0.0634, 0.0035, 0.056, 0.1163, -0.137, -0.7719, -0.121,
      -0.1862, 0.0214, -0.3015, -0.368, 0.2467, -0.2335, 0.1096, -0.3858, 0.1538, 0.5741,
    ],
  },
  arousal: {
    bias: 6.5139,
    // deno-fmt-ignore
    weights: [
      -0.091, -0.0121, -0.3154, 0.0152, 0.3949, -0.2019, -0.1216, -0.1029, 0.0637, 0.0037,
      -0.17, 0.0736, 0.2145, 0.167, -0.2425, -0.0555, 0.148, 0.139, 0.1877, -0.0824,
    ],
  },
};

/**
 * The card without what `writeImported` adds.
 *
 * @param meanImage name of the mean image's file
 * @param source where the weights came from, in words
 */
export function emonetCard(meanImage: string, source: string): Record<string, unknown> {
  return {
    task: "classifier",
    title: "EmoNet: 20 emotion categories of whole scenes",
    input: {
      name: "input",
      width: INPUT_SIDE,
      height: INPUT_SIDE,
      channels: "rgb",
      fit: "stretch",
      resize: "pillow-bicubic",
      scale: 1,
      meanImage,
    },
    output: { name: "probabilities", kind: "probabilities", logits: "logits" },
    classes: EMONET_CLASSES,
    targetLayer: "conv5",
    placement: "half-pixel",
    heads: HEADS,
    source,
    licence: LICENCE,
    citation: CITATION,
    note:
      "The target layer is conv5 before its ReLU, as in EmoCAM. Valence and arousal are linear in the probabilities.",
  };
}

const LICENCE =
  "code of the port emonet-py: MIT; the weights are given out by its authors with the permission of EmoNet's first author";

const CITATION =
  "Kragel, P. A., Reddan, M. C., LaBar, K. S., & Wager, T. D. (2019). Emotion schemas are embedded in the human visual system. " +
  "Science Advances, 5(7), eaaw4358. https://doi.org/10.1126/sciadv.aaw4358";
