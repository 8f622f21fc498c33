/**
 * The axioms. To add one: a file here, a line in `AXIOMS`, a test in `tests/experiments/axioms/`.
 *
 * @module
 */

import type { Method } from "../../methods/mod.ts";
import { type Axiom, type AxiomContext, holds } from "./axiom.ts";
import { backends } from "./backends.ts";
import { completeness } from "./completeness.ts";
import { gradient } from "./gradient.ts";
import { masks } from "./masks.ts";
import { mirror } from "./mirror.ts";
import { occlusion } from "./occlusion.ts";
import { randomisation } from "./randomisation.ts";
import { sameAsCam } from "./same_as_cam.ts";

export type { Axiom, AxiomContext } from "./axiom.ts";

/** All axioms, in the order in which they are checked. */
export const AXIOMS: readonly Axiom[] = [
  gradient,
  sameAsCam,
  completeness,
  masks,
  mirror,
  occlusion,
  randomisation,
  backends,
];

/** What a check found of one method. */
export interface AxiomResult {
  readonly axiom: string;
  readonly source: string;
  readonly method: string;
  readonly bound: Axiom["bound"];
  /** Absent where the axiom could not be checked, and where the figure is not a number. */
  readonly value?: number;
  readonly verdict: "holds" | "fails" | "skipped";
  /** Why there is no figure, or why the figure says nothing of the method. */
  readonly reason?: string;
  /** What else was found, such as the figure under the other placement of cells. */
  readonly note?: string;
}

/** A verdict in words. */
export function verdictText(verdict: AxiomResult["verdict"]): string {
  return verdict === "skipped" ? "not tested" : verdict;
}

/** What a result's figure is and what else was found, or why there is none; in words. */
export function saysOf({ source, note, reason }: AxiomResult): string {
  return reason ?? (note === undefined ? source : `${source}; ${note}`);
}

/** Checks every axiom that speaks of these methods. */
export async function* checkAxioms(
  context: AxiomContext,
  methods: readonly Method[],
): AsyncGenerator<AxiomResult> {
  for (const method of methods) {
    for (const axiom of AXIOMS) {
      if (!axiom.applies(method)) continue;
      const finding = await axiom.check(context, method);
      const { name, source, bound } = axiom;
      const about = { axiom: name, source, method: method.name, bound };
      if ("skipped" in finding) yield { ...about, verdict: "skipped", reason: finding.skipped };
      else if (!Number.isFinite(finding.value)) {
        const reason = `the figure is ${finding.value}: a map or score is not finite`;
        yield { ...about, verdict: "fails", reason };
      } else {
        const { value, note, excuse } = finding;
        const noted = { ...about, value, ...(note === undefined ? {} : { note }) };
        if (holds(axiom, value)) yield { ...noted, verdict: "holds" };
        else if (excuse === undefined) yield { ...noted, verdict: "fails" };
        else yield { ...noted, verdict: "skipped", reason: excuse };
      }
    }
  }
}
