/**
 * Opening a classifier whose graph is read and whose scores are known, cut at a layer.
 *
 * @module
 */

import { type Json, sha256 } from "../base/json.ts";
import { copyGraph } from "../onnx/graph.ts";
import { linearHead } from "../onnx/linear_head.ts";
import type { Scored } from "../onnx/scores.ts";
import { backendVersion } from "../runtime/open.ts";
import { openSteady } from "./batch_invariance.ts";
import type { Classifier, ClassifierOptions } from "./classifier.ts";
import { cutAtLayer } from "./cut.ts";
import { headBatch } from "./evaluate.ts";
import { evaluations } from "./evaluation.ts";
import { forwardPasses } from "./forward_pass.ts";
import { place } from "./geometry.ts";
import { gradients } from "./gradient.ts";
import { OnceByName } from "./once_by_name.ts";
import { Sessions } from "./sessions.ts";
import type { ClassifierSource } from "./source.ts";

/** What is decided about a classifier by now. */
interface LayerOptions extends ClassifierOptions {
  readonly inputShape: readonly [number, number, number];
  /** Remarks made on the way here. */
  readonly notices: readonly string[];
  /** Whether the model was checked on its first batch under another layer, or is a changed one that need not be. */
  readonly checked?: boolean;
  /** Further parts of its content key. */
  readonly key?: Readonly<Record<string, Json>>;
}

/**
 * Opens a classifier whose scores are known, cut at its target layer.
 *
 * @param source its card, and the hash that names it in content keys
 * @throws {ModelError} when it has no usable target layer, or the backend refuses it.
 * @throws {UsageError} when the layer asked for is not in the model.
 */
export async function openAtLayer(
  scored: Scored,
  source: ClassifierSource,
  options: LayerOptions,
): Promise<Classifier> {
  const { card, meanImage } = source;
  const { backend, batch, inputShape } = options;
  const cut = cutAtLayer(scored, options.layer ?? card.targetLayer, card.name);
  const { graphs, layer, passage, fixedBatch } = cut;
  const { whole, logits, bypass } = graphs;
  const placed = place(options.placement ?? card.placement, layer, inputShape);
  const session = await openSteady(passage, backend, { onDevice: [layer.name, ...bypass] });
  const sessions = new Sessions(backend);
  // The same classifier changed, or cut at another layer.
  const variants = new OnceByName<Classifier>();
  const changed = (name: string) => `changed: ${name}`;
  const activationSize = layer.channels * layer.height * layer.width;
  const rowsOfHead = fixedBatch ? batch : headBatch(activationSize, batch);
  let foundHead: ReturnType<Classifier["linearHead"]> | undefined;
  return {
    source,
    graphs,
    headBatch: rowsOfHead,
    card,
    ...(meanImage ? { meanImage } : {}),
    backend,
    batch,
    classes: card.classes,
    inputShape,
    layer,
    placementRule: placed.followed,
    placement: placed.placement,
    notices: [...options.notices, ...cut.notices, ...placed.notices],
    hasLogits: logits !== undefined,
    resumable: bypass.length === 0,
    key: {
      model: source.sha256,
      input: JSON.parse(JSON.stringify(card.input)),
      // How a centre crop was computed has changed: what older versions stored of such inputs is not taken up.
      ...(card.input.fit === "centre-crop" ? { centreCrop: 2 } : {}),
      ...(meanImage ? { meanImage: sha256(new Uint8Array(meanImage.buffer)) } : {}),
      layer: layer.name,
      backend,
      runtime: await backendVersion(backend),
      batch,
      ...options.key,
    },
    ...forwardPasses(graphs, session, {
      batch,
      name: card.name,
      classes: card.classes,
      check: !options.checked,
      assumedLogits: scored.assumedLogits,
    }),
    ...gradients(graphs, sessions, card.name),
    ...evaluations(graphs, sessions, { title: card.name, batch, headBatch: rowsOfHead }),
    derive: (name, change) =>
      variants.get(changed(name), async () => {
        const graph = change(copyGraph(whole));
        const key = { ...options.key, derived: name };
        return await openAtLayer({ ...scored, graph }, source, {
          ...options,
          layer: layer.name,
          checked: true,
          key,
        });
      }),
    dropDerived: (name) => variants.drop(changed(name)),
    cutAt: (name) =>
      variants.get(
        `cut at ${name}`,
        () => openAtLayer(scored, source, { ...options, layer: name, checked: true }),
      ),
    session: (name, make, onDevice) => sessions.steady(name, make, onDevice),
    linearHead: () =>
      foundHead ??= logits
        ? linearHead(whole, layer.name, logits)
        : { reason: "the model has no tensor of logits" },
    async dispose() {
      await session.dispose();
      await sessions.dispose();
      await variants.dispose();
    },
  };
}
