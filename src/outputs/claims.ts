/**
 * `claims.csv` and `claims.json`: the cells of the association matrices that pass their test, those nearest to it, and what speaks for and
 * against each.
 *
 * @module
 */

import type { Claim, Claims } from "../association/claims/claim.ts";
import { csvText, type Field } from "../base/csv.ts";
import type { RunStatistics } from "../association/statistics.ts";
import { NOTHING, type Output } from "./output.ts";

const HEADER = [
  "object",
  "class",
  "method",
  "verdict",
  "log_odds",
  "low",
  "high",
  "phi",
  "p",
  "q",
  "units",
  "with_both",
  "with_object",
  "with_class",
];

/** The output `claims.csv`. */
export const claimsTable: Output<RunStatistics> = {
  file: "claims.csv",
  async write(folder, { claims }) {
    await folder.write("claims.csv", claimsCsv(claims));
    return claims.notices;
  },
};

/** The output `claims.json`. */
export const claimsJson: Output<RunStatistics> = {
  file: "claims.json",
  async write(folder, statistics) {
    await folder.write("claims.json", claimsText(statistics));
    return NOTHING;
  },
};

function claimsCsv({ claims, columns }: Claims): string {
  const rows = claims.map((claim): Field[] => [
    claim.object,
    claim.class,
    claim.method,
    claim.verdict,
    claim.logOdds,
    claim.low,
    claim.high,
    claim.phi,
    claim.p,
    claim.q,
    claim.units,
    claim.withBoth,
    claim.withObject,
    claim.withClass,
    ...columns.map((column) => claim.evidence[column] ?? ""),
    untestedText(claim),
    claim.because.join("; "),
    claim.reading,
  ]);
  return csvText([[...HEADER, ...columns, "not_tested", "because", "reading"], ...rows]);
}

function untestedText({ untested }: Claim): string {
  return Object.entries(untested).map(([name, reason]) => `${name}: ${reason}`).join("; ");
}

/** NaN, which JSON does not have, is `null`. */
function claimsText({ settings, claims }: RunStatistics): string {
  return JSON.stringify({ format: "emocam claims 1", settings, ...claims }, null, 1) + "\n";
}
