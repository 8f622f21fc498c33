/** Counts of a synthetic corpus, as its specification defines them. */

import type { TwoByTwo } from "../../src/statistics/exact/hypergeometric.ts";
import {
  CERTAIN,
  CONFIDENCE,
  type Corpus,
  EMOTIONS,
  FACE,
  IMPORTANCE,
  OBJECTS,
} from "./end_to_end.ts";

/** The images that count, numbered anew in their order, and their objects. */
export interface Incidence {
  /** Images that count: also those without any object. */
  readonly n: number;
  /** Their places in the corpus. */
  readonly image: Uint32Array;
  readonly label: Uint8Array;
  /** Images with an object detected, ascending, by object. */
  readonly detected: readonly Uint32Array[];
  /** Images with an object salient, ascending, by method and object. */
  readonly salient: readonly (readonly Uint32Array[])[];
}

/** The images over 50 %, and which objects are detected and salient in each. */
export function incidenceOf(corpus: Corpus): Incidence {
  const { probabilities, firstBox, object, confidence } = corpus;
  const image = Uint32Array.from({ length: corpus.images }, (_, i) => i)
    .filter((i) => probabilities[i * EMOTIONS + corpus.label[i]] > CERTAIN);
  const lists = (counts: (box: number) => boolean) => {
    const found = Array.from({ length: OBJECTS }, () => new Uint32Array(image.length));
    const length = new Uint32Array(OBJECTS);
    image.forEach((i, unit) => {
      for (let box = firstBox[i]; box < firstBox[i + 1]; box++) {
        const j = object[box];
        if (!(confidence[box] > CONFIDENCE && counts(box))) continue;
        if (length[j] === 0 || found[j][length[j] - 1] !== unit) found[j][length[j]++] = unit;
      }
    });
    return found.map((units, j) => units.slice(0, length[j]));
  };
  return {
    n: image.length,
    image,
    label: Uint8Array.from(image, (i) => corpus.label[i]),
    detected: lists(() => true),
    salient: corpus.importance.map((importance) => lists((box) => importance[box] > IMPORTANCE)),
  };
}

/** Counts of cells: `n11[object * EMOTIONS + emotion]`, and the totals of objects and emotions. */
export interface Counts {
  readonly n: number;
  readonly objects: Uint32Array;
  readonly emotions: Uint32Array;
  readonly n11: Uint32Array;
}

/** The counts of one method, over all images or those that `within` keeps. */
export function countsOf(
  { label, salient }: Incidence,
  method: number,
  within: (unit: number) => boolean = () => true,
): Counts {
  const n11 = new Uint32Array(OBJECTS * EMOTIONS), emotions = new Uint32Array(EMOTIONS);
  const objects = new Uint32Array(OBJECTS);
  let n = 0;
  label.forEach((emotion, unit) => {
    if (!within(unit)) return;
    emotions[emotion]++;
    n++;
  });
  salient[method].forEach((units, j) => {
    for (const unit of units) {
      if (!within(unit)) continue;
      objects[j]++;
      n11[j * EMOTIONS + label[unit]]++;
    }
  });
  return { n, objects, emotions, n11 };
}

/** For each cell its 2×2 tables in the images without and with a face detected. */
export function stratifiedByFace(incidence: Incidence, method: number): TwoByTwo[][] {
  const face = new Set(incidence.detected[FACE]);
  const strata = [false, true].map((given) =>
    tablesOf(countsOf(incidence, method, (unit) => face.has(unit) === given))
  );
  return strata[0].map((table, cell) => [table, strata[1][cell]]);
}

/** The 2×2 table of each cell. */
function tablesOf({ n, objects, emotions, n11 }: Counts): (TwoByTwo & { n: number })[] {
  return Array.from(n11, (a, cell) => {
    const b = objects[Math.floor(cell / EMOTIONS)] - a, c = emotions[cell % EMOTIONS] - a;
    return { a, b, c, d: n - a - b - c, n };
  });
}

/** A value for each cell from its 2×2 table. */
export function cellwise(
  counts: Counts,
  value: (table: TwoByTwo & { n: number }) => number,
): Float64Array {
  return Float64Array.from(tablesOf(counts), value);
}

/** Units that have any salient object under a method: the published analysis drops the others. */
export function withObject({ n, salient }: Incidence, method: number): Uint8Array {
  const any = new Uint8Array(n);
  for (const units of salient[method]) for (const unit of units) any[unit] = 1;
  return any;
}
