/**
 * Names of the kinds of evidence, in the order of their columns: apart from the kinds themselves, so that the command line loads none of them.
 *
 * @module
 */

/** Every kind that `EVIDENCE` has. */
export const EVIDENCE_NAMES = ["screen", "controls", "threshold", "axioms"] as const;

/** The name of a kind of evidence. */
export type EvidenceName = typeof EVIDENCE_NAMES[number];
