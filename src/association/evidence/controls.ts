/**
 * Whether an association is stronger than under maps that explain nothing: random weights, edges, the centre, noise.
 *
 * @module
 */

import { createRng } from "../../base/rng.ts";
import { signFlipP } from "../../statistics/sign_flip.ts";
import type { CellTests } from "../cell_tests.ts";
import { salientIn } from "../incidence.ts";
import type { Candidate, Evidence } from "./evidence.ts";

/** Draws where there are too many units for all sign flips. */
const DRAWS = 9999;

/**
 * Each control of the run against the claim's method, in the same samples: the covariance of salience and class, and for its difference the
 * p of exchanging the two methods in each unit (sign flips, one-sided). A control is beaten where p is at most alpha.
 */
export const controls: Evidence = {
  name: "controls",
  source: "paired sign-flip test of the method against each control, over units",
  columns: ["controls_beaten", "controls"],
  missing: ({ run }) =>
    run.methods.some(({ control }) => control)
      ? undefined
      : "the run holds no control maps (add control to its methods)",
  of({ run, tests, settings }, own, candidates) {
    const others = tests.filter(({ method }) => run.methods[method].control);
    const rng = createRng(settings.seed).split("controls");
    return candidates.map((candidate) => {
      const unbeaten = others.filter((control) => {
        if (!candidate.positive) return true;
        const stream = rng.split(`${candidate.cell} ${control.method}`);
        const p = signFlipP(differences(own, control, candidate), { draws: DRAWS, rng: stream });
        return !(p <= settings.alpha);
      }).map(({ method }) => run.methods[method].name);
      const values = { controls_beaten: others.length - unbeaten.length, controls: others.length };
      if (!candidate.positive) return { values: { ...values, controls_beaten: NaN } };
      return {
        values,
        ...unbeaten.length === 0 ? {} : {
          against: {
            verdict: "artefact",
            because: `it is not stronger than under the control ${unbeaten.join(", ")}`,
          },
        },
      };
    });
  },
};

/** Of each unit in which the two methods differ: its part of the difference of their covariances with the class. */
function differences(own: CellTests, control: CellTests, { object, target }: Candidate): number[] {
  const { incidence, units } = own;
  const share = incidence.label.reduce(
    (sum, label, s) => sum + (label === target ? units.weight[s] : 0),
    0,
  ) / units.count;
  const parts = new Map<number, number>();
  const add = (samples: Int32Array, sign: number) => {
    for (const s of samples) {
      const part = sign * units.weight[s] * ((incidence.label[s] === target ? 1 : 0) - share);
      parts.set(units.of[s], (parts.get(units.of[s]) ?? 0) + part);
    }
  };
  add(salientIn(incidence, object, target), 1);
  add(salientIn(control.incidence, object, target), -1);
  return [...parts].sort(([a], [b]) => a - b).map(([, part]) => part).filter((part) => part !== 0);
}
