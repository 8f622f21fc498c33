/**
 * The parameter-randomisation cascade: how a method's maps change as layer after layer of the model forgets what it learned.
 *
 * @module
 */

import { createRng } from "../base/rng.ts";
import type { Method } from "../methods/mod.ts";
import { learnedNodes, randomiseWeights } from "../onnx/randomise.ts";
import type { AxiomContext } from "./axioms/axiom.ts";
import { mapsOf, sampleOf } from "../attribution/maps.ts";
import { meanOverSamples, plainMaps } from "./sample_maps.ts";
import { plainPearson } from "../statistics/correlation.ts";

/** One step of the cascade. */
export interface CascadeStep {
  /** Layers with re-drawn parameters, counted from the output. */
  readonly layers: number;
  /** The last of them. */
  readonly layer: string;
  /**
   * Mean correlation, over samples, of each method's final map with that of the trained model, for the same class; in the
   * order of the methods. NaN where all maps are constant.
   */
  readonly correlations: readonly number[];
}

/**
 * Randomises 1, 2, 4, 8, … layers from the output down, then all of them, and compares the maps with the trained model's.
 *
 * A method that explains the model falls towards 0; one that stays near 1 shows the picture or the architecture.
 *
 * Source: Adebayo et al., "Sanity Checks for Saliency Maps" (NeurIPS 2018, arXiv 1810.03292), section 3. Departures: see
 * `randomiseWeights`; correlation instead of rank correlation and SSIM, of maps after ReLU and scaling.
 */
export async function* cascade(
  context: AxiomContext,
  methods: readonly Method[],
): AsyncGenerator<CascadeStep> {
  const layers = learnedNodes(context.classifier.graphs.whole);
  for (const count of steps(layers.length)) {
    const correlations: number[] = [];
    for (const method of methods) {
      correlations.push(await correlationWhenRedrawn(context, method, count) ?? NaN);
    }
    // A copy of all weights, with its sessions.
    await context.classifier.dropDerived(nameOf(context, count));
    yield { layers: count, layer: layers[count - 1].name, correlations };
  }
}

/**
 * Mean correlation, over samples, of a method's final maps with those of the model whose first layers from the output are re-drawn, for the
 * same classes; `undefined` where all maps are constant, NaN where one holds anything but numbers.
 */
export async function correlationWhenRedrawn(
  context: AxiomContext,
  method: Method,
  layers: number,
): Promise<number | undefined> {
  const { classifier, compute, seed } = context;
  const random = await classifier.derive(
    nameOf(context, layers),
    (graph) => randomiseWeights(graph, createRng(seed).split("cascade"), layers),
  );
  const trained = await plainMaps(context, method);
  const maps = await mapsOf({ classifier: random, compute }, method, context);
  return meanOverSamples(
    context.classes.map((_, i) => [
      sampleOf(trained.final, trained.samples, i),
      sampleOf(maps.final, maps.samples, i),
    ]),
    plainPearson,
  );
}

function nameOf({ seed }: AxiomContext, layers: number): string {
  return `cascade ${seed} ${layers}`;
}

/** 1, 2, 4, … below the number of layers, then that number. */
export function steps(layers: number): number[] {
  const found: number[] = [];
  for (let count = 1; count < layers; count *= 2) found.push(count);
  return layers > 0 ? [...found, layers] : found;
}
