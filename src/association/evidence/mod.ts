/**
 * Kinds of evidence on a cell. To add one, write its file here and list it below and in `names.ts`.
 *
 * @module
 */

import { axioms } from "./axioms.ts";
import { controls } from "./controls.ts";
import type { Evidence } from "./evidence.ts";
import type { EvidenceName } from "./names.ts";
import { screen } from "./screen.ts";
import { threshold } from "./threshold.ts";

export type { Candidate, Evidence, Finding, Inquiry } from "./evidence.ts";

/** All kinds by name, in the order of their columns. */
export const EVIDENCE = {
  screen,
  controls,
  threshold,
  axioms,
} as const satisfies Readonly<Record<EvidenceName, Evidence>>;
