/**
 * From a model file and its card to a cut classifier.
 *
 * @module
 */

import type { Classifier, ClassifierOptions } from "./classifier.ts";
import type { ClassifierSource } from "./source.ts";
import { ModelError } from "../base/errors.ts";
import { fixInput } from "./geometry.ts";
import { openAtLayer } from "./open_at_layer.ts";
import { withScores } from "../onnx/scores.ts";

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
  const { card } = source;
  const { graph, batch, inputShape, notices } = fixInput(source.graph, card, options.batch);
  const { name, kind, logits } = card.output;
  const scored = withScores(graph, {
    ...(name ? { output: name } : {}),
    ...(kind ? { kind } : {}),
    ...(logits ? { logits } : {}),
  });
  if (card.classes.length !== scored.classes) {
    throw new ModelError(
      `Cannot use model ${card.name}: its output has ${scored.classes} classes, its card names ${card.classes.length}`,
    );
  }
  return await openAtLayer(scored, source, {
    ...options,
    batch,
    inputShape,
    notices: [...source.notices, ...notices],
  });
}
