/**
 * A run counted: one accumulator a method, and how far the methods agree.
 *
 * @module
 */

import type { Agreement } from "./agreement.ts";
import type { Accumulator } from "./accumulator.ts";
import type { AssociationMatrix } from "./matrices.ts";

/** What was counted and written for one method. */
export interface MethodOutput {
  readonly method: string;
  /** Whether it is a control: a map that explains nothing. */
  readonly control: boolean;
  readonly counts: Accumulator;
  /** One a measure, in the order of `MEASURES`. */
  readonly matrices: readonly AssociationMatrix[];
  /** Scored boxes: a box counts once in each sample that it belongs to. */
  readonly boxes: number;
  /** Scores (box × class) without an importance (NaN). */
  readonly undefinedBoxes: number;
}

/** What was counted and written for a run. */
export interface RunOutput {
  /** In the order of the analysis's methods. */
  readonly methods: readonly MethodOutput[];
  readonly agreement: Agreement;
}
