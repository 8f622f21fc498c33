/**
 * Linear heads on a classifier's probabilities, such as EmoNet's valence and arousal.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { ClassifierCard } from "../runtime/card.ts";

/**
 * The heads of a card for the probabilities of one sample: value = bias + Σ_k weights_k p_k, summed in float64.
 *
 * @param probabilities [classes], 0 … 1
 * @returns the values by the heads' names, in the card's order; none where the card has no heads. NaN spreads.
 * @throws {ModelError} when a head has another number of weights than there are probabilities.
 */
export function headValues(
  card: Pick<ClassifierCard, "name" | "heads">,
  probabilities: ArrayLike<number>,
): Record<string, number> {
  const values: Record<string, number> = {};
  for (const [name, { bias, weights }] of Object.entries(card.heads ?? {})) {
    if (weights.length !== probabilities.length) {
      throw new ModelError(
        `Cannot compute ${name} of model ${card.name}: its head has ${weights.length} weights for ${probabilities.length} classes; correct the card`,
      );
    }
    values[name] = weights.reduce((sum, weight, k) => sum + weight * probabilities[k], bias);
  }
  return values;
}
