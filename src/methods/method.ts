/**
 * What a CAM method is, and what it may ask for.
 *
 * A method yields channel weights (the caller forms Σ w·A) or a whole map; the caller rectifies, normalises, places and
 * scores. Several methods of a run share one forward pass, and one backward pass per target.
 *
 * @module
 */

import type { Unsupported } from "../base/errors.ts";
import type { Json } from "../base/json.ts";
import { createRng, type Rng } from "../base/rng.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import type { Classifier, Forward, Gradient, ScoreTensor } from "../classifier/classifier.ts";
import type { Scores } from "../classifier/evaluate.ts";
import { release } from "../classifier/values.ts";
import { halfPixelPlacement, type Placement } from "../image/geometry.ts";
import type { SessionValue } from "../runtime/session.ts";
import type { Target } from "../classifier/target.ts";

/** What a method can use for one batch. Values it is given belong to the context: a method disposes of nothing. */
export interface MethodContext {
  readonly classifier: Classifier;
  readonly forward: Forward;
  readonly target: Target;
  /** The inputs [batch, C, H, W]. @throws {TypeError} where only activations are stored: a method says that it needs inputs. */
  readonly input: Tensor;
  /**
   * Random numbers for one row of the batch and one purpose (a method's name): they depend on the seed and on what the
   * sample is, not on its place in the batch or on what else is drawn.
   */
  rng(purpose: string, row: number): Rng;
  /**
   * Gradient of the target's score for one class per row of the batch (length = batch). It is kept, and lasts, until other classes are
   * asked for.
   */
  gradient(classes: readonly number[]): Promise<Gradient>;
  /**
   * The context of another forward pass over the same samples, with the same target and random numbers: of changed inputs, or of
   * the classifier cut at another layer. Made once for each name, and disposed of with this one.
   */
  derive(name: string, pass: () => Promise<Passed>): Promise<MethodContext>;
}

/** A forward pass and the classifier that made it. */
interface Passed {
  readonly classifier: Classifier;
  readonly forward: Forward;
}

/** What a method yields for a batch: channel weights [batch, C], or maps [batch, h, w] on its grid. */
export type Attribution = { weights: SessionValue } | { map: SessionValue };

/**
 * Kinds of methods, which are also groups on the command line. Controls are maps that explain nothing: what a method should
 * beat.
 */
export type Family = "gradient" | "perturbation" | "relevance" | "input" | "control";

/** One CAM method. */
export interface Method {
  /** Its name on the command line, kebab-case. */
  readonly name: string;
  readonly title: string;
  /** Paper and equation. */
  readonly source: string;
  readonly family: Family;
  /** Whether negative values of the map are set to 0 before normalisation. */
  readonly rectify: boolean;
  /** Whether the map depends on the score that is explained (its `Target`). */
  readonly usesTarget: boolean;
  /** The score that it explains whatever the run's target is. */
  readonly target?: Target;
  /** Whether it needs the inputs themselves: stored activations are not enough. */
  readonly needsInput?: boolean;
  /** Whether it draws random numbers, so that the seed determines the result too. */
  readonly random?: boolean;
  /** Cells of its maps: those of the target layer (by default), or the pixels of the input. */
  readonly grid?: "layer" | "input";
  /** Whether it yields channel weights rather than maps. */
  readonly yieldsWeights?: boolean;
  /**
   * What its maps are sums of, [batch, C, h, w]: a term for each channel and cell of the target layer. For methods that are such sums, but not
   * of weighted channels.
   */
  terms?(context: MethodContext, classes: readonly number[]): Promise<Tensor>;
  /** Whether its maps are final, 0..1: the caller neither rectifies nor normalises them. */
  readonly normalised?: boolean;
  /** Settings that determine the result, for content keys. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** The method that modifiers made this one from; absent for one that is not modified. */
  readonly base?: Method;
  /** What the code published with the EmoCAM paper does under this name; absent where it explains the probability, and nothing else is known. */
  readonly published?: Published;
  /** Whether it is made from the gradient of the score at the target layer. */
  readonly usesGradient?: boolean;
  /** Whether it is made from scores under masks of channels. */
  readonly usesMasks?: boolean;
  /** Whether its map of the logit is CAM's where the head is a pooling and a linear layer. */
  readonly equalsCam?: boolean;
  /** What its maps leave out of account by construction: a control that is not to be judged by what changing that does. */
  readonly ignores?: readonly ("picture" | "model")[];
  /**
   * What its contributions add up to, for each sample of the batch (padding left out), for methods that split a score or a difference of
   * scores: see {@linkcode ContributionSum}.
   */
  sums?(context: MethodContext, classes: readonly number[]): Promise<ContributionSum[]>;
  /** Why the method cannot be used with this classifier and target; `undefined` when it can. */
  unsupported(classifier: Classifier, target: Target): Unsupported | undefined;
  /** Explains one class per row of the batch (length = batch; rows of padding have any class). */
  compute(context: MethodContext, classes: readonly number[]): Promise<Attribution>;
}

/** What the code published with the EmoCAM paper does under a method's name. */
interface Published {
  /** The score that it explains. */
  readonly target: Target;
  /** Why its maps differ from ours. */
  readonly note?: string;
}

/** The sum of one sample's contributions, and the scores whose difference `to` − `from` it must be; `from` is 0 for a split of the score itself. */
export interface ContributionSum {
  readonly sum: number;
  readonly to: number;
  readonly from: number;
}

/** A context that its maker disposes of. */
export type OwnedContext = MethodContext & { dispose(): void };

/**
 * Makes the context of one batch: `keys` says what each sample is, whatever its place. Methods that are asked for the same classes one after
 * the other share one gradient.
 */
export function createContext(
  classifier: Classifier,
  forward: Forward,
  target: Target,
  { seed, keys }: { readonly seed: number; readonly keys: readonly string[] },
): OwnedContext {
  return contextOf(
    { classifier, forward },
    target,
    (purpose, row) => createRng(seed).split(purpose).split(keys[row] ?? "padding"),
  );
}

function contextOf(
  { classifier, forward }: Passed,
  target: Target,
  rng: MethodContext["rng"],
): OwnedContext {
  let last: { readonly classes: string; readonly gradient: Promise<Gradient> } | undefined;
  const forget = () => {
    last?.gradient.then(({ gradient, mean }) => [gradient, mean].forEach(release), () => {});
    last = undefined;
  };
  const derived = new Map<string, Promise<OwnedContext>>();
  return {
    classifier,
    forward,
    target,
    rng,
    get input() {
      if (forward.input) return forward.input;
      throw new TypeError("Cannot give a method the inputs: only activations are stored");
    },
    gradient(classes) {
      const key = classes.join();
      if (last?.classes !== key) {
        forget();
        const { score, cotangent } = cotangentOf(forward, target, classes);
        last = { classes: key, gradient: classifier.gradient(forward, score, cotangent) };
      }
      return last.gradient;
    },
    derive(name, pass) {
      let context = derived.get(name);
      if (!context) {
        derived.set(name, context = pass().then((passed) => contextOf(passed, target, rng)));
      }
      return context;
    },
    dispose() {
      forget();
      for (const pending of derived.values()) {
        pending.then((context) => {
          context.dispose();
          context.forward.dispose();
        }, () => {});
      }
      derived.clear();
    },
  };
}

/**
 * The tensor to differentiate and the cotangent to feed, so that the vector–Jacobian product is the gradient of the
 * target's score: e_c on the logits or probabilities, e_c − e_r on the logits for the margin to the runner-up r.
 */
export function cotangentOf(
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
    score: scoreTensorOf(target),
    cotangent: floats([batch, count], cotangent),
  };
}

/** The class with the largest value other than `k`; the first of equals. With one class only: `k` itself. */
export function runnerUp(values: ArrayLike<number>, k: number): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) {
    if (i !== k && (best < 0 || values[i] > values[best])) best = i;
  }
  return best < 0 ? k : best;
}

/** The cells of a method's maps and where they lie on the input. */
export interface Grid {
  readonly height: number;
  readonly width: number;
  readonly placement: Placement;
}

/** The grid of a method's maps. */
export function gridOf(method: Method, { layer, placement, inputShape }: Classifier): Grid {
  if (method.grid !== "input") return { height: layer.height, width: layer.width, placement };
  const [, height, width] = inputShape;
  return { height, width, placement: halfPixelPlacement(width, height, width, height) };
}

/** The tensor that a target's score is read from. */
export function scoreTensorOf(target: Target): ScoreTensor {
  return target === "probability" ? "probabilities" : "logits";
}

/**
 * The target's score of one class as a function of a sample's scores, whatever was changed about the sample: its logit, its probability,
 * or its logit minus that of the runner-up. The runner-up is that of the forward pass, as for gradients, so that all methods explain one
 * function.
 *
 * @param row the sample's place in the forward pass
 * @returns from scores and a row of them to the score of class `k`
 */
export function scoreFunction(
  { forward, target }: { readonly forward: Scores; readonly target: Target },
  row: number,
  k: number,
): (scores: Scores, at: number) => number {
  const read = (tensor: Tensor, at: number, c: number) => tensor.data[at * tensor.shape[1] + c];
  if (target === "probability") return ({ probabilities }, at) => read(probabilities, at, k);
  if (target === "logit") return ({ logits }, at) => read(logits!, at, k);
  const [, count] = forward.logits!.shape;
  const rival = runnerUp(forward.logits!.data.subarray(row * count!, (row + 1) * count!), k);
  return ({ logits }, at) => read(logits!, at, k) - read(logits!, at, rival);
}

/** Why a target cannot be differentiated down to the target layer; `undefined` when it can. */
export function gradientUnsupported(
  classifier: Classifier,
  target: Target,
): Unsupported | undefined {
  return targetUnsupported(classifier, target) ??
    unsupportedBy(classifier.gradientUnsupported(scoreTensorOf(target)));
}

/** A reason without advice, if there is one. */
export function unsupportedBy(reason: string | undefined): Unsupported | undefined {
  return reason === undefined ? undefined : { reason };
}

/** Why a classifier does not offer a target; `undefined` when it can. */
export function targetUnsupported(
  classifier: Classifier,
  target: Target,
): Unsupported | undefined {
  const { name } = classifier.card;
  if (target === "probability") return undefined;
  if (!classifier.hasLogits) {
    return {
      reason: `target ${target} needs logits, and model ${name} yields only probabilities`,
    };
  }
  if (target === "margin" && classifier.classes.length < 2) {
    return { reason: `target margin needs two classes, and model ${name} has one` };
  }
  return undefined;
}
