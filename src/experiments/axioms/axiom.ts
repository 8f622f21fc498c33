/**
 * What an axiom is: a property that a method must have on a model, as a check that runs on that model.
 *
 * @module
 */

import type { Tensor } from "../../base/tensor.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { Compute } from "../../gpu/compute.ts";
import type { Method } from "../../methods/mod.ts";
import type { Target } from "../../classifier/target.ts";

/** What an axiom is checked on: a classifier and a batch of its inputs. */
export interface AxiomContext {
  readonly classifier: Classifier;
  readonly compute: Compute;
  /** [n, C, H, W], n at most the classifier's batch. */
  readonly inputs: Tensor;
  /** What each sample is, for methods that draw random numbers. */
  readonly keys: readonly string[];
  /** The predicted class of each sample. */
  readonly classes: readonly number[];
  readonly target: Target;
  readonly seed: number;
  /** The same classifier on another backend, where the machine has one; opened when it is first asked for. */
  other(): Promise<{ classifier: Classifier; compute: Compute } | undefined>;
}

/** What a check found: a figure (and what else is worth knowing), or why there is none. */
export type Finding =
  | {
    readonly value: number;
    readonly note?: string;
    /** Why a figure outside the bound says nothing of the method: the classifier is the cause. */
    readonly excuse?: string;
  }
  | { readonly skipped: string };

/** One axiom. */
export interface Axiom {
  readonly name: string;
  /** What the figure is, and where the axiom comes from. */
  readonly source: string;
  /** The axiom holds when the figure is at most (or at least) this. */
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
  /** Whether the axiom speaks of this method. */
  applies(method: Method): boolean;
  check(context: AxiomContext, method: Method): Promise<Finding>;
}

/** Whether a figure is within an axiom's bound. NaN never is. */
export function holds({ bound }: Axiom, value: number): boolean {
  return "atMost" in bound ? value <= bound.atMost : value >= bound.atLeast;
}
