/**
 * An analysis as its manifest records it: all that must be known to read its results without its models.
 *
 * @module
 */

import type { Manifest } from "../ledger/manifest.ts";
import { gridOf } from "../methods/mod.ts";
import type { TargetChoice } from "../classifier/target.ts";
import type { Analysis, Stages } from "./plan.ts";

/** The parts of a manifest that follow from the analysis. */
export type AnalysisRecord = Pick<
  Manifest,
  "classifier" | "detector" | "methods" | "analysis" | "stages"
>;

/** What a record says beside the analysis itself. */
export interface AnalysisChoices {
  /** A box is salient over this importance. */
  readonly threshold: number;
  /** The target that was asked for. */
  readonly target: TargetChoice;
  /** Names of all target layers; by default the classifier's. */
  readonly layers?: readonly string[];
}

/** Records an analysis. The record has a JSON form. */
export function analysisRecord(
  analysis: Analysis,
  stages: Stages,
  { threshold, target, layers }: AnalysisChoices,
): AnalysisRecord {
  const { classifier, detector, samples, classes, boxMean, orientation, seed } = analysis;
  const { layer, card, key, batch } = classifier;
  const [channels, height, width] = classifier.inputShape;
  return {
    classifier: {
      card,
      key,
      input: [channels, height, width],
      batch,
      layer: { name: layer.name, shape: [layer.channels, layer.height, layer.width] },
      layers: layers ? [...layers] : [layer.name],
      receptiveField: layer.field
        ? { y: { ...layer.field.y }, x: { ...layer.field.x }, global: layer.field.global }
        : null,
      placement: classifier.placementRule,
    },
    detector: {
      name: detector.name,
      key: detector.key,
      ...(detector.labels ? { labels: [...detector.labels] } : {}),
      ...(detector.frame ? { frame: { ...detector.frame } } : {}),
    },
    methods: analysis.methods.map((method) => ({
      name: method.name,
      title: method.title,
      source: method.source,
      control: method.family === "control",
      target: method.target ?? analysis.target,
      rectify: method.rectify,
      ...(method.normalised ? { normalised: true } : {}),
      ...(method.settings ? { settings: method.settings } : {}),
      grid: gridOf(method, classifier),
    })),
    analysis: { samples, classes, target, threshold, boxMean, orientation, seed },
    stages: {
      ...(stages.faces ? { faces: stages.faces.fingerprint } : {}),
      detections: stages.detection.fingerprint,
      samples: stages.sampling.fingerprint,
      predictions: stages.forward.fingerprint,
      ...Object.fromEntries(stages.methods.flatMap(({ method: { name }, map, score }) => [
        [`${name} maps`, map.fingerprint],
        [`${name} importances`, score.fingerprint],
      ])),
    },
  };
}
