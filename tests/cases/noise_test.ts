/** Noise is said to show nothing, first of all; an object that decides is found among it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { TOKEN, writeNoise } from "../../bench/noise_pictures.ts";
import type { Claims } from "../../src/association/claims/claim.ts";
import { assertSome } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";

/** Analyses pictures of noise with random boxes; gives what was printed of the claims, and the claims. */
async function analysed(folder: string, planted: boolean) {
  const out = join(folder, "run");
  const pictures = join(folder, "pictures");
  const boxes = await writeNoise(pictures, { count: 600, seed: 1, grain: 16, planted });
  const given = ["--detector", boxes, "--samples", "image", "--out", out];
  const made = await emocam("analyze", pictures, ...given);
  assert.equal(made.status, 0, made.err);
  const result = await emocam("stats", out);
  assert.equal(result.status, 0, result.err);
  const claims: Claims = JSON.parse(await Deno.readTextFile(join(out, "claims.json")));
  return {
    out: result.out.trim(),
    supported: claims.claims.filter(({ verdict }) => verdict === "supported"),
  };
}

Deno.test("over 600 pictures of noise nothing is claimed, and that is the first thing said", () =>
  withFolder(async (folder) => {
    const { out, supported } = await analysed(folder, false);
    assert.deepEqual(supported, []);
    assert.match(out, /^No claims: 600 samples in 600 images support none\./);
  }));

Deno.test("a face among noise, in a third of the pictures, is claimed for the class it gives, and nothing else", () =>
  withFolder(async (folder) => {
    const { supported } = await analysed(folder, true);
    assertSome(supported, (claim) => claim.object === TOKEN && claim.class === "happy");
    assert.deepEqual(supported.filter(({ object }) => object !== TOKEN), []);
  }));
