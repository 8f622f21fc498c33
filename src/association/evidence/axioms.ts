/**
 * Whether the method keeps its axioms on this classifier: a method whose maps are wrong supports no claim.
 *
 * @module
 */

import { flag } from "../../base/flag.ts";
import type { Evidence } from "./evidence.ts";

/** The verdicts that `check` left, those of the claim's method. */
export const axioms: Evidence = {
  name: "axioms",
  source: "the axioms of `emocam check`, docs/methods.md",
  columns: ["axioms_failed"],
  missing: ({ verdicts }) =>
    verdicts.length === 0 ? `the axioms were not checked (analyze ${flag("check")})` : undefined,
  of({ run, verdicts }, { method }, candidates) {
    const { name } = run.methods[method];
    const own = verdicts.filter((verdict) => verdict.method === name);
    const failed = own.filter(({ verdict }) => verdict === "fails").map(({ axiom }) => axiom);
    const untested = own.length === 0 ? `${name} was not among the methods checked` : undefined;
    return candidates.map(() => ({
      values: { axioms_failed: failed.join(" ") },
      untested,
      ...failed.length === 0 ? {} : {
        against: {
          verdict: "inconclusive",
          because: `${name} fails on this classifier: ${failed.join(", ")}`,
        },
      },
    }));
  },
};
