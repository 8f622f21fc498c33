/**
 * What a run computes, and the stages under which the ledger keeps it.
 *
 * @module
 */

import type { Method } from "../methods/mod.ts";
import type { Detector } from "../detectors/detector.ts";
import type { CorpusImage } from "../image/image_file.ts";
import type { Ledger, Stage } from "../ledger/ledger.ts";
import type { Crop, SampleKind } from "../attribution/samples.ts";
import { type AttributionRequest, PAPER_FRAME } from "../attribution/request.ts";
import type { Orientation } from "../image/image.ts";

/** What a run computes. */
export interface Analysis extends AttributionRequest {
  readonly images: readonly CorpusImage[];
  readonly samples: SampleKind;
  /** Finds the faces that are cut out; needed where samples are faces. May be the detector itself. */
  readonly faceFinder?: Detector;
  readonly crop?: Crop;
  /** Whether pictures are turned upright by their EXIF orientation, or taken as stored. */
  readonly orientation: Orientation;
  /** Activations are kept in the ledger up to this many bytes. */
  readonly activationBudget: number;
}

/** A method with its stages. */
export interface MethodStages {
  /** As it is in the analysis. */
  readonly method: Method;
  readonly map: Stage;
  readonly score: Stage;
}

/** The stages of a run. */
export interface Stages {
  readonly faces?: Stage;
  readonly detection: Stage;
  readonly sampling: Stage;
  readonly forward: Stage;
  /** In the order of the methods. */
  readonly methods: readonly MethodStages[];
  /** Why results that exist are not used, one line a stage. */
  readonly reasons: readonly string[];
}

/** The stages of one of an analysis' methods. */
export function stagesOfMethod({ methods }: Stages, method: Method): MethodStages {
  const stages = methods.find((entry) => entry.method === method);
  if (!stages) {
    throw new TypeError(`Cannot find the stages of ${method.name}: it is not in this run`);
  }
  return stages;
}

/** Registers the stages of a run in its ledger. */
export function registerStages(ledger: Ledger, analysis: Analysis): Stages {
  const { classifier, detector, faceFinder, crop, orientation, samples } = analysis;
  const reasons: string[] = [];
  const register = (name: string, settings: Parameters<Ledger["stage"]>[1]) => {
    const stage = ledger.stage(name, settings);
    if (stage.changes.length > 0) {
      reasons.push(`${name} are computed again: ${stage.changes.join("; ")}`);
    }
    return stage;
  };
  const detection = register("detections", { detector: detector.key, orientation });
  const faces = samples !== "faces"
    ? undefined
    : faceFinder === detector
    ? detection
    : register("faces", { detector: faceFinder!.key, orientation });
  const sampling = register(
    "samples",
    faces
      ? { samples, faces: faces.fingerprint, crop: { around: crop!.around, scale: crop!.scale } }
      : { samples, orientation },
  );
  const forward = register("predictions", {
    ...classifier.key,
    sampling: sampling.fingerprint,
  });
  const methods = analysis.methods.map((method): MethodStages => {
    const map = register(`${method.name} maps`, {
      method: method.name,
      ...(method.settings ? { settings: method.settings } : {}),
      ...(method.usesTarget ? { target: method.target ?? analysis.target } : {}),
      ...(method.random ? { seed: analysis.seed } : {}),
      forward: forward.fingerprint,
    });
    const score = register(`${method.name} importances`, {
      map: map.fingerprint,
      detection: detection.fingerprint,
      placement: classifier.placementRule,
      boxMean: analysis.boxMean,
      ...(analysis.boxMean === "paper" ? { frame: { ...detector.frame ?? PAPER_FRAME } } : {}),
      rectify: method.rectify,
    });
    return { method, map, score };
  });
  return { ...(faces ? { faces } : {}), detection, sampling, forward, methods, reasons };
}
