/** What can take a claim away, each on a corpus where it must and on one where it must stay silent; and blocks of images that belong together. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Claim, Claims } from "../../src/association/claims/claim.ts";
import { createRng } from "../../src/base/rng.ts";
import type { FinishedManifest } from "../../src/ledger/manifest.ts";
import { type SyntheticImage, writeSyntheticRun } from "../association/synthetic_run.ts";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { emocam } from "./cli.ts";

const CLASSES = ["joy", "fear"];
const BOX = { label: "cue", confidence: .9, x0: 10, y0: 10, x1: 90, y1: 90 };

/** An image with a cue that is salient or not, under two methods. */
function image(joy: boolean, salient: readonly boolean[], more: Partial<SyntheticImage> = {}) {
  return {
    samples: [{
      probabilities: joy ? [.8, .2] : [.2, .8],
      importance: salient.map((own) => [own ? .7 : .1]),
    }],
    boxes: [BOX],
    ...more,
  };
}

/** The claims of a run of two methods, of which the second is a control. */
async function claimsOf(
  folder: string,
  images: readonly SyntheticImage[],
  manifest: Partial<FinishedManifest> = {},
  ...options: string[]
): Promise<Claims> {
  const methods = [{ name: "grad-cam" }, { name: "centre", control: true }];
  await writeSyntheticRun(folder, { classes: CLASSES, methods, images, manifest });
  const { status, err } = await emocam("stats", folder, ...options);
  assert.equal(status, 0, err);
  return JSON.parse(await Deno.readTextFile(join(folder, "claims.json")));
}

const joyOf = ({ claims }: Claims): Claim => claims.find((own) => own.class === "joy")!;

/** 400 images in which the cue goes with joy; under the control it does so too, or not. */
function cues(seed: number, controlToo: boolean): SyntheticImage[] {
  const rng = createRng(seed).split("cues");
  return Array.from({ length: 400 }, () => {
    const joy = rng.uniform() < .5;
    const salient = rng.uniform() < (joy ? .7 : .4);
    return image(joy, [salient, controlToo ? salient : rng.uniform() < .5]);
  });
}

Deno.test("a claim beats a control under which nothing goes together, and not one under which the same does", () =>
  withFolder(async (folder) => {
    const beaten = joyOf(await claimsOf(join(folder, "a"), cues(1, false)));
    assert.deepEqual([beaten.verdict, beaten.evidence.controls_beaten], ["supported", 1]);
    const same = joyOf(await claimsOf(join(folder, "b"), cues(1, true)));
    assert.deepEqual([same.verdict, same.evidence.controls_beaten], ["artefact", 0]);
    assert.deepEqual(same.because, ["it is not stronger than under the control centre"]);
  }));

Deno.test("a method that fails an axiom supports no claim; one that keeps it does", () =>
  withFolder(async (folder) => {
    for (const verdict of ["holds", "fails"] as const) {
      const axioms = [
        { axiom: "mirror", source: "", method: "grad-cam", bound: { atLeast: .9 }, verdict },
      ];
      const own = joyOf(await claimsOf(join(folder, verdict), cues(2, false), { axioms }));
      assert.equal(own.verdict, verdict === "holds" ? "supported" : "inconclusive");
      assert.equal(own.evidence.axioms_failed, verdict === "holds" ? "" : "mirror");
    }
  }));

Deno.test("blocks of near-duplicates are one unit: false claims over images, none over blocks", () =>
  withFolder(async (folder) => {
    let images = 0, blocks = 0;
    for (let seed = 0; seed < 20; seed++) {
      const rng = createRng(seed).split("blocks");
      // 30 sources with 12 pictures each, which nearly all look alike; cue and mood have nothing to do with each other.
      const corpus = Array.from({ length: 30 }, (_, source) => {
        const joy = rng.uniform() < .5, salient = rng.uniform() < .5;
        const nearly = (value: boolean) => rng.uniform() < .05 ? !value : value;
        return Array.from({ length: 12 }, () =>
          image(nearly(joy), [nearly(salient), false], {
            annotation: { source: `film ${source}` },
          }));
      }).flat();
      const own = join(folder, String(seed));
      if (joyOf(await claimsOf(own, corpus)).q <= .05) images++;
      const { status, err } = await emocam("stats", own, "--block", "source");
      assert.equal(status, 0, err);
      const claims: Claims = JSON.parse(await Deno.readTextFile(join(own, "claims.json")));
      assert.equal(joyOf(claims).units, 30);
      if (joyOf(claims).q <= .05) blocks++;
    }
    // Of 20 null corpora, 1 is expected; 5 and more have a probability of .003.
    assertAtLeast(images, 10);
    assertAtMost(blocks, 4);
  }));

Deno.test("copies of a picture count once, and the user is told", () =>
  withFolder(async (folder) => {
    const once = cues(3, false);
    const twice = once.flatMap((own, i) => [
      { ...own, path: `${i}.png`, content: `${i}` },
      { ...own, path: `${i} copy.png`, content: `${i}` },
    ]);
    const [alone, copied] = [
      await claimsOf(join(folder, "once"), once),
      await claimsOf(join(folder, "twice"), twice),
    ];
    assert.equal(joyOf(copied).p, joyOf(alone).p);
    assert.equal(joyOf(copied).units, 400);
    assert.match(
      copied.notices.join(),
      /400 images are copies of others: claims count each picture once/,
    );
  }));
