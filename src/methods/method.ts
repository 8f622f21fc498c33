/**
 * What a CAM method is, and what it may ask for.
 *
 * A method yields channel weights (the caller forms Σ w·A) or a whole map; the caller rectifies, normalises, places and
 * scores. Several methods of a run share one forward pass, and one backward pass per target.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import {
  type Classifier,
  type Forward,
  type Gradient,
  release,
  type ScoreTensor,
} from "../classifier/classifier.ts";
import type { SessionValue } from "../runtime/session.ts";
import type { Target } from "./targets.ts";

export { type Target, TARGETS } from "./targets.ts";

/** What a method can use for one batch. Values it is given belong to the context: a method disposes of nothing. */
export interface MethodContext {
  readonly classifier: Classifier;
  readonly forward: Forward;
  readonly target: Target;
  /** Gradient of the target's score for one class per row of the batch (length = batch). */
  gradient(classes: readonly number[]): Promise<Gradient>;
}

/** What a method yields for a batch: channel weights [batch, C], or maps [batch, h, w]. */
export type Attribution = { weights: SessionValue } | { map: SessionValue };

/** One CAM method. */
export interface Method {
  /** Its name on the command line, kebab-case. */
  readonly name: string;
  readonly title: string;
  /** Paper and equation. */
  readonly source: string;
  /** Whether negative values of the map are set to 0 before normalisation. */
  readonly rectify: boolean;
  /** Whether the map depends on the score that is explained (its `Target`). */
  readonly usesTarget: boolean;
  /** Settings that determine the result, for content keys. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Why the method cannot be used with this classifier and target; `undefined` when it can. */
  unsupported(classifier: Classifier, target: Target): string | undefined;
  /** Explains one class per row of the batch (length = batch; rows of padding have any class). */
  compute(context: MethodContext, classes: readonly number[]): Promise<Attribution>;
}

/**
 * Makes the context of one batch. Gradients are computed once for each list of classes, whatever the number of methods.
 */
export function createContext(
  classifier: Classifier,
  forward: Forward,
  target: Target,
): MethodContext & { dispose(): void } {
  const gradients = new Map<string, Promise<Gradient>>();
  return {
    classifier,
    forward,
    target,
    gradient(classes) {
      const key = classes.join();
      let gradient = gradients.get(key);
      if (!gradient) {
        const { score, cotangent } = seed(forward, target, classes);
        gradients.set(key, gradient = classifier.gradient(forward, score, cotangent));
      }
      return gradient;
    },
    dispose() {
      for (const pending of gradients.values()) {
        pending.then(({ gradient, mean }) => [gradient, mean].forEach(release), () => {});
      }
      gradients.clear();
    },
  };
}

/**
 * The tensor to differentiate and the cotangent to feed, so that the vector–Jacobian product is the gradient of the
 * target's score: e_c on the logits or probabilities, e_c − e_r on the logits for the margin to the runner-up r.
 */
function seed(
  forward: Forward,
  target: Target,
  classes: readonly number[],
): { score: ScoreTensor; cotangent: Tensor } {
  const [batch, count] = forward.probabilities.shape as [number, number];
  const cotangent = new Float32Array(batch * count);
  classes.forEach((k, row) => {
    cotangent[row * count + k] = 1;
    if (target !== "margin") return;
    const logits = forward.logits!.data.subarray(row * count, (row + 1) * count);
    cotangent[row * count + runnerUp(logits, k)] = -1;
  });
  return {
    score: target === "probability" ? "probabilities" : "logits",
    cotangent: floats([batch, count], cotangent),
  };
}

/** The class with the largest value other than `k`; the first of equals. With one class only: `k` itself. */
export function runnerUp(values: ArrayLike<number>, k: number): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (i !== k && (best < 0 || values[i]! > values[best]!)) best = i;
  }
  return best < 0 ? k : best;
}

/** Why a target cannot be had from a classifier; `undefined` when it can. */
export function targetUnsupported(classifier: Classifier, target: Target): string | undefined {
  if (target === "probability") return undefined;
  if (!classifier.hasLogits) {
    return `target ${target} needs logits, and model ${classifier.card.name} yields only probabilities`;
  }
  if (target === "margin" && classifier.classes.length < 2) {
    return `target margin needs two classes, and model ${classifier.card.name} has one`;
  }
  return undefined;
}
