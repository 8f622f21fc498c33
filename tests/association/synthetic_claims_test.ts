/** Through the command line a synthetic corpus gives the claims that the functions on plain arrays give. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../corpus/face_corpus.ts";
import { makeCorpus } from "../statistics/end_to_end.ts";
import { assertMore } from "../assert_that.ts";
import { verdictsOfFunctions, verdictsThroughStats } from "./synthetic_claims.ts";

Deno.test("stats claims of null and planted corpora what the functions claim", () =>
  withFolder(async (folder) => {
    let claims = 0;
    for (const mode of ["null", "planted"] as const) {
      for (const seed of ["1", "2", "3"]) {
        const corpus = makeCorpus(seed, 2000, mode);
        const verdicts = await verdictsThroughStats(join(folder, mode + seed), corpus);
        assert.deepEqual(verdicts, verdictsOfFunctions(corpus), `${mode}, seed ${seed}`);
        claims += verdicts.length;
      }
    }
    assertMore(claims, 10);
  }));

Deno.test("samples repeated five times, and images in another order, give the same verdicts", () =>
  withFolder(async (folder) => {
    const corpus = makeCorpus("1", 2000, "planted");
    const once = verdictsOfFunctions(corpus);
    const order = [...Array(corpus.images).keys()].sort((i, j) => i * 7 % 2000 - j * 7 % 2000);
    const five = await verdictsThroughStats(join(folder, "five"), corpus, { copies: 5, order });
    assert.deepEqual(five, once);
  }));
