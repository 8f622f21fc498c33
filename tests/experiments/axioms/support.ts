/** A context of the shipped classifier on noise, for tests of axioms. */

import type { Classifier } from "../../../src/classifier/classifier.ts";
import type { AxiomContext } from "../../../src/experiments/axioms/mod.ts";
import { createCompute } from "../../../src/gpu/create_compute.ts";
import { miniXception, noiseInputs } from "../../methods/shipped.ts";

/** Runs `use` on a batch of three noise pictures; `change` may replace parts of the context. */
export async function withAxiomContext<T>(
  use: (context: AxiomContext) => Promise<T>,
  change: (classifier: Classifier) => Partial<AxiomContext> = () => ({}),
): Promise<T> {
  const classifier = await miniXception();
  try {
    return await use({
      classifier,
      compute: await createCompute("cpu"),
      inputs: noiseInputs(classifier, 3),
      keys: ["a", "b", "c"],
      classes: [3, 1, 6],
      target: "logit",
      seed: 7,
      other: () => Promise.resolve(undefined),
      ...change(classifier),
    });
  } finally {
    await classifier.dispose();
  }
}

/** The figure of a check; throws where it was skipped. */
export function figure(finding: { value: number } | { skipped: string }): number {
  if ("value" in finding) return finding.value;
  throw new Error(`skipped: ${finding.skipped}`);
}
