/**
 * Synthetic corpora whose truth is known: 20 emotions, 40 objects, two methods, all in whole numbers, from a seed.
 *
 * In "null" no object has to do with any emotion, though objects come together in scenes and salience has a rate for each object and
 * method. In "planted" six objects change the prediction, and others follow them. The checksums that the reference outputs hold fix every
 * number.
 *
 * @module
 */

import { sha256 } from "../../src/base/json.ts";

export const EMOTIONS = 20, OBJECTS = 40, METHODS = 2;
/** A box is detected over this confidence, and salient over this importance (both per mille). */
export const CONFIDENCE = 100, IMPORTANCE = 300;
/** Images count whose predicted probability (of 10,000) is over this. */
export const CERTAIN = 5000;
/** The object by which tables are stratified. */
export const FACE = 1;

/** Object, emotion, strength of 1024: what "planted" makes true. */
export const RULES = [
  [1, 0, 100],
  [2, 7, 40],
  [3, 12, 32],
  [6, 15, 32],
  [9, 18, 32],
  [11, 5, 60],
] as const;
/** Follower, leader, chance of 1024. */
const FOLLOWERS = [[5, 1, 700], [10, 2, 700], [7, 3, 700], [14, 6, 600]] as const;
/** Scene to which an object belongs; 0: to none. */
const SCENE_OF = Array.from({ length: OBJECTS }, (_, j) => j < 2 ? j : j % 4);
const SCENES = [0, 0, 0, 0, 1, 1, 2, 3];
/** Objects of no scene: independent of every rule, so that all their cells are null. */
export const CLEAN = [...SCENE_OF.keys()].filter((j) => SCENE_OF[j] === 0);
const RATE = Array.from(
  { length: OBJECTS },
  (_, j) => j === 0 ? 700 : j === 1 ? 500 : 10 + Math.floor(1100 / (j + 1)),
);
const RATE_IN_SCENE = RATE.map((rate) => Math.min(1000, 2 * rate + 200));
const WEIGHTS = Array.from({ length: EMOTIONS }, (_, e) => Math.floor(2400 / (e + 1)));
const WEIGHT = WEIGHTS.reduce((sum, weight) => sum + weight);

/** A corpus: boxes of image i are `firstBox[i] … firstBox[i + 1] − 1`. */
export interface Corpus {
  readonly seed: string;
  readonly mode: "null" | "planted";
  readonly images: number;
  /** Predicted emotion, [images]. */
  readonly label: Uint8Array;
  /** Probabilities of 10,000, [images, EMOTIONS]. */
  readonly probabilities: Uint16Array;
  readonly firstBox: Uint32Array;
  readonly object: Uint8Array;
  /** Per mille. */
  readonly confidence: Uint16Array;
  /** Per mille, by method. */
  readonly importance: readonly [Uint16Array, Uint16Array];
}

/** The corpus of a seed (whole number, 64 bits, in decimal). */
export function makeCorpus(seed: string, images: number, mode: Corpus["mode"]): Corpus {
  const { below } = splitmix(BigInt(seed));
  const planted = mode === "planted";
  const label = new Uint8Array(images), probabilities = new Uint16Array(images * EMOTIONS);
  const firstBox = new Uint32Array(images + 1);
  const room = images * OBJECTS * 2;
  const object = new Uint8Array(room), confidence = new Uint16Array(room);
  const importance = [new Uint16Array(room), new Uint16Array(room)] as const;
  const salience = importance.map((_, m) =>
    Uint16Array.from({ length: OBJECTS }, (_, j) => 200 + below(2 ** 40 + 64 * m + j, 601))
  );
  const present = new Uint8Array(OBJECTS), shares = new Uint16Array(EMOTIONS);
  let box = 0;
  for (let i = 0; i < images; i++) {
    const image = 1024 * i;
    const scene = SCENES[below(image, 8)];
    for (let j = 0; j < OBJECTS; j++) {
      const rate = SCENE_OF[j] > 0 && SCENE_OF[j] === scene ? RATE_IN_SCENE[j] : RATE[j];
      present[j] = Number(below(image + 64 + 8 * j, 1024) < rate);
    }
    FOLLOWERS.forEach(([follower, leader, chance], q) => {
      if (present[leader] && below(image + 720 + q, 1024) < chance) present[follower] = 1;
    });
    let predicted = 0;
    for (let rest = below(image + 1, WEIGHT); rest >= WEIGHTS[predicted]; predicted++) {
      rest -= WEIGHTS[predicted];
    }
    let decider = -1;
    if (planted) {
      RULES.forEach(([j, emotion, strength], r) => {
        if (!present[j] || below(image + 704 + r, 1024) >= strength) return;
        predicted = emotion;
        decider = j;
      });
    }
    label[i] = predicted;

    const certainty = 3001 + below(image + 2, 7000);
    let sum = 0, left = 10000;
    for (let e = 0; e < EMOTIONS; e++) {
      shares[e] = e === predicted ? 0 : 1 + below(image + 16 + e, 1000);
      sum += shares[e];
    }
    for (let e = 0; e < EMOTIONS; e++) {
      const own = Math.floor((10000 - certainty) * shares[e] / sum);
      probabilities[i * EMOTIONS + e] = own;
      left -= own;
    }
    probabilities[i * EMOTIONS + predicted] = left;

    for (let j = 0; j < OBJECTS; j++) {
      if (!present[j]) continue;
      const base = image + 64 + 8 * j;
      const boxes = below(base + 1, 4) === 0 ? 2 : 1;
      for (let b = 0; b < boxes; b++, box++) {
        object[box] = j;
        confidence[box] = 1 + below(base + 2 + b, 1000);
        for (let m = 0; m < METHODS; m++) {
          const slot = base + 320 * m + 4 + 2 * b;
          importance[m][box] = j === decider
            ? 601 + below(slot + 1, 400)
            : below(slot, 1000) < salience[m][j]
            ? 301 + below(slot + 1, 700)
            : below(slot + 1, 301);
        }
      }
    }
    firstBox[i + 1] = box;
  }
  return {
    ...{ seed, mode, images, label, probabilities, firstBox },
    object: object.slice(0, box),
    confidence: confidence.slice(0, box),
    importance: [importance[0].slice(0, box), importance[1].slice(0, box)],
  };
}

/** The lines whose SHA-256 the reference outputs hold. */
export function corpusLines(corpus: Corpus): { images: string[]; boxes: string[] } {
  const { probabilities, firstBox, object, confidence, importance: [first, second] } = corpus;
  const images: string[] = [], boxes: string[] = [];
  for (let i = 0; i < corpus.images; i++) {
    images.push(`${i},${probabilities.subarray(i * EMOTIONS, (i + 1) * EMOTIONS).join()}`);
    for (let box = firstBox[i], b = 0; box < firstBox[i + 1]; box++) {
      b = box > firstBox[i] && object[box] === object[box - 1] ? 1 : 0;
      boxes.push(`${i},${object[box]},${b},${confidence[box]},${first[box]},${second[box]}`);
    }
  }
  return { images, boxes };
}

/** SHA-256 of lines, each ended. */
export function linesSha256(lines: readonly string[]): string {
  return sha256(lines.map((line) => `${line}\n`).join(""));
}

/**
 * Splitmix64 with random access (Steele, Lea & Flood 2014): the number of a key does not depend on those drawn before. 64-bit words are
 * pairs of 32-bit ones, because BigInt is a hundred times slower.
 */
export function splitmix(seed: bigint): {
  /** 64 bits as [high, low]. */
  draw(key: number): [number, number];
  /** A whole number in [0, m), m ≤ 2^21. */
  below(key: number, m: number): number;
} {
  let high = 0, low = 0;
  const times = (factorHigh: number, factorLow: number) => {
    const a0 = low & 0xffff, a1 = low >>> 16, b0 = factorLow & 0xffff, b1 = factorLow >>> 16;
    const first = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0;
    const second = (Math.imul(a0, b1) + (first & 0xffff)) >>> 0;
    const carry = Math.imul(a1, b1) + (first >>> 16) + (second >>> 16);
    high = (carry + Math.imul(high, factorLow) + Math.imul(low, factorHigh)) | 0;
    low = Math.imul(low, factorLow);
  };
  const xorShifted = (by: number) => {
    low ^= (low >>> by) | (high << (32 - by));
    high ^= high >>> by;
  };
  const mix = () => {
    xorShifted(30);
    times(0xbf58476d, 0x1ce4e5b9);
    xorShifted(27);
    times(0x94d049bb, 0x133111eb);
    xorShifted(31);
  };
  low = Number(seed & 0xffffffffn) | 0;
  high = Number(seed >> 32n & 0xffffffffn) | 0;
  mix();
  const seedHigh = high, seedLow = low;
  const draw = (key: number) => {
    low = (key + 1) | 0;
    high = Math.floor((key + 1) / 2 ** 32) | 0;
    times(0x9e3779b9, 0x7f4a7c15);
    const sum = (low >>> 0) + (seedLow >>> 0);
    low = sum | 0;
    high = (high + seedHigh + Number(sum >= 2 ** 32)) | 0;
    mix();
  };
  return {
    draw(key) {
      draw(key);
      return [high >>> 0, low >>> 0];
    },
    below(key, m) {
      draw(key);
      return Math.floor((high >>> 0) * m / 2 ** 32);
    },
  };
}
