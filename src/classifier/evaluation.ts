/**
 * Scores of a cut classifier without its activations.
 *
 * @module
 */

import type { Tensor } from "../base/tensor.ts";
import { extract } from "../onnx/extract.ts";
import { steadyRows } from "./batch_invariance.ts";
import type { Classifier, ClassifierGraphs } from "./classifier.ts";
import { evaluateRows } from "./evaluate.ts";
import type { Sessions } from "./sessions.ts";
import { rowOf } from "./values.ts";

/**
 * Scores of a classifier for as many rows as one likes: of inputs, and of activations through the head alone.
 *
 * @param title of the graph that is made
 */
export function evaluations(
  { whole, head, input, layer, logits, probabilities }: ClassifierGraphs,
  sessions: Sessions,
  { title, batch, headBatch }: { title: string; batch: number; headBatch: number },
): Pick<Classifier, "evaluate" | "evaluateHead"> {
  const names = { probabilities, ...(logits ? { logits } : {}) };
  const outputs = [...logits ? [logits] : [], probabilities];
  return {
    async evaluate(inputs) {
      const session = await sessions.asIs(
        "scores",
        // The steady forms of operators such as LRN are also the faster ones.
        () => steadyRows(extract(whole, { inputs: [input], outputs }, title)),
      );
      return await evaluateRows(session, { input, ...names }, inputs, batch);
    },
    async evaluateHead(activations, forward, row) {
      const session = await sessions.asIs("head", () => head);
      const others: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(forward.bypass)) {
        others[name] = await rowOf(value, row);
      }
      return await evaluateRows(
        session,
        { input: layer, ...names },
        activations,
        headBatch,
        others,
      );
    },
  };
}
