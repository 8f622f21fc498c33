/**
 * Composites: which linear layer gets which rule.
 *
 * @module
 */

import type { LinearRule } from "./linear.ts";
import { alphaBetaRule, epsilonRule, flatRule, gammaRule, zPlusRule } from "./linear_rules.ts";

/** Kinds of linear layers. */
export type LayerKind = "convolution" | "dense" | "pooling" | "normalisation";

/** Which layers an entry means: of a kind, the first ones only, or any. */
interface Match {
  readonly kind?: LayerKind;
  /** Layers that read the network's input, with no other convolution or dense layer in between. */
  readonly first?: boolean;
}

/** An ordered list; a layer gets the rule of the first entry that matches. The last entry matches every layer. */
export type Composite = readonly (readonly [Match, LinearRule])[];

/** So small that nothing but a result of 0 is changed: relevance is lost to biases alone. */
export const TINY = 1e-9;

/**
 * What composites have in common. Pooling has positive weights only, and batch normalisation (where an exporter has not folded it
 * into its convolution) one input for each output: there is nothing to choose among.
 */
const COMMON: Composite = [
  [{ kind: "pooling" }, epsilonRule(TINY)],
  [{ kind: "normalisation" }, epsilonRule(TINY)],
];

/**
 * The composites, by name.
 *
 * Sources: Bach et al. 2015 (epsilon; alpha-beta with α = 2); Montavon et al. 2017 (z+); Montavon et al. 2019 (gamma, 0.25);
 * Kohlbrenner et al., "Towards Best Practice in Explaining Neural Network Decisions with LRP" (IJCNN 2020, arXiv 1910.09840) for
 * epsilon-plus-flat: dense layers ε, convolutions z+, the first layers flat.
 */
export const COMPOSITES = {
  epsilon: [[{}, epsilonRule(TINY)]],
  "z+": [...COMMON, [{}, zPlusRule(TINY)]],
  gamma: [...COMMON, [{}, gammaRule(0.25, TINY)]],
  "alpha-beta": [...COMMON, [{}, alphaBetaRule(2, TINY)]],
  "epsilon-plus-flat": [
    [{ kind: "convolution", first: true }, flatRule()],
    [{ kind: "dense", first: true }, flatRule()],
    [{ kind: "convolution" }, zPlusRule(TINY)],
    [{}, epsilonRule(1e-6)],
  ],
} satisfies Readonly<Record<string, Composite>>;

/** A composite's name. */
export type CompositeName = keyof typeof COMPOSITES;

/** The rule for a layer. @throws {RangeError} when no entry matches. */
export function ruleOf(composite: Composite, kind: LayerKind, first: boolean): LinearRule {
  for (const [match, rule] of composite) {
    if (match.kind !== undefined && match.kind !== kind) continue;
    if (match.first && !first) continue;
    return rule;
  }
  throw new RangeError(`Cannot choose a rule: no entry of the composite matches ${kind}`);
}
