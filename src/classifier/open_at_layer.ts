/**
 * Opening a classifier whose graph is read and whose scores are known: the sessions behind it, made when they are first needed.
 *
 * @module
 */

import { ModelError } from "../base/errors.ts";
import { type Json, sha256 } from "../base/json.ts";
import type { Tensor } from "../base/tensor.ts";
import { gradientGraph, unsupportedOps } from "../onnx/backward.ts";
import { cut, extract } from "../onnx/extract.ts";
import { copyGraph, type Graph, ints, type Value } from "../onnx/graph.ts";
import { linearHead } from "../onnx/linear_head.ts";
import { writeModel } from "../onnx/model_file.ts";
import { receptiveFields } from "../onnx/receptive_field.ts";
import type { Scored } from "../onnx/scores.ts";
import { builderOn } from "../onnx/shapes.ts";
import { GRADIENT_RULES } from "../rules/gradient/mod.ts";
import {
  type Backend,
  type Session,
  type SessionOptions,
  type SessionValue,
  toFloats,
} from "../runtime/session.ts";
import { backendVersion, openSession } from "../runtime/open.ts";
import type { Classifier, ClassifierOptions, ScoreTensor } from "./classifier.ts";
import { evaluateRows, headBatch, padRows } from "./evaluate.ts";
import { findLayer, place } from "./geometry.ts";
import type { ClassifierSource } from "./source.ts";
import { openSteady, steadyRows } from "./batch_invariance.ts";
import { release, rowOf } from "./values.ts";

/** What is decided about a classifier by now. */
interface ScoredOptions extends ClassifierOptions {
  readonly inputShape: readonly [number, number, number];
  /** Further parts of its content key. */
  readonly key?: Readonly<Record<string, Json>>;
}

/**
 * Opens a classifier whose scores are known, cut at its target layer.
 *
 * @param described its card, and the bytes that name it in content keys
 * @throws {ModelError} when it has no usable target layer, or the backend refuses it.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export async function openScored(
  scored: Scored,
  described: ClassifierSource,
  options: ScoredOptions,
): Promise<Classifier> {
  const { card, bytes, meanImage } = described;
  const { backend, batch, inputShape } = options;
  const { graph, logits, probabilities } = scored;
  const modelHash = sha256(bytes);
  const notices = [...described.notices];
  const found = findLayer(graph, logits ?? probabilities, options.layer ?? card.targetLayer);
  const { head, bypass } = cut(graph, found.name);
  const field = receptiveFields(graph, graph.inputs[0].name).get(found.name);
  const layer = { ...found, ...(field ? { field } : {}) };
  const placementRule = options.placement ?? card.placement;
  const placement = place(placementRule, layer, inputShape, notices);
  const outputs = [layer.name, ...bypass, ...logits ? [logits] : [], probabilities];
  const passage = extract(graph, { inputs: [graph.inputs[0].name], outputs }, card.name);
  const onDevice = [layer.name, ...bypass];
  const session = await openSteady(passage, backend, { onDevice });
  const sessions = new Map<string, Promise<Session>>();
  let ownHead: ReturnType<Classifier["linearHead"]> | undefined;
  const derived = new Map<string, Promise<Classifier>>();
  const deriveOnce = (name: string, open: () => Promise<Classifier>) => {
    let opening = derived.get(name);
    if (!opening) derived.set(name, opening = forgetFailed(derived, name, open()));
    return opening;
  };
  const sessionOf = (
    name: string,
    make: () => Graph,
    onDevice: readonly string[] = [],
    open: typeof openSteady = openAsIs,
  ) => {
    let opening = sessions.get(name);
    if (!opening) {
      const made = Promise.resolve().then(() => open(make(), backend, { onDevice }));
      sessions.set(name, opening = forgetFailed(sessions, name, made));
    }
    return opening;
  };
  const input = graph.inputs[0].name;
  const scoreOf = (score: ScoreTensor): Value => {
    const value = score === "logits" ? logits : probabilities;
    if (value) return value;
    throw new ModelError(`Cannot differentiate the logits of ${card.name}: it has none`);
  };
  const scoreNames = { probabilities, ...(logits ? { logits } : {}) };
  const scoreOutputs = [...logits ? [logits] : [], probabilities];
  const fixed = typeof graph.inputs[0].shape?.[0] === "number";
  const activationSize = layer.channels * layer.height * layer.width;
  const rowsOfHead = fixed ? batch : headBatch(activationSize, batch);

  return {
    graphs: {
      whole: graph,
      head,
      input,
      layer: layer.name,
      bypass,
      ...(logits ? { logits } : {}),
      probabilities,
    },
    headBatch: rowsOfHead,
    card,
    ...(meanImage ? { meanImage } : {}),
    backend,
    batch,
    classes: card.classes,
    inputShape,
    layer,
    placementRule,
    placement,
    notices,
    hasLogits: logits !== undefined,
    resumable: bypass.length === 0,
    key: {
      model: modelHash,
      input: JSON.parse(JSON.stringify(card.input)),
      ...(meanImage ? { meanImage: sha256(new Uint8Array(meanImage.buffer)) } : {}),
      layer: layer.name,
      backend,
      runtime: await backendVersion(backend),
      batch,
      ...options.key,
    },
    async forward(values) {
      const count = values.shape[0];
      const padded = padRows(values, batch);
      const results = await session.run({ [input]: padded });
      const kept = Object.fromEntries(bypass.map((name) => [name, results[name]]));
      const activation = results[layer.name];
      return {
        count,
        input: padded,
        activation,
        bypass: kept,
        ...(logits ? { logits: await toFloats(results[logits]) } : {}),
        probabilities: await toFloats(results[probabilities]),
        dispose: () => [activation, ...Object.values(kept)].forEach(release),
      };
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
    async gradient(forward, score, cotangent) {
      const backward = await sessionOf(
        `gradient of ${score}`,
        () =>
          withMean(gradientGraph(head, {
            score: scoreOf(score),
            target: layer.name,
            table: GRADIENT_RULES,
          })),
        ["gradient", "gradient_mean"],
        openSteady,
      );
      const feeds: Record<string, SessionValue> = {
        [layer.name]: forward.activation,
        ...forward.bypass,
        cotangent,
      };
      // The backward graph keeps only the inputs that it reads: a linear head's gradient needs no activation.
      const read = Object.fromEntries(backward.inputs.map((name) => [name, feeds[name]]));
      const { gradient, gradient_mean } = await backward.run(read);
      return { gradient: gradient!, mean: gradient_mean! };
    },
    gradientUnsupported(score, from = layer.name) {
      const value = score === "logits" ? logits : probabilities;
      if (!value) return "the model has no tensor of logits";
      const missing = unsupportedOps(graph, from, value, GRADIENT_RULES);
      if (missing.length === 0) return undefined;
      const ops = [...new Set(missing.map(({ op }) => op))].join(", ");
      return `no gradient rule for ${ops} (node ${missing[0].node})`;
    },
    async evaluate(inputs) {
      const whole = await sessionOf(
        "scores",
        // The steady forms of operators such as LRN are also the faster ones.
        () => steadyRows(extract(graph, { inputs: [input], outputs: scoreOutputs }, card.name)),
      );
      return await evaluateRows(whole, { input, ...scoreNames }, inputs, batch);
    },
    async evaluateHead(activations, forward, row) {
      const open = await sessionOf("head", () => head);
      const others: Record<string, Tensor> = {};
      for (const [name, value] of Object.entries(forward.bypass)) {
        others[name] = await rowOf(value, row);
      }
      return await evaluateRows(
        open,
        { input: layer.name, ...scoreNames },
        activations,
        rowsOfHead,
        others,
      );
    },
    session: (name, make, onDevice) => sessionOf(name, make, onDevice, openSteady),
    derive: (name, change) =>
      deriveOnce(`changed: ${name}`, async () => {
        const changed = change(copyGraph(graph));
        const key = { ...options.key, derived: name };
        return await openScored({ ...scored, graph: changed }, described, {
          ...options,
          layer: layer.name,
          key,
        });
      }),
    async dropDerived(name) {
      const opening = derived.get(`changed: ${name}`);
      derived.delete(`changed: ${name}`);
      await opening?.then((open) => open.dispose(), () => {});
    },
    cutAt: (name) =>
      deriveOnce(
        `cut at ${name}`,
        () => openScored(scored, described, { ...options, layer: name }),
      ),
    linearHead: () =>
      ownHead ??= logits
        ? linearHead(graph, layer.name, logits)
        : { reason: "the model has no tensor of logits" },
    async dispose() {
      await session.dispose();
      for (const opening of sessions.values()) {
        await opening.then((open) => open.dispose(), () => {});
      }
      for (const opening of derived.values()) {
        await opening.then((open) => open.dispose(), () => {});
      }
    },
  };
}

/** A promise that leaves its map when it fails, so that the next attempt is a new one. */
function forgetFailed<T>(
  map: Map<string, Promise<T>>,
  name: string,
  opening: Promise<T>,
): Promise<T> {
  opening.catch(() => map.delete(name));
  return opening;
}

/** Opens a graph that is evaluated for one sample at a time, whose rows always lie in the same places. */
function openAsIs(
  graph: Graph,
  backend: Backend,
  options?: SessionOptions,
): Promise<Session> {
  return openSession(writeModel(graph), backend, options);
}

/** Adds the gradient's mean over space, so that Grad-CAM's weights never leave the device. */
function withMean(graph: Graph): Graph {
  const builder = builderOn(graph, "emocam_mean");
  const mean = graph.opset >= 18
    ? builder.op("ReduceMean", ["gradient", builder.ints([2, 3])], {
      keepdims: { kind: "int", value: 0 },
    })
    : builder.op("ReduceMean", ["gradient"], {
      axes: ints([2, 3]),
      keepdims: { kind: "int", value: 0 },
    });
  graph.nodes.push({
    name: "gradient_mean",
    op: "Identity",
    domain: "",
    inputs: [mean],
    outputs: ["gradient_mean"],
    attributes: {},
  });
  const { shape = [] } = builder.known.get(mean) ?? {};
  graph.outputs.push({ name: "gradient_mean", type: "float32", shape });
  return graph;
}
