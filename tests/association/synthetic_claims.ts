/** What the command `stats` claims of a synthetic corpus, and what the functions on plain arrays claim of it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Claims } from "../../src/association/claims/claim.ts";
import { emocam } from "../commands/cli.ts";
import { type Corpus, METHODS } from "../statistics/end_to_end.ts";
import { incidenceOf } from "../statistics/end_to_end_tables.ts";
import { claimedCells } from "../statistics/null_study.ts";
import {
  EMOTION_NAMES,
  type EndToEndOptions,
  METHOD_NAMES,
  OBJECT_NAMES,
  writeEndToEndRun,
} from "./end_to_end_run.ts";

/** Claims as `method: object → class: verdict`, in order. */
export type Verdicts = readonly string[];

const FILTERS = ["--emotion-confidence", ".5", "--object-confidence", ".1"];

/** The claims that a run in a folder gives through the command line. */
export async function claimsThroughStats(run: string, ...options: string[]): Promise<Claims> {
  const { status, err } = await emocam("stats", run, ...options);
  assert.equal(status, 0, err);
  return JSON.parse(await Deno.readTextFile(join(run, "claims.json")));
}

/** The verdicts on all cells that pass the test, of a corpus as a run. */
export async function verdictsThroughStats(
  folder: string,
  corpus: Corpus,
  options: EndToEndOptions = {},
): Promise<Verdicts> {
  await writeEndToEndRun(folder, corpus, options);
  const { claims } = await claimsThroughStats(folder, ...FILTERS);
  return claims.filter(({ verdict }) => verdict !== "inconclusive")
    .map((claim) => `${claim.method}: ${claim.object} → ${claim.class}: ${claim.verdict}`).sort();
}

/** The verdicts that follow from the specification: exact p, its correction, and the screen. */
export function verdictsOfFunctions(corpus: Corpus): Verdicts {
  const incidence = incidenceOf(corpus);
  return Array.from(
    { length: METHODS },
    (_, method) =>
      claimedCells(incidence, method).map(({ cell, positive, kept }) => {
        const verdict = !positive ? "contradicted" : kept ? "supported" : "artefact";
        return `${METHOD_NAMES[method]}: ${OBJECT_NAMES[cell.object]} → ${
          EMOTION_NAMES[cell.class]
        }: ${verdict}`;
      }),
  ).flat().sort();
}
