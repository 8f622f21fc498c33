/**
 * From a model file and its card to a cut classifier.
 *
 * @module
 */

import type { Classifier, ClassifierOptions } from "./classifier.ts";
import type { ClassifierSource } from "./source.ts";
import { openAtLayer } from "./open_at_layer.ts";
import { readScores } from "./read_scores.ts";

/**
 * Loads a classifier and cuts it at its target layer.
 *
 * @throws {ModelError} when the model does not fit its card, has no usable target layer, or the backend refuses it.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export async function openClassifier(
  source: ClassifierSource,
  options: ClassifierOptions,
): Promise<Classifier> {
  const { taken } = source;
  const { scored, batch, inputShape, notices } = readScores(
    taken.graph,
    source.card,
    options.batch,
  );
  return await openAtLayer(scored, source, {
    ...options,
    batch,
    inputShape,
    notices: [...source.notices, ...taken.notices, ...notices],
  });
}
