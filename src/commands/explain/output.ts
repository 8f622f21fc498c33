/**
 * What `explain` says: as text, and as JSON.
 *
 * @module
 */

import { join } from "node:path";
import { headValues } from "../../classifier/heads.ts";
import type { SampleResult } from "../../attribution/batch.ts";
import { scoresUnusable } from "../../attribution/results.ts";
import type { Sample } from "../../attribution/samples.ts";
import type { Box } from "../../detectors/mod.ts";
import type { ExplainRunOptions } from "./options.ts";
import type { Setup } from "../../run/open.ts";
import { textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";

/** Classes listed in the terminal for each sample. */
const LISTED = 3;

/** One sample that was explained. */
export interface Explained {
  /** Path of the image or tensor file, and the place in it. */
  readonly path: string;
  readonly index: number;
  readonly result: SampleResult;
  /** Absent for a tensor. */
  readonly picture?: { sample: Sample; boxes: readonly Box[] };
  /** Files, one a map. */
  overlays: readonly string[];
}

/** An image that could not be used. */
export interface FailedImage {
  readonly path: string;
  readonly error: string;
}

/** What became of the inputs. */
export interface Outcome {
  readonly explained: readonly Explained[];
  readonly failed: readonly FailedImage[];
  /** Images in which nothing was found to explain. */
  readonly empty: readonly string[];
}

/** The boxes of a map with their importance. */
export function scoredBoxes(
  { picture }: Explained,
  scores: SampleResult["maps"][number]["scores"],
) {
  return scores.map(({ box, importance, share }) => ({
    ...picture!.boxes[box],
    importance,
    share,
  }));
}

/** Everything that was found, for programs; what is not a finite number is null. */
export function asJson(
  { classifier, layers, backend, samples }: Setup,
  { explained, failed, empty }: Outcome,
  { threshold, target }: ExplainRunOptions,
): unknown {
  const { classes, layer } = classifier;
  const number = (value: number) => Number.isFinite(value) ? value : null;
  return {
    classifier: classifier.card.name,
    sha256: classifier.key.model,
    layer: layer.name,
    ...(layers.length > 1 ? { fusedLayers: layers.map(({ name }) => name) } : {}),
    placement: classifier.placementRule,
    target,
    samples,
    threshold,
    backend: backend.backend,
    ...(failed.length > 0 ? { failed } : {}),
    ...(empty.length > 0 ? { empty } : {}),
    results: explained.map((item) => {
      const { prediction, maps } = item.result;
      return {
        path: item.path,
        sample: item.index,
        ...(item.picture ? { region: item.picture.sample.region } : {}),
        predicted: scoresUnusable(prediction, classes) === undefined
          ? classes[prediction.predicted]
          : null,
        ...(classifier.card.heads
          ? { heads: headValues(classifier.card, prediction.probabilities) }
          : {}),
        scores: classes.map((name, k) => ({
          class: name,
          probability: number(prediction.probabilities[k]),
          ...(prediction.logits ? { logit: number(prediction.logits[k]) } : {}),
        })),
        maps: maps.map(({ method, target: k, scores }, i) => ({
          method: method.name,
          class: classes[k],
          ...(item.overlays[i] ? { overlay: item.overlays[i] } : {}),
          boxes: item.picture
            ? scoredBoxes(item, scores).map((
              { label, confidence, x0, y0, x1, y1, importance, share },
            ) => ({
              label,
              confidence,
              x0,
              y0,
              x1,
              y1,
              importance: number(importance),
              share,
            }))
            : [],
        })),
      };
    }),
  };
}

/** Predictions, and the boxes of each map by their importance. */
export function asText(
  { classifier, samples }: Setup,
  { explained, empty }: Outcome,
  { threshold, maps }: ExplainRunOptions,
): string {
  const { card, classes } = classifier;
  const parts = explained.map((item) => {
    const { probabilities } = item.result.prediction;
    const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
    const listed = best.slice(0, LISTED).map((k) => `${classes[k]} ${probabilities[k].toFixed(3)}`);
    const place = !item.picture
      ? `, row ${item.index}`
      : samples === "faces"
      ? `, face ${item.index + 1}`
      : "";
    const heads = Object.entries(headValues(card, probabilities))
      .map(([name, value]) => `${name} ${value.toFixed(2)}`);
    const lines = [`${legible(item.path)}${place}: ${[...listed, ...heads].join(", ")}`];
    item.result.maps.forEach(({ method, target, scores }, i) => {
      if (!item.picture) return;
      lines.push(`  ${method.name}, ${classes[target]}  ${item.overlays[i] ?? ""}`);
      const rows = scoredBoxes(item, scores).sort((a, b) => b.importance - a.importance)
        .map(({ label, confidence, importance }) => [
          importance > threshold ? "*" : "",
          legible(label),
          Number.isNaN(importance) ? "n/a" : importance.toFixed(3),
          confidence.toFixed(2),
        ]);
      if (rows.length === 0) lines.push("    no boxes");
      else {lines.push(
          textTable(["", "object", "importance", "confidence"], rows).replace(/^/gm, "    "),
        );}
    });
    return lines.join("\n");
  });
  for (const path of empty) {
    parts.push(`${legible(path)}: no ${samples === "faces" ? "face" : "sample"} found`);
  }
  if (parts.length === 0) parts.push("nothing was explained");
  if (maps !== undefined) parts.push(`maps: ${join(maps, "METHOD.npy")} (raw), METHOD.final.npy`);
  return parts.join("\n\n");
}
