/** Through the command line the synthetic corpora give the reference study's claims. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { verdictsOfFunctions, verdictsThroughStats } from "../association/synthetic_claims.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { goldenTest } from "../shared_goldens.ts";
import { makeCorpus } from "../statistics/end_to_end.ts";
import type { StudyCase } from "../statistics/null_study_case.ts";

const SEEDS = 20, SIZE = 2000;
/** Corpora whose samples are repeated: some seconds each. */
const REPEATED = 5;

/** The first seeds of the study. */
function studied(goldens: URL): StudyCase[] {
  const file = new URL("statistics/11b_null_study.json", goldens);
  const { cases } = JSON.parse(Deno.readTextFileSync(file)) as { cases: StudyCase[] };
  return cases.filter(({ input }) => input.n_images === SIZE && Number(input.seed) <= SEEDS);
}

for (const mode of ["null", "planted"] as const) {
  goldenTest(
    `stats claims of ${SEEDS} ${mode} corpora what the reference study does`,
    (goldens) =>
      withFolder(async (folder) => {
        const cases = studied(goldens);
        assert.equal(cases.length, SEEDS);
        for (const { input: { seed }, expected } of cases) {
          const corpus = makeCorpus(seed, SIZE, mode);
          const verdicts = await verdictsThroughStats(join(folder, seed), corpus);
          assert.deepEqual(verdicts, verdictsOfFunctions(corpus), `seed ${seed}`);
          const first = verdicts.filter((verdict) => verdict.startsWith("grad-cam"));
          assert.equal(first.length, expected[mode].fisher_bh, `seed ${seed}`);
          if (mode === "null") continue;
          const kept = first.filter((verdict) => verdict.endsWith("supported"));
          assert.equal(kept.length, expected.planted.screen_kept, `seed ${seed}`);
        }
      }),
  );
}

goldenTest(
  `in ${REPEATED} corpora, samples repeated five times give the same verdicts in any order of images`,
  (goldens) =>
    withFolder(async (folder) => {
      for (const { input: { seed } } of studied(goldens).slice(0, REPEATED)) {
        const corpus = makeCorpus(seed, SIZE, "planted");
        const key = (i: number) => i * (2 * Number(seed) + 1001) % SIZE;
        const order = [...Array(SIZE).keys()].sort((i, j) => key(i) - key(j) || i - j);
        const five = await verdictsThroughStats(join(folder, seed), corpus, { copies: 5, order });
        assert.deepEqual(five, verdictsOfFunctions(corpus), `seed ${seed}`);
        await Deno.remove(join(folder, seed), { recursive: true });
      }
    }),
);
