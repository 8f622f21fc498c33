/**
 * A claim in one sentence.
 *
 * @module
 */

import { plural, probability, significant } from "../../base/number_text.ts";
import type { StatsSettings } from "../stats_settings.ts";
import type { Claim } from "./claim.ts";

/** What a claim says and how far it can be trusted, for somebody who has not read the documents. */
export function readingOf(
  claim: Omit<Claim, "reading">,
  { alpha, block }: Pick<StatsSettings, "alpha" | "block">,
): string {
  const { object, class: target, verdict, because, withBoth, withObject, units } = claim;
  const counted = `${target} in ${withBoth} of the ${plural(withObject, "sample")} where it is, ${
    plural(units, block === undefined ? "image" : "block")
  }`;
  const often = `${object} is salient ${
    claim.logOdds < 0 ? "less" : "more"
  } often where ${target} is predicted`;
  const sized = `${often} (${effect(claim)}, q ${probability(claim.q)}; ${counted})`;
  if (verdict === "supported") {
    return `${sized}, and no evidence held by this run speaks against it.`;
  }
  if (verdict === "contradicted") return `${sized}: the two avoid each other.`;
  if (because.length > 0) {
    const kind = verdict === "artefact"
      ? "but this is explained otherwise"
      : "but this is not enough";
    return `${sized}, ${kind}: ${because.join("; ")}.`;
  }
  return `Not shown: ${object} and ${target} (${effect(claim)}, q ${
    probability(claim.q)
  }, more than ${alpha}; ${counted}).`;
}

/** The effect as an odds ratio with its interval. */
function effect({ logOdds, low, high }: Omit<Claim, "reading">): string {
  if (Number.isNaN(logOdds)) return "odds ratio not estimable";
  return `odds ratio ${significant(Math.exp(logOdds))}, 95 % interval ${
    significant(Math.exp(low))
  } to ${significant(Math.exp(high))}`;
}
