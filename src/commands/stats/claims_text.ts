/**
 * Claims as a person reads them in a terminal.
 *
 * @module
 */

import type { Claim } from "../../association/claims/claim.ts";
import { headlineOf, nearestOf } from "../../association/claims/headline.ts";
import type { RunStatistics } from "../../association/statistics.ts";
import { legible } from "../../base/legible.ts";
import { probability } from "../../base/number_text.ts";
import { decimals, textTable } from "../terminal.ts";

/** Claims that are printed; the others are in `claims.csv`. */
const SHOWN = 20;

/** What is claimed, or in one line that nothing is, and what was not tested. */
export function claimsText(statistics: RunStatistics): string {
  const { claims, notTested } = statistics.claims;
  const supported = claims.filter(({ verdict }) => verdict === "supported");
  const parts = [headlineOf(statistics)];
  if (supported.length > 0) parts.push(claimTable(supported.slice(0, SHOWN)));
  if (supported.length > SHOWN) parts.push(`… and ${supported.length - SHOWN} more in claims.csv`);
  const nearest = nearestOf(statistics);
  if (nearest !== undefined) parts.push(legible(nearest));
  const untested = Object.entries(notTested).map(([name, reason]) => `${name} (${reason})`);
  if (untested.length > 0) parts.push(`Not tested: ${untested.join("; ")}`);
  return parts.join("\n\n");
}

function claimTable(claims: readonly Claim[]): string {
  return textTable(
    [
      "object",
      "class",
      "method",
      "odds ratio",
      "low",
      "high",
      "q",
      "with both",
      "with object",
      "with class",
    ],
    claims.map((claim) => [
      legible(claim.object),
      legible(claim.class),
      claim.method,
      ...[claim.logOdds, claim.low, claim.high].map((value) => decimals(Math.exp(value))),
      probability(claim.q),
      String(claim.withBoth),
      String(claim.withObject),
      String(claim.withClass),
    ]),
  );
}
