/** Comparison of a seed's claims with the reference study. */

import assert from "node:assert/strict";
import { assertClose } from "../assert_close.ts";
import { makeCorpus } from "./end_to_end.ts";
import { studyNull, studyPlanted } from "./null_study.ts";

type Counted = Readonly<Record<string, number | readonly number[]>>;

/** One seed of the reference study. */
export interface StudyCase {
  readonly input: { readonly n_images: number; readonly seed: string };
  readonly expected: { readonly null: Counted; readonly planted: Counted };
}

/** Asserts that a seed's corpora give what the study says, whole numbers exactly; gives both. */
export function assertStudyCase({ input: { n_images, seed }, expected }: StudyCase) {
  const found = {
    null: studyNull(makeCorpus(seed, n_images, "null")),
    planted: studyPlanted(makeCorpus(seed, n_images, "planted")),
  };
  for (const mode of ["null", "planted"] as const) {
    for (const [name, value] of Object.entries<number | number[]>(found[mode])) {
      const wanted = expected[mode][name],
        what = `${mode} ${name}, ${n_images} images, seed ${seed}`;
      if (name.startsWith("spearman")) {
        const correlations = wanted as readonly number[];
        (value as number[]).forEach((r, at) =>
          assertClose(r, correlations[at], { absolute: 1e-8 }, what)
        );
      } else assert.deepEqual(value, wanted, what);
    }
  }
  return found;
}
