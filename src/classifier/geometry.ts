/**
 * Geometry of a classifier: input shape, target layer, and which input pixels each cell sees.
 *
 * @module
 */

import { ModelError, UsageError } from "../base/errors.ts";
import { halfPixelPlacement, type Placement } from "../image/geometry.ts";
import { copyGraph, type Graph, type Value } from "../onnx/graph.ts";
import type { ReceptiveField } from "../onnx/field.ts";
import { ancestors, dependents } from "../onnx/depends_on.ts";
import { inferShapes } from "../onnx/shapes.ts";
import { defaultTargetLayer, type TargetLayer, targetLayers } from "./target_layer.ts";
import type { ClassifierCard } from "../runtime/card.ts";
import { flag } from "../base/flag.ts";
import { formOf, formsText, LAYER_FORMS } from "./layer_forms/mod.ts";

/** How a map's cells are placed on the input. */
export type PlacementRule = "receptive-field" | "half-pixel";

/** A graph whose input has its extents, and what follows for batches. */
interface FixedInput {
  readonly graph: Graph;
  readonly batch: number;
  readonly inputShape: readonly [number, number, number];
  readonly notices: readonly string[];
}

/**
 * Fixes the input's extents from card and graph, leaving the batch free where the model does. The original stays as it is.
 *
 * @param wanted samples in a batch
 * @throws {ModelError} when the graph has another input than the card says.
 */
export function fixInput(source: Graph, card: ClassifierCard, wanted: number): FixedInput {
  const graph = copyGraph(source);
  const fail = (why: string) => {
    throw new ModelError(`Cannot use model ${card.name}: ${why}`);
  };
  if (graph.inputs.length !== 1) {
    const names = graph.inputs.map(({ name }) => name).join(", ");
    fail(`it has ${graph.inputs.length} inputs (${names}), a classifier of images has one`);
  }
  const input = graph.inputs[0];
  if (input.name !== card.input.name) {
    fail(`its input is called ${input.name}, its card says ${card.input.name}`);
  }
  if (input.type !== "float32") {
    fail(
      `its input takes ${input.type} values, float32 is what it would get; export it with a float32 input`,
    );
  }
  const channels = card.input.channels === "grey" ? 1 : 3;
  const wantedShape = [channels, card.input.height, card.input.width] as const;
  const stated = input.shape ?? ["N", ...wantedShape];
  if (stated.length !== 4) fail(`its input has shape [${stated}], not [N, C, H, W]`);
  stated.slice(1).forEach((extent, i) => {
    if (typeof extent === "number" && extent !== wantedShape[i]) {
      fail(`its input has shape [${stated}], its card says [N, ${wantedShape.join(", ")}]`);
    }
  });
  const first = stated[0];
  const fixed = typeof first === "number" && first > 0 ? first : undefined;
  const notices = fixed !== undefined && fixed !== wanted
    ? [`${card.name} has a fixed batch size of ${fixed}`]
    : [];
  input.shape = [fixed ?? "N", ...wantedShape];
  return { graph, batch: fixed ?? wanted, inputShape: wantedShape, notices };
}

/** The target layer of this name, or the default one. @throws {UsageError} when it cannot be one. */
export function findLayer(
  graph: Graph,
  to: Value,
  name: string | undefined,
): TargetLayer {
  const layers = targetLayers(graph, to);
  const wanted = name ?? defaultTargetLayer(graph, to);
  const found = layers.find((layer) => layer.name === wanted);
  if (found) return found;
  const offered = layers.slice(-6).map((layer) => layer.name).join(", ");
  throw new UsageError(
    `Cannot use target layer ${JSON.stringify(wanted)}: ${
      whyNoLayer(graph, to, wanted)
    }; take one of … ${offered} (all: emocam models inspect)`,
  );
}

/** Why a tensor is not among the target layers. */
function whyNoLayer(graph: Graph, to: Value, name: Value): string {
  const shape = inferShapes(graph).get(name)?.shape;
  const inputs = graph.inputs.map(({ name }) => name);
  if (!shape) {
    const known = dependents(graph, inputs).has(name) || graph.initializers.has(name);
    return known ? "its shape is not known" : "no tensor has this name";
  }
  if (!LAYER_FORMS.some(({ rank }) => rank === shape.length)) {
    return `its shape is [${shape}], not ${formsText()}`;
  }
  const between = !inputs.includes(name) && ancestors(graph, [to]).has(name) &&
    dependents(graph, inputs).has(name);
  if (!between) return "it is not between the input and the scores";
  const extents = formOf(shape)?.extents;
  return extents?.height === 1 && extents.width === 1
    ? `its shape is [${shape}], a map of one cell`
    : `its shape [${shape}] is not ${formsText()} with extents known, or another tensor takes its place`;
}

/** A layer and where its cells can be placed from. */
interface Layer {
  readonly name: Value;
  readonly height: number;
  readonly width: number;
  readonly field?: ReceptiveField;
}

/**
 * Where the cells of a layer lie on the input by a rule; `undefined` where the layer has no receptive fields to go by. With receptive fields
 * cell i is centred on pixel centre + stride · i; half-pixel spreads h cells evenly over H pixels.
 */
export function placementBy(
  { layer: { height, width, field }, inputShape: [, inputHeight, inputWidth] }: {
    readonly layer: Layer;
    readonly inputShape: readonly [number, number, number];
  },
  rule: PlacementRule,
): Placement | undefined {
  if (rule === "half-pixel") return halfPixelPlacement(width, height, inputWidth, inputHeight);
  return field && {
    x: { scale: 1 / field.x.stride, offset: -(field.x.centre + 0.5) / field.x.stride },
    y: { scale: 1 / field.y.stride, offset: -(field.y.centre + 0.5) / field.y.stride },
  };
}

/** The placement that a classifier's rule gives, with remarks if it gives none, or one far from receptive fields. */
export function place(
  rule: PlacementRule,
  layer: Layer,
  inputShape: readonly [number, number, number],
): { placement: Placement; notices: readonly string[] } {
  const [, height, width] = inputShape;
  const even = placementBy({ layer, inputShape }, "half-pixel")!;
  const byField = placementBy({ layer, inputShape }, "receptive-field");
  if (!byField) {
    const notices = rule === "receptive-field"
      ? [
        `layer ${layer.name} has no receptive fields; its maps are placed by the half-pixel convention`,
      ]
      : [];
    return { placement: even, notices };
  }
  if (rule === "receptive-field") return { placement: byField, notices: [] };
  const shift = Math.max(
    furthest(byField.x, even.x, width) / even.x.scale,
    furthest(byField.y, even.y, height) / even.y.scale,
  );
  const notices = shift > 0.1 / Math.max(even.x.scale, even.y.scale)
    ? [
      `maps are placed by the half-pixel convention; by their receptive fields cells lie up to ${
        shift.toFixed(1)
      } pixels elsewhere (${flag("placement")} receptive-field)`,
    ]
    : [];
  return { placement: even, notices };
}

/** Largest distance in cells between two placements over an input of the given extent. */
function furthest(
  a: { scale: number; offset: number },
  b: { scale: number; offset: number },
  extent: number,
): number {
  const at = (x: number) => Math.abs((a.scale - b.scale) * x + a.offset - b.offset);
  return Math.max(at(0.5), at(extent - 0.5));
}
