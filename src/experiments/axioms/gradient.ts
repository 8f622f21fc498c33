/**
 * Axiom: the gradient at the target layer is the slope of the score.
 *
 * @module
 */

import { createRng } from "../../base/rng.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import type { Classifier, Forward } from "../../classifier/classifier.ts";
import { evaluateRows } from "../../classifier/evaluate.ts";
import { readFloats, rowOf } from "../../classifier/values.ts";
import { createContext, gradientUnsupported } from "../../methods/mod.ts";
import { pieceGraph } from "../../rules/pieces/piece_graph.ts";
import type { Axiom, AxiomContext, Finding } from "./axiom.ts";
import { differentiable } from "./_log_odds.ts";
import { type Point, slopeErrors } from "./_slope_errors.ts";

/** Largest relative difference of a right gradient; one that is wrong by 1 % where all of it passes is at 1e-2. */
const BOUND = 1e-3;
/** A slope counts that is more certain than this share of the bound. */
const CERTAIN = 0.5;
/** The score on the piece and that of the head, at the same activation, differ by rounding: by this part of the largest score at most. */
const SAME_SCORE = 1e-4;

/** The finding of each context: all methods share the gradient. */
const found = new WeakMap<AxiomContext, Promise<Finding>>();

/**
 * Median, over samples, of the relative difference between ⟨∂y/∂A, v⟩ and the slope of the score along v by finite differences, the
 * largest over directions v.
 *
 * A network of ReLUs and maxima has corners so close to each other that differences of float32 scores cross many of them, and tell
 * nothing of the gradient at A. They are taken of the function that the head is on the piece around A ({@linkcode pieceGraph}): it has
 * the same gradient there and no corners, so that steps can be long and rounding is small. Slopes that remain uncertain (of a head
 * that is chaotic) are left out; where that is over half of them, nothing is said.
 *
 * At the input the gradient goes through every layer. That gradient is what completeness checks, of FullGrad and Integrated Gradients.
 */
export const gradient: Axiom = {
  name: "gradient",
  source:
    "finite differences of the score, on the smooth piece around the activation; median relative difference",
  bound: { atMost: BOUND },
  applies: ({ usesGradient }) => usesGradient === true,
  check(context) {
    let own = found.get(context);
    if (!own) found.set(context, own = differences(context));
    return own;
  },
};

async function differences(context: AxiomContext): Promise<Finding> {
  const { classifier, inputs, classes, keys, target, seed } = context;
  const unsupported = gradientUnsupported(classifier, target);
  if (unsupported) return { skipped: unsupported.reason };
  const forward = await classifier.forward(inputs);
  const pass = createContext(classifier, forward, target, { seed, keys });
  try {
    const padding = new Array<number>(classifier.batch - classes.length).fill(0);
    const slope = await readFloats((await pass.gradient([...classes, ...padding])).gradient);
    const at = await readFloats(forward.activation);
    const size = at.data.length / at.shape[0];
    const errors: number[] = [];
    let asked = 0, told = 0;
    for (const [row, k] of classes.entries()) {
      const part = ({ data }: Tensor) => data.subarray(row * size, (row + 1) * size);
      const point: Point = {
        activation: part(at),
        gradient: part(slope),
        shape: at.shape.slice(1),
        score: differentiable({ classifier, forward, target }, row, k),
        scoresAt: await pieceAt(classifier, forward, row),
      };
      const other = await otherScore(point, forward, row);
      if (other) return { skipped: other };
      const rng = createRng(seed).split("gradient axiom").split(row);
      const own = await slopeErrors(point, CERTAIN * BOUND, rng);
      asked += own.asked;
      told += own.errors.length;
      if (own.errors.length > 0) errors.push(Math.max(...own.errors));
    }
    if (errors.length === 0) return { skipped: "the score hardly moves at any sample" };
    if (2 * told < asked) {
      return { skipped: `differences tell the slope in ${told} of ${asked} directions only` };
    }
    // NaN last: it counts as the largest.
    errors.sort((a, b) => Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b);
    return { value: errors[Math.floor(errors.length / 2)] };
  } finally {
    pass.dispose();
    forward.dispose();
  }
}

/** Scores of activations [M, C, h, w] on the piece of the head around one sample's activation. */
async function pieceAt(
  classifier: Classifier,
  forward: Forward,
  row: number,
): Promise<Point["scoresAt"]> {
  const { graphs: { head, layer, logits, probabilities } } = classifier;
  const { graph, moved, outputs } = pieceGraph(head, layer);
  const session = await classifier.session("piece of the head", () => graph);
  const others: Record<string, Tensor> = { [layer]: await rowOf(forward.activation, row) };
  for (const [name, value] of Object.entries(forward.bypass)) {
    others[name] = await rowOf(value, row);
  }
  const names = {
    input: moved,
    probabilities: outputs.get(probabilities)!,
    ...(logits ? { logits: outputs.get(logits)! } : {}),
  };
  const fixed = typeof head.inputs[0].shape?.[0] === "number";
  return (values) =>
    evaluateRows(session, names, values, fixed ? classifier.headBatch : values.shape[0], others);
}

/** That the piece does not meet the head at the activation, in words: then its slope says nothing. */
async function otherScore(
  { activation, shape, score, scoresAt }: Point,
  forward: Forward,
  row: number,
): Promise<string | undefined> {
  const expected = score.value(forward, row);
  const there = score.value(await scoresAt(floats([1, ...shape], activation)), 0);
  const largest = Math.max(...[forward.logits, forward.probabilities].flatMap((scores) => {
    if (!scores) return [];
    const count = scores.shape[1];
    return [...scores.data.subarray(row * count, (row + 1) * count)].map(Math.abs);
  }));
  if (!(Math.abs(there - expected) > SAME_SCORE * largest)) return undefined;
  return `the head's smooth piece has the score ${there} at the activation, the head ${expected}`;
}
