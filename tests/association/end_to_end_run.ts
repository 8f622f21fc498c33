/** Synthetic corpora with a known truth as finished runs. */

import { type Corpus, EMOTIONS, OBJECTS } from "../statistics/end_to_end.ts";
import { type SyntheticImage, writeSyntheticRun } from "./synthetic_run.ts";

const two = (number: number) => String(number).padStart(2, "0");
/** Names of the objects; their order by code point is that of their numbers. */
export const OBJECT_NAMES: readonly string[] = Array.from(
  { length: OBJECTS },
  (_, j) => `${two(j)} ${["Person", "Human face", "Sports equipment", "Food"][j] ?? "object"}`,
);
/** Names of the classes. */
export const EMOTION_NAMES: readonly string[] = Array.from(
  { length: EMOTIONS },
  (_, e) => `emotion ${two(e)}`,
);

/** Names of the methods. */
export const METHOD_NAMES: readonly string[] = ["grad-cam", "eigen-cam"];

/** How a corpus is written. */
export interface EndToEndOptions {
  /** How often each image has its sample; once by default. */
  readonly copies?: number;
  /** The order of the images; theirs by default. */
  readonly order?: readonly number[];
}

/**
 * Writes a corpus as a run of two methods. An object's boxes lie in its own cell of a grid over the image, one in each half, so that no two
 * overlap. Probabilities, confidences and importances are the specification's whole numbers divided by 10,000 and 1,000.
 */
export async function writeEndToEndRun(
  folder: string,
  corpus: Corpus,
  { copies = 1, order }: EndToEndOptions = {},
): Promise<void> {
  await writeSyntheticRun(folder, {
    classes: EMOTION_NAMES,
    labels: OBJECT_NAMES,
    methods: METHOD_NAMES.map((name) => ({ name })),
    samples: copies > 1 ? "faces" : "image",
    images: images(corpus, copies, order ?? [...Array(corpus.images).keys()]),
  });
}

function* images(
  { probabilities, firstBox, object, confidence, importance }: Corpus,
  copies: number,
  order: readonly number[],
): Generator<SyntheticImage> {
  for (const i of order) {
    const from = firstBox[i], to = firstBox[i + 1];
    const sample = {
      probabilities: Array.from(
        probabilities.subarray(i * EMOTIONS, (i + 1) * EMOTIONS),
        (p) => p / 10000,
      ),
      importance: importance.map((values) =>
        Array.from(values.subarray(from, to), (v) => v / 1000)
      ),
    };
    yield {
      path: `${String(i).padStart(6, "0")}.png`,
      samples: Array<typeof sample>(copies).fill(sample),
      boxes: Array.from({ length: to - from }, (_, b) => {
        const box = from + b, j = object[box];
        const half = b > 0 && object[box - 1] === j ? 40 : 0;
        const x0 = j % 8 * 80 + half, y0 = Math.floor(j / 8) * 80;
        return {
          ...{ label: OBJECT_NAMES[j], confidence: confidence[box] / 1000 },
          ...{ x0, y0, x1: x0 + 40, y1: y0 + 80 },
        };
      }),
    };
  }
}
