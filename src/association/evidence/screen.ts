/**
 * Whether an association remains beside each other claimed object of its class: a plate that comes with food inherits the food's association.
 *
 * @module
 */

import { screenClaims } from "../../statistics/screen.ts";
import { salientIn } from "../incidence.ts";
import type { Evidence, Finding } from "./evidence.ts";

/** Each claim given every other claimed object of its class. */
export const screen: Evidence = {
  name: "screen",
  source:
    "Cochran–Mantel–Haenszel in strata by whether the other object is detected, for every other object that is claimed for the class",
  columns: ["rival", "rival_z", "rival_odds_ratio"],
  missing: () => undefined,
  of(_, { incidence, units }, candidates) {
    const { first, samples } = incidence.detected;
    const claimed = candidates.filter(({ positive }) => positive);
    const screened = screenClaims(
      claimed.map(({ object, target }) => ({ object, class: target })),
      {
        label: incidence.label,
        salient: (object, target) => salientIn(incidence, object, target),
        detected: (object) => samples.subarray(first[object], first[object + 1]),
        weights: units.weight,
      },
    );
    const found = new Map(claimed.map((candidate, i) => [candidate, screened[i]]));
    return candidates.map((candidate): Finding => {
      const own = found.get(candidate);
      if (own?.rival === undefined) return { values: {} };
      const rival = incidence.objects[own.rival];
      return {
        values: { rival, rival_z: own.z, rival_odds_ratio: own.oddsRatio },
        ...own.kept ? {} : {
          against: {
            verdict: "artefact",
            because: Number.isNaN(own.z)
              ? `it cannot be told from that of ${rival}, which is always there with it`
              : `little of it is left given ${rival}, which is claimed for the same class`,
          },
        },
      };
    });
  },
};
