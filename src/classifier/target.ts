/**
 * The scores that can be explained.
 *
 * @module
 */

/**
 * The score that is explained: a class's logit, its softmax probability, or its margin (logit minus the largest other
 * logit).
 */
export type Target = "logit" | "probability" | "margin";

/** All targets. */
export const TARGETS: readonly Target[] = ["logit", "probability", "margin"];

/** What a run may ask for: one target for all methods, or the published code's mixture (see `withPublishedTarget`). */
export type TargetChoice = Target | "published";

/** All choices. */
export const TARGET_CHOICES: readonly TargetChoice[] = [...TARGETS, "published"];
