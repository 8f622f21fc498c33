/** A classifier whose gradient is wrong. */

import type { Classifier } from "../../../src/classifier/classifier.ts";
import { gradientGraph, type Rule, type RuleTable } from "../../../src/onnx/backward.ts";
import { GRADIENT_RULES } from "../../../src/rules/gradient/mod.ts";

/** The same classifier with a gradient rule whose cotangents are all too large by a factor. */
export function withWrongRule(classifier: Classifier, op: string, factor: number): Classifier {
  const { head, layer, ...scores } = classifier.graphs;
  const right = (GRADIENT_RULES as RuleTable)[op];
  const wrong: Rule = (b, ...rest) =>
    right(b, ...rest).map((value) => value && b.op("Mul", [value, b.scalar(factor)]));
  const table = { ...GRADIENT_RULES, [op]: wrong };
  return {
    ...classifier,
    async gradient(forward, score, cotangent) {
      const session = await classifier.session(
        `gradient of ${score}, with ${op} times ${factor}`,
        () => gradientGraph(head, { score: scores[score]!, target: layer, table }),
      );
      const feeds = { [layer]: forward.activation, ...forward.bypass, cotangent };
      const read = Object.entries(feeds).filter(([name]) => session.inputs.includes(name));
      const { gradient } = await session.run(Object.fromEntries(read));
      return { gradient, mean: gradient };
    },
  };
}

/** The operators between the target layer and the logits. */
export function opsOfHead({ graphs: { head, logits } }: Classifier): Set<string> {
  return new Set(
    head.nodes.filter(({ op, inputs }) => op !== "Softmax" || inputs[0] !== logits)
      .map(({ op }) => op),
  );
}
