/**
 * The CAM methods. To add one: a file here, a line in `METHODS`, a test in `tests/methods/`.
 *
 * @module
 */

import { type Unsupported, UsageError } from "../base/errors.ts";
import { ablationCam } from "./ablation_cam.ts";
import { cam } from "./cam.ts";
import { eigenCam } from "./eigen_cam.ts";
import { eigenGradCam } from "./eigen_grad_cam.ts";
import { elementwiseGradCam } from "./elementwise_grad_cam.ts";
import { fem } from "./fem.ts";
import { finerCam } from "./finer_cam.ts";
import { fullGrad } from "./full_grad.ts";
import { gradCam } from "./grad_cam.ts";
import { gradCamPlusPlus } from "./grad_cam_plus_plus.ts";
import { hiResCam } from "./hires_cam.ts";
import { kpcaCam } from "./kpca_cam.ts";
import { kernelShapCam } from "./kernel_shap_cam.ts";
import { layerCam } from "./layer_cam.ts";
import { shapleyCam } from "./shapley_cam.ts";
import { limeCam } from "./lime_cam.ts";
import { smoothGradCamPlusPlus } from "./smooth_grad_cam_plus_plus.ts";
import { xGradCam } from "./xgrad_cam.ts";
import { isCam } from "./is_cam.ts";
import { occlusion } from "./occlusion.ts";
import { rise } from "./rise.ts";
import { scoreCam } from "./score_cam.ts";
import { ssCam } from "./ss_cam.ts";
import { guidedBackprop } from "./guided_backprop.ts";
import { guidedGradCam } from "./guided_grad_cam.ts";
import { inputXGradient } from "./input_x_gradient.ts";
import { integratedGradients } from "./integrated_gradients.ts";
import { liftCam } from "./lift_cam.ts";
import { lrpCam } from "./lrp_cam.ts";
import { saliency } from "./saliency.ts";
import { smoothGrad } from "./smooth_grad.ts";
import { randomWeights } from "./random_weights.ts";
import { randomMap } from "./random_map.ts";
import { sobel } from "./sobel.ts";
import { centre } from "./centre.ts";
import type { Family, Method } from "./method.ts";
import type { Modifier } from "./modifiers/mod.ts";

export * from "./method.ts";
export * from "./modifiers/mod.ts";
export { byComposites } from "./lrp_cam.ts";
export { type CompositeName, COMPOSITES } from "../rules/lrp/composites.ts";
export { frameOfMaps, mapBatchOf, toMapBatch } from "./_map_batch.ts";

/** All methods, in the order in which they are listed and run. */
export const METHODS: readonly Method[] = [
  gradCam,
  cam,
  hiResCam,
  elementwiseGradCam,
  gradCamPlusPlus,
  xGradCam,
  layerCam,
  eigenGradCam,
  kpcaCam,
  fem,
  finerCam,
  shapleyCam,
  smoothGradCamPlusPlus,
  fullGrad,
  scoreCam,
  ssCam,
  isCam,
  ablationCam,
  limeCam,
  kernelShapCam,
  rise,
  occlusion,
  liftCam,
  lrpCam,
  guidedBackprop,
  guidedGradCam,
  saliency,
  inputXGradient,
  smoothGrad,
  integratedGradients,
  eigenCam,
  randomWeights,
  randomMap,
  sobel,
  centre,
];

/** Groups of methods by name. */
export const FAMILIES: readonly Family[] = [
  "gradient",
  "perturbation",
  "relevance",
  "input",
  "control",
];

/** A method that was asked for, by its own name or as one of a group. */
export interface ChosenMethod {
  readonly method: Method;
  /** Whether its own name was given: then it must be possible. */
  readonly named: boolean;
}

/**
 * Methods by their names on the command line, by family (`gradient`, `perturbation` …), or `all`. Each is returned once, in
 * the order of `METHODS`.
 *
 * @throws {UsageError} for an unknown name or an empty list.
 */
export function findMethods(names: readonly string[]): ChosenMethod[] {
  const own = METHODS.map((method) => method.name);
  const known = [...own, ...FAMILIES, "all"];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const meant = meantBy(unknown, known);
    const cannot = `Cannot use method ${JSON.stringify(unknown)}`;
    const groups = [...FAMILIES, "all"].join(", ");
    throw new UsageError(
      meant === undefined
        ? `${cannot}: give one or more of ${own.join(", ")}, or a group: ${groups}`
        : `${cannot}: ${meant} Methods: ${own.join(", ")}; groups: ${groups}`,
    );
  }
  const found = METHODS.filter(({ name, family }) =>
    names.includes(name) || names.includes(family) || names.includes("all")
  );
  if (found.length === 0) {
    throw new UsageError(
      `Cannot choose methods: ${
        names.length === 0 ? "no name is given" : `there are none in ${names.join(", ")}`
      }; give some of ${own.join(", ")}`,
    );
  }
  return found.map((method) => ({ method, named: names.includes(method.name) }));
}

/** What somebody may have meant who gave an unknown name: one that is written otherwise, several without commas, or one with a slip. */
function meantBy(text: string, known: readonly string[]): string | undefined {
  const same = known.find((name) => folded(name) === folded(text));
  if (same !== undefined) return `did you mean ${same}?`;
  const parts = text.split(/[\s;|]+/).filter((part) => part !== "")
    .map((part) => nearest(part, known));
  if (parts.length > 1 && parts.every((part) => part !== undefined)) {
    return `names are separated by commas: did you mean ${parts.join(",")}?`;
  }
  const near = nearest(text, known);
  return near && `did you mean ${near}?`;
}

/** Letters and digits that are changed, added or lost in a slip. */
const SLIP = 2;

/** The name that differs least from a text, by a slip at most; of several the first. */
function nearest(text: string, known: readonly string[]): string | undefined {
  const own = folded(text);
  const found = known.map((name) => ({ name, edits: editDistance(own, folded(name)) }))
    // A text of two letters would be a slip of anything short.
    .filter(({ name, edits }) => edits <= SLIP && edits < folded(name).length - 1)
    .sort((a, b) => a.edits - b.edits);
  return found[0]?.name;
}

/** A name without case and punctuation: GradCAM++ and grad-cam-plus-plus are equal. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll("+", "plus").replace(/[^\p{L}\p{N}]/gu, "");
}

/** The least number of characters to change, add and take away (Levenshtein 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * A method under modifiers, in their order. Controls stay as they are: they are what others are compared with.
 *
 * @returns the method, or which of the modifiers cannot be used with it, and why
 */
export function modified(
  method: Method,
  modifiers: readonly Modifier[],
): { readonly method: Method } | (Unsupported & { readonly modifier: string }) {
  if (method.family === "control") return { method };
  let made = method;
  for (const modifier of modifiers) {
    const reason = modifier.unsupported(made);
    if (reason !== undefined) return { modifier: modifier.name, reason };
    made = modifier.apply(made);
  }
  return { method: made };
}

/**
 * A method with the score that the published code of EmoCAM explains by it: the logit by those that it leaves to captum, by the others what
 * the model returns, probabilities. The mixture can make methods differ that would agree on
 * one score: to be chosen only to repeat that code's figures.
 */
export function withPublishedTarget(method: Method): Method {
  return { ...method, target: method.published?.target ?? "probability" };
}
