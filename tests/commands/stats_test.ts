/** The command `stats` over runs whose truth is known: claims, audit lists, control maps, blocks and what it refuses. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Claims } from "../../src/association/claims/claim.ts";
import { writeEndToEndRun } from "../association/end_to_end_run.ts";
import { assertIncludes, assertSome } from "../assert_that.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { makeCorpus } from "../statistics/end_to_end.ts";
import { emocam } from "./cli.ts";

const readClaims = async (folder: string): Promise<Claims> =>
  JSON.parse(await Deno.readTextFile(join(folder, "claims.json")));

Deno.test("the default run supports no claim, says so first, and a later analysis removes what stats wrote", () =>
  withFolder(async (folder) => {
    const out = join(folder, "run");
    assert.equal((await emocam("analyze", "--out", out)).status, 0);
    const { status, out: printed, err } = await emocam("stats", out);
    assert.equal(status, 0, err);
    assert.match(printed, /^No claims: 24 samples in 8 images support none\./);
    assert.match(printed, /Not tested: matched boxes .*controls .*axioms /);
    const tables = await Deno.readTextFile(join(out, "statistics", "grad-cam.csv"));
    assert.equal(tables.trim().split("\n").length, 1 + 6 * 7);
    // `report` leaves them: they are of the same run.
    assert.equal((await emocam("report", out)).status, 0);
    assert.equal((await readClaims(out)).claims.length, 10);
    assert.equal((await emocam("analyze", "--threshold", ".5", "--out", out)).status, 0);
    const left = Array.from(Deno.readDirSync(out), ({ name }) => name);
    for (const name of ["claims.csv", "claims.json", "statistics"]) {
      assert.equal(left.includes(name), false, `${name} is of the analysis before`);
    }
  }));

Deno.test("an audit list gives pass and fail, and is refused where it names what is not there", () =>
  withFolder(async (folder) => {
    const run = join(folder, "run"), list = join(folder, "audit.csv");
    await writeEndToEndRun(run, makeCorpus("1", 2000, "planted"));
    const own = ["--emotion-confidence", ".5", "--object-confidence", ".1"];
    assert.equal((await emocam("stats", run, ...own)).status, 0);
    const { claims } = await readClaims(run);
    const [claim] = claims.filter(({ verdict }) => verdict === "supported");
    const audited = async (...lines: string[]) => {
      await Deno.writeTextFile(list, ["object,class,expect", ...lines, ""].join("\n"));
      return await emocam("stats", run, ...own, "--expect", list);
    };
    const row = `"${claim.object}",${claim.class}`;
    assert.equal((await audited(`${row},expected`)).status, 0);
    const forbidden = await audited(`${row},forbidden`);
    assert.equal(forbidden.status, 1);
    assertIncludes(forbidden.out, `forbidden by line 2, but supported: ${claim.object}`);
    // The first line that fits decides.
    assert.equal((await audited(`${row},allowed`, "*,*,allowed", "*,*,forbidden")).status, 0);
    const missing = await audited(`no such object,${claim.class},expected`);
    assert.equal(missing.status, 1);
    assertIncludes(missing.out, "expected by line 2, but not supported: no such object");
    const wrong = await audited(`${row},perhaps`);
    assert.equal(wrong.status, 2);
    assert.match(wrong.err, /line 2 expects "perhaps"; give expected, allowed, forbidden/);
  }));

Deno.test("each claim has its evidence, and a claim that another object explains is an artefact", () =>
  withFolder(async (folder) => {
    await writeEndToEndRun(folder, makeCorpus("3", 8000, "planted"));
    const { status, err } = await emocam(
      ...["stats", folder, "--emotion-confidence", ".5", "--object-confidence", ".1"],
    );
    assert.equal(status, 0, err);
    const { claims, notTested } = await readClaims(folder);
    assert.deepEqual(Object.keys(notTested), ["matched boxes", "controls", "axioms"]);
    for (const { verdict, because, evidence, q } of claims) {
      assert.equal(verdict === "artefact", because.length > 0 && q <= .05);
      if (verdict !== "supported") continue;
      const [low, high] = [evidence.threshold_low, evidence.threshold_high].map(Number);
      assert.ok(low <= .3, `it passes at the run's threshold: from ${low}`);
      assert.ok(high >= .3, `it passes at the run's threshold: to ${high}`);
    }
    assertSome(claims, ({ verdict, evidence }) => verdict === "artefact" && evidence.rival !== "");
    // Without the screen they would all be supported.
    const options = ["--emotion-confidence", ".5", "--object-confidence", ".1"];
    await emocam("stats", folder, ...options, "--evidence", "threshold");
    const unscreened = await readClaims(folder);
    assert.equal(unscreened.claims.some(({ verdict }) => verdict === "artefact"), false);
    assert.equal(unscreened.notTested.screen, "not among those of --evidence");
  }));

Deno.test("a column that the corpus does not have, and a list that is not there, are refused before anything is written", () =>
  withFolder(async (folder) => {
    await writeEndToEndRun(folder, makeCorpus("1", 200, "null"));
    const { status, err } = await emocam("stats", folder, "--block", "source");
    assert.equal(status, 2);
    assert.match(err, /^Cannot use --block "source": the corpus has no columns; name one/);
    const elsewhere = join(folder, "elsewhere");
    await emocam("stats", folder, "--block", "source", "--out", elsewhere);
    await assert.rejects(Deno.stat(elsewhere), Deno.errors.NotFound);
    const missing = await emocam("stats", folder, "--expect", join(folder, "no.csv"));
    assert.equal(missing.status, 2);
    assert.match(
      missing.err,
      /^Cannot read the audit list .*no\.csv: No such file.*; give CSV with/,
    );
    assert.equal(
      Array.from(Deno.readDirSync(folder), ({ name }) => name).includes("claims.csv"),
      false,
    );
  }));
