/**
 * From a model file and its card to a cut classifier.
 *
 * @module
 */

import type { Classifier, ClassifierOptions } from "./classifier.ts";
import type { ClassifierSource } from "./source.ts";
import { ModelError } from "../base/errors.ts";
import { fixInput } from "./geometry.ts";
import { openScored } from "./open_at_layer.ts";
import { readModel } from "../onnx/model_file.ts";
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
  const model = readModel(source.bytes);
  const notices = [...source.notices];
  const { batch, inputShape } = fixInput(model, card, options.batch, notices);
  const { name, kind, logits } = card.output;
  const scored = withScores(model, {
    ...(name ? { output: name } : {}),
    ...(kind ? { kind } : {}),
    ...(logits ? { logits } : {}),
  });
  if (card.classes.length !== scored.classes) {
    throw new ModelError(
      `Cannot use model ${card.name}: its output has ${scored.classes} classes, its card names ${card.classes.length}`,
    );
  }
  return await openScored(scored, { ...source, notices }, { ...options, batch, inputShape });
}
