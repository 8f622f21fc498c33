/**
 * The first thing that is said of a run: how many claims it supports, or that it supports none.
 *
 * @module
 */

import { count, plural, probability } from "../../base/number_text.ts";
import { CORRECTIONS } from "../../statistics/corrections/mod.ts";
import { CORRECTION_BY_NAME } from "../stats_settings.ts";
import type { RunStatistics } from "../statistics.ts";
import type { MethodSummary, Verdict } from "./claim.ts";

/** In one or two sentences what a run claims. */
export function headlineOf({ settings, claims: { claims, methods } }: RunStatistics): string {
  const tested = methods.filter(({ control }) => !control);
  const [first] = tested.length > 0 ? tested : methods;
  const total = (verdict: Verdict) => claims.filter((own) => own.verdict === verdict).length;
  const corpus = `${plural(first.samples, "sample")} in ${unitsText(first, settings.block)}`;
  const by = `exact p over ${settings.block === undefined ? "images" : "blocks"}, ${
    CORRECTIONS[CORRECTION_BY_NAME[settings.correction]].title
  } at ${settings.alpha}`;
  const cells = sum(tested.map(({ testable }) => testable));
  const supported = total("supported");
  if (tested.length === 0) return `No claims: all methods of this run are controls.`;
  if (cells === 0) {
    return `No claims: ${corpus} leave no cell that can be tested (object and class must each be in some samples and not in all).`;
  }
  const others = ([
    [total("artefact"), "explained otherwise (artefact)"],
    [total("contradicted"), "contradicted"],
  ] as const).filter(([number]) => number > 0).map(([number, what]) => `${count(number)} ${what}`);
  const rest = others.length > 0 ? `; ${others.join(", ")}` : "";
  if (supported === 0) {
    const passing = sum(tested.map(({ significant }) => significant));
    return `No claims: ${corpus} support none. Of ${plural(cells, "cell")} ${
      passing === 0 ? "none passes" : `${count(passing)} pass`
    } (${by})${rest}.`;
  }
  return `${plural(supported, "claim")} supported by ${corpus} (${by}; ${
    plural(cells, "cell")
  } tested)${rest}. Boxes of other pictures are not compared yet: a frequent object can be among these without any cause.`;
}

/** Where nothing is claimed: what comes nearest to a claim. */
export function nearestOf({ claims: { claims } }: RunStatistics): string | undefined {
  if (claims.some(({ verdict }) => verdict === "supported")) return undefined;
  const [nearest] = claims.filter(({ verdict, logOdds }) =>
    verdict === "inconclusive" && logOdds > 0
  );
  if (nearest === undefined) return undefined;
  return `Nearest: ${nearest.object} → ${nearest.class} (${nearest.method}), q ${
    probability(nearest.q)
  }.`;
}

function unitsText({ units }: MethodSummary, block: string | undefined): string {
  return block === undefined ? plural(units, "image") : plural(units, "block");
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
