/**
 * Forward passes of a cut classifier.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { flag } from "../base/flag.ts";
import { rows, type Tensor } from "../base/tensor.ts";
import { isGpuTensor, type SessionValue, toFloats } from "../runtime/session.ts";
import type { SteadySession } from "./batch_invariance.ts";
import type { Classifier, ClassifierGraphs } from "./classifier.ts";
import { padRows } from "./evaluate.ts";
import { checkFirstBatch, checkScale, type Results } from "./self_check.ts";
import { release } from "./values.ts";

/** What is known of a classifier whose passes are made. */
interface PassFacts {
  readonly batch: number;
  /** Of the model, for messages. */
  readonly name: string;
  readonly classes: readonly string[];
  /** Whether the first batch is checked: not where the same model was before. */
  readonly check: boolean;
  /** Whether nothing but the lack of a softmax said that the scores are logits. */
  readonly assumedLogits: boolean;
}

/** Passes of one batch: from inputs, or taken up from stored activations. */
export function forwardPasses(
  graphs: ClassifierGraphs,
  passage: SteadySession,
  facts: PassFacts,
): Pick<Classifier, "forward" | "resume"> {
  const { input, layer, bypass, logits, probabilities } = graphs;
  const { batch } = facts;
  let checked: Promise<void> | undefined = facts.check ? undefined : Promise.resolve();
  const run = async (padded: Tensor) => {
    const outputs = checked
      ? await passage.run({ [input]: padded })
      : await runFirst(passage, input, padded, facts);
    const scores = {
      ...(logits ? { logits: await toFloats(outputs[logits]) } : {}),
      probabilities: await toFloats(outputs[probabilities]),
    };
    for (const scored of Object.values(scores)) checkShape(scored, facts);
    return { outputs, scores };
  };
  return {
    async forward(values) {
      const count = values.shape[0];
      const padded = padRows(values, batch);
      const { outputs, scores } = await run(padded);
      const activation = outputs[layer];
      const kept = Object.fromEntries(bypass.map((name) => [name, outputs[name]]));
      const dispose = () => [activation, ...Object.values(kept)].forEach(release);
      try {
        await (checked ??= check(graphs, passage, facts, {
          input: padded,
          count,
          results: { ...scores, ...onCpu(activation) },
        }));
      } catch (error) {
        dispose();
        throw error;
      }
      return { count, input: padded, activation, bypass: kept, ...scores, dispose };
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

/** An activation, where it is not on the GPU: bringing it from there would cost more than the pass. */
function onCpu(activation: SessionValue): { activation?: Tensor } {
  return isGpuTensor(activation) || activation.type !== "float32" ? {} : { activation };
}

/** Checks the first batch of a model. @throws {ModelError} as `checkFirstBatch` and `checkScale`. */
async function check(
  { input, layer, bypass, logits, probabilities }: ClassifierGraphs,
  passage: SteadySession,
  { name, classes, assumedLogits }: PassFacts,
  first: { readonly input: Tensor; readonly count: number; readonly results: Results },
): Promise<void> {
  const run = async (values: Tensor, pass: SteadySession["run"]): Promise<Results> => {
    const outputs = await pass({ [input]: values });
    const result = {
      ...(logits ? { logits: await toFloats(outputs[logits]) } : {}),
      probabilities: await toFloats(outputs[probabilities]),
      ...onCpu(outputs[layer]),
    };
    for (const name of [layer, ...bypass]) release(outputs[name]);
    return result;
  };
  const { together } = passage;
  const batch = {
    ...first,
    name,
    classes,
    // Work on a GPU may be parted by the shape of what else there is to do.
    exact: passage.backend !== "webgpu",
    run: (values: Tensor) => run(values, passage.run),
    ...together && {
      together: async (values: Tensor) => {
        try {
          // Sums over many cells are rounded otherwise here; the scores tell.
          const { activation: _, ...results } = await run(values, together);
          return results.probabilities.shape[0] === values.shape[0] ? results : undefined;
        } catch (error) {
          if (error instanceof ModelError) return undefined;
          throw error;
        }
      },
    },
  };
  checkScale(batch, assumedLogits);
  await checkFirstBatch(batch);
}

/**
 * The first run of a model. Where it fails, one row is tried, to say what to do.
 *
 * @throws {ModelError} when the batch cannot be run.
 */
async function runFirst(
  passage: SteadySession,
  input: string,
  padded: Tensor,
  { name, batch }: PassFacts,
): Promise<Record<string, SessionValue>> {
  try {
    return await passage.run({ [input]: padded });
  } catch (error) {
    if (!(error instanceof ModelError) || batch === 1) throw error;
    const single = await passage.run({ [input]: rows(padded, 0, 1) }).catch(() => undefined);
    if (!single) throw error;
    Object.values(single).forEach(release);
    const said = typeof error.cause === "string" ? ` (${error.cause})` : "";
    throw new ModelError(
      `Cannot run model ${name} on batches of ${batch}: it takes one sample at a time; give ${
        flag("batch")
      } 1${said}`,
    );
  }
}

/** @throws {ModelError} where scores are not of as many rows and classes as they must be. */
function checkShape({ shape }: Tensor, { name, batch, classes }: PassFacts): void {
  if (shape.length === 2 && shape[0] === batch && shape[1] === classes.length) return;
  const advice = batch > 1 && shape[0] !== batch
    ? `it can only be run on a batch of ${shape[0]}; give ${flag("batch")} ${shape[0]}`
    : "correct its card, or export it again";
  throw new ModelError(
    `Cannot use model ${name}: for a batch of ${batch} its scores have shape [${
      shape.join(", ")
    }], not [${batch}, ${classes.length}]; ${advice}`,
  );
}
