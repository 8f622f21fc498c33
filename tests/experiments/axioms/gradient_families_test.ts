/**
 * The gradient axiom on five families of nets at 20 seeds each: it holds for the gradients of this project, whose rules are compared with
 * PyTorch's and with float64 elsewhere, and fails for a rule that is wrong by 1 %.
 */

import type { AxiomContext } from "../../../src/experiments/axioms/mod.ts";
import { gradient } from "../../../src/experiments/axioms/gradient.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import type { Classifier } from "../../../src/classifier/classifier.ts";
import type { Target } from "../../../src/classifier/target.ts";
import { createCompute } from "../../../src/gpu/create_compute.ts";
import { assertAtLeast, assertAtMost } from "../../assert_that.ts";
import { noise } from "../../onnx/native.ts";
import { FAMILIES, family } from "./families.ts";
import { opsOfHead, withWrongRule } from "./faulty.ts";
import { figure } from "./support.ts";

const SEEDS = 20;
const BOUND = 1e-3;
const FAULT = 1.01;
/** Of 20 seeds. */
const CAUGHT = 19;
const WRONG = ["Conv", "MaxPool", "AveragePool", "GlobalAveragePool", "LRN", "Softmax"];

const compute = await createCompute("cpu");

/** The figure for the class that is predicted of one picture of noise. */
async function figureOf(classifier: Classifier, seed: number, target: Target): Promise<number> {
  const inputs = noise([1, 3, 64, 64], 1000 + seed);
  const { data } = (await classifier.evaluate(inputs)).probabilities;
  const context: AxiomContext = {
    classifier,
    compute,
    inputs,
    keys: [`noise ${seed}`],
    classes: [data.indexOf(Math.max(...data))],
    target,
    seed,
    other: () => Promise.resolve(undefined),
  };
  return figure(await gradient.check(context, gradCam));
}

/** Of the families' classifiers, one a seed. */
async function figures(
  name: keyof typeof FAMILIES,
  layer: string,
  of: (classifier: Classifier, seed: number) => Promise<Record<string, number>>,
): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {};
  for (let seed = 0; seed < SEEDS; seed++) {
    const classifier = await family(name, seed, layer);
    try {
      for (const [what, value] of Object.entries(await of(classifier, seed))) {
        (all[what] ??= []).push(value);
      }
    } finally {
      await classifier.dispose();
    }
  }
  return all;
}

for (const [name, { layers }] of Object.entries(FAMILIES)) {
  for (const layer of layers) {
    const title = `${name} at its ${layer} layer, ${SEEDS} seeds`;
    const key = name as keyof typeof FAMILIES;

    Deno.test(`the gradient axiom holds: ${title}`, async () => {
      const found = await figures(key, layer, async (classifier, seed) => ({
        logit: await figureOf(classifier, seed, "logit"),
        probability: await figureOf(classifier, seed, "probability"),
      }));
      for (const [target, values] of Object.entries(found)) {
        assertAtMost(Math.max(...values), BOUND, target);
      }
    });

    Deno.test(`a rule that is wrong by 1 % fails the gradient axiom: ${title}`, async () => {
      const found = await figures(key, layer, async (classifier, seed) => {
        const values: Record<string, number> = {};
        const ops = opsOfHead(classifier);
        for (const op of WRONG.filter((op) => ops.has(op))) {
          values[op] = await figureOf(withWrongRule(classifier, op, FAULT), seed, "logit");
        }
        const last = withWrongRule(classifier, "Softmax", FAULT);
        values["Softmax of the probability"] = await figureOf(last, seed, "probability");
        return values;
      });
      for (const [op, values] of Object.entries(found)) {
        assertAtLeast(values.filter((value) => value > BOUND).length, CAUGHT, op);
      }
    });
  }
}
