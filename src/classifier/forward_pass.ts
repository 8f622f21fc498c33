/**
 * Forward passes of a cut classifier.
 *
 * @module
 */

import { type Session, toFloats } from "../runtime/session.ts";
import type { Classifier, ClassifierGraphs } from "./classifier.ts";
import { padRows } from "./evaluate.ts";
import { release } from "./values.ts";

/** Passes of one batch: from inputs, or taken up from stored activations. */
export function forwardPasses(
  { input, layer, bypass, logits, probabilities }: ClassifierGraphs,
  passage: Session,
  batch: number,
): Pick<Classifier, "forward" | "resume"> {
  return {
    async forward(values) {
      const count = values.shape[0];
      const padded = padRows(values, batch);
      const results = await passage.run({ [input]: padded });
      const kept = Object.fromEntries(bypass.map((name) => [name, results[name]]));
      const activation = results[layer];
      return {
        count,
        input: padded,
        activation,
        bypass: kept,
        ...(logits ? { logits: await toFloats(results[logits]) } : {}),
        probabilities: await toFloats(results[probabilities]),
        dispose: () => [activation, ...Object.values(kept)].forEach(release),
      };
    },
    resume(activation, storedLogits, storedProbabilities) {
      return {
        count: activation.shape[0],
        activation: padRows(activation, batch),
        bypass: {},
        ...(storedLogits ? { logits: padRows(storedLogits, batch) } : {}),
        probabilities: padRows(storedProbabilities, batch),
        dispose: () => {},
      };
    },
  };
}
