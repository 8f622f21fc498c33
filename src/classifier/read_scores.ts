/**
 * A classifier's scores and batch, by its card.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import type { Graph } from "../onnx/graph.ts";
import { type Scored, withScores } from "../onnx/scores.ts";
import { inferShapes } from "../onnx/shapes.ts";
import type { ClassifierCard } from "../runtime/card.ts";
import { fixInput } from "./geometry.ts";

/** A classifier's scores, and what follows from its input. */
export interface ReadScores {
  readonly scored: Scored;
  readonly batch: number;
  readonly inputShape: readonly [number, number, number];
  readonly notices: readonly string[];
}

/**
 * Fixes a graph's input and finds its scores, as its card says. Where the scores of a batch of any size have a number of rows, as when
 * an exporter wrote the batch that it saw into a Reshape, the batch is fixed to that number.
 *
 * @param wanted samples in a batch
 * @throws {ModelError} when the graph and the card do not fit each other.
 */
export function readScores(source: Graph, card: ClassifierCard, wanted: number): ReadScores {
  const { name, kind, logits } = card.output;
  const read = (baked?: number) => {
    const { graph, ...fixed } = fixInput(source, card, wanted, baked);
    const scored = withScores(graph, {
      ...(name ? { output: name } : {}),
      ...(kind ? { kind } : {}),
      ...(logits ? { logits } : {}),
    });
    return { ...fixed, scored };
  };
  const open = read();
  const baked = bakedBatch(open.scored);
  const found = baked === undefined ? open : read(baked);
  const { scored } = found;
  if (card.classes.length !== scored.classes) {
    throw new ModelError(
      `Cannot use model ${card.name}: its output has ${scored.classes} classes, its card names ${card.classes.length}`,
    );
  }
  return { ...found, notices: [...scored.notices, ...found.notices] };
}

/** The number of rows that the scores have whatever the batch; `undefined` where they have as many as the batch. */
function bakedBatch({ graph, logits, probabilities }: Scored): number | undefined {
  if (typeof graph.inputs[0]?.shape?.[0] !== "string") return undefined;
  const rows = inferShapes(graph).get(logits ?? probabilities)?.shape?.[0];
  return typeof rows === "number" ? rows : undefined;
}
