/** Two methods on the synthetic corpora whose truth is known, and rates of rejection over their seeds. */

import { createRng } from "../../src/base/rng.ts";
import {
  type AgreementTest,
  agreementTest,
  halvesByNumber,
  type TwoMethods,
} from "../../src/statistics/agreement.ts";
import { dice } from "../../src/statistics/measures/dice.ts";
import { phi } from "../../src/statistics/measures/phi.ts";
import { EMOTIONS, makeCorpus, OBJECTS } from "./end_to_end.ts";
import { incidenceOf } from "./end_to_end_tables.ts";

/** The two methods of a corpus, and the halves by the numbers of its images. */
export function twoMethods(
  seed: string,
  images: number,
  mode: "null" | "planted",
): { data: TwoMethods; halves: Uint8Array } {
  const { n, image, label, salient } = incidenceOf(makeCorpus(seed, images, mode));
  const byUnit = (lists: readonly Uint32Array[]) => {
    const objects = Array.from({ length: n }, () => [] as number[]);
    lists.forEach((units, object) => units.forEach((unit) => objects[unit].push(object)));
    const first = new Uint32Array(n + 1);
    objects.forEach((own, unit) => first[unit + 1] = first[unit] + own.length);
    return { first, object: Uint32Array.from(objects.flat()) };
  };
  return {
    data: {
      methods: [byUnit(salient[0]), byUnit(salient[1])],
      label,
      objects: OBJECTS,
      classes: EMOTIONS,
    },
    halves: halvesByNumber(image),
  };
}

/** Over null corpora of 2,000 images, seeds 1 to `seeds`: the published comparison (Dice, same images), or phi by halves. */
export function nullTests(seeds: number, kind: "published" | "halves"): AgreementTest[] {
  return Array.from({ length: seeds }, (_, at) => {
    const { data, halves } = twoMethods(String(at + 1), 2000, "null");
    const common = { permutations: 199, rng: createRng(at + 1).split(kind) };
    return kind === "published"
      ? agreementTest(data, { measure: dice, ...common })
      : agreementTest(data, { measure: phi, halves, ...common });
  });
}
