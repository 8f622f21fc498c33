/**
 * The network of a detector: checked against its card, its batch normalizations folded where that is asked for, and run for one picture at
 * a time, so that a result does not depend on its neighbours.
 *
 * @module
 */

import type { Size } from "../image/image.ts";
import type { z } from "zod";
import { ModelError } from "../base/errors.ts";
import { floats, type Tensor } from "../base/tensor.ts";
import { CLOSE, differentAt } from "../classifier/self_check.ts";
import { foldBatchNorms, type NormRule } from "../onnx/fold_batch_norm.ts";
import { prune } from "../onnx/depends_on.ts";
import type { Graph } from "../onnx/graph.ts";
import { refuseChance } from "../onnx/row_dependence.ts";
import { writeModel } from "../onnx/model_file.ts";
import { inferShapes } from "../onnx/shapes.ts";
import type { Card, InputSpec } from "../runtime/card.ts";
import type { FileCard, Network } from "../runtime/network.ts";
import { openSession } from "../runtime/open.ts";
import { type Backend, toFloats } from "../runtime/session.ts";

/** The card of a network that a detector runs. */
export type DetectorNetworkCard = FileCard & {
  readonly task: Card["task"];
  readonly input: InputSpec;
};

/** An output of the network that is decoded. */
export interface Head {
  readonly output: string;
  /** Channels of [N, channels, height, width], where the decoder needs so many; and why, in words. */
  readonly channels?: number;
  readonly because?: string;
}

/** A network, ready to run. */
export interface DetectorNetwork {
  /** Remarks on how the model is taken. */
  readonly notices: readonly string[];
  /**
   * Runs one picture.
   *
   * @param planes [3, height, width]
   * @returns the heads' outputs, in their order
   */
  run(
    planes: Float32Array,
    size: Size,
  ): Promise<Tensor[]>;
  dispose(): Promise<void>;
}

/**
 * Opens a detector's network.
 *
 * @param batchNorms how batch normalizations are folded into the convolutions before them; by default the file is run as it is
 * @throws {ModelError} when the network's input or heads are not what the card says, where the graph tells, a normalization cannot be
 * folded by Darknet's rule, or the backend refuses the model.
 */
export async function openDetectorNetwork(
  { card, bytes, taken }: Network<DetectorNetworkCard>,
  backend: Backend,
  heads: readonly Head[],
  batchNorms?: NormRule,
): Promise<DetectorNetwork> {
  const { graph, changed } = taken;
  checkNetwork(card, graph, heads);
  refuseChance(
    prune({ ...graph, outputs: heads.map(({ output: name }) => ({ name, type: "float32" })) }),
  );
  const model = batchNorms
    ? writeModel(folded(card, graph, batchNorms))
    : changed
    ? writeModel(graph)
    : bytes;
  const session = await openSession(model, backend);
  const names = heads.map(({ output }) => output);
  const runOnce = async (input: Tensor): Promise<Tensor[]> => {
    const outputs = await session.run({ [card.input.name]: input }, names);
    return await Promise.all(heads.map(async (head) => {
      const value = await toFloats(outputs[head.output]);
      checkShape(card, head, value.shape);
      return value;
    }));
  };
  let checked: Promise<void> | undefined;
  return {
    notices: taken.notices.map((notice) => `${card.name}: ${notice}`),
    async run(planes, { width, height }) {
      const input = floats([1, 3, height, width], planes);
      const outputs = await runOnce(input);
      await (checked ??= runOnce(input).then((again) =>
        refuseOtherOutputs(card, names, outputs, again, backend)
      ));
      return outputs;
    },
    dispose: () => session.dispose(),
  };
}

/**
 * Pictures are run one at a time, so that none depends on its neighbours; that the same picture gives the same outputs is checked on
 * the first, which is run twice.
 *
 * @throws {ModelError} naming two values that differ.
 */
function refuseOtherOutputs(
  card: DetectorNetworkCard,
  names: readonly string[],
  outputs: readonly Tensor[],
  again: readonly Tensor[],
  backend: Backend,
): void {
  for (const [i, { data }] of outputs.entries()) {
    const at = differentAt(data, again[i].data, backend === "webgpu" ? CLOSE : 0);
    if (at < 0) continue;
    const [a, b] = [data[at], again[i].data[at]].map((value) => Number(value.toPrecision(9)));
    refuseCard(
      card,
      `its outputs depend on chance: in two runs of the same picture element ${at} of ${
        names[i]
      } is ${a} and ${b}; export its network for inference (model.eval() in PyTorch)`,
    );
  }
}

/** @throws {ModelError} where a normalization is left that Darknet's rule cannot be applied to. */
function folded(card: DetectorNetworkCard, graph: Graph, rule: NormRule): Graph {
  const made = foldBatchNorms(graph, rule);
  const left = made.nodes.find(({ op }) => op === "BatchNormalization");
  if (left && rule === "darknet") {
    refuseCard(
      card,
      `batch normalization ${left.name} does not follow a convolution, so Darknet's order of operations cannot be kept; ` +
        "use the profile lightnet",
    );
  }
  return made;
}

/** @throws {ModelError} when the network's input or heads are not what the card says, where the graph tells. */
function checkNetwork(card: DetectorNetworkCard, graph: Graph, heads: readonly Head[]): void {
  const refuse = (what: string) => refuseCard(card, `${what}; correct its card`);
  const { width, height, name } = card.input;
  const input = graph.inputs.find((input) => input.name === name);
  if (!input || graph.inputs.length > 1) {
    const names = graph.inputs.map((input) => input.name).join(", ");
    return refuse(`its network has the inputs ${names}, the card says ${name}`);
  }
  const expected = [input.shape?.[0] ?? 1, 3, height, width];
  const shape = input.shape ?? expected;
  const fits = shape.length === 4 &&
    shape.every((extent, i) => typeof extent === "string" || i === 0 || extent === expected[i]);
  if (!fits) refuse(`its network takes [${shape.join(", ")}], the card says [${expected}]`);
  const known = inferShapes(graph);
  for (const head of heads) {
    if (!graph.outputs.some(({ name }) => name === head.output)) {
      const names = graph.outputs.map(({ name }) => name).join(", ");
      refuse(`its network has no output ${head.output}, only ${names}`);
    }
    const shape = known.get(head.output)?.shape;
    if (shape) checkShape(card, head, shape);
  }
}

function checkShape(
  card: DetectorNetworkCard,
  { output, channels, because }: Head,
  shape: readonly (number | string)[],
): void {
  if (channels === undefined) return;
  if (shape.length === 4 && (shape[1] === channels || typeof shape[1] === "string")) return;
  refuseCard(
    card,
    `output ${output} has the shape [${shape.join(", ")}]; ${
      because ?? `it needs ${channels} channels`
    }; correct its card`,
  );
}

/**
 * The settings of a decoder, the section `decoder` of its card.
 *
 * @throws {ModelError} naming the first field that is missing, misspelt or of the wrong kind.
 */
export function decoderSettings<T>(
  card: Pick<DetectorNetworkCard, "name" | "task"> & { readonly decoder: unknown },
  schema: z.ZodType<T>,
): T {
  const parsed = schema.safeParse(card.decoder);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return refuseCard(card, `decoder.${issue.path.join(".")}: ${issue.message}`);
}

/** @throws {ModelError} saying why a card cannot be used. */
export function refuseCard(
  { name, task }: Pick<DetectorNetworkCard, "name" | "task">,
  what: string,
): never {
  throw new ModelError(`Cannot use ${task === "detector" ? "detector" : "model"} ${name}: ${what}`);
}
