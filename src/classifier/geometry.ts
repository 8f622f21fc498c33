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
import { lastLayer, laterNotice, surveyLayers, type TargetLayer } from "./target_layer.ts";
import type { Arrangement } from "../onnx/axis_factors.ts";
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
 * @param baked the only batch that the graph can take although its input leaves it open
 * @throws {ModelError} when the graph has another input than the card says.
 */
export function fixInput(
  source: Graph,
  card: ClassifierCard,
  wanted: number,
  baked?: number,
): FixedInput {
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
  const fixed = typeof first === "number" && first > 0 ? first : baked;
  const notices = fixed === undefined
    ? []
    : fixed === first
    ? fixed === wanted ? [] : [`${card.name} has a fixed batch size of ${fixed}`]
    : [
      `${card.name} can only be run on a batch of ${fixed}, although its input leaves the batch open` +
      (fixed === 1 ? ": samples are run one at a time" : ""),
    ];
  input.shape = [fixed ?? "N", ...wantedShape];
  return { graph, batch: fixed ?? wanted, inputShape: wantedShape, notices };
}

/** A target layer, and remarks on its choice. */
interface FoundLayer {
  readonly layer: TargetLayer;
  readonly notices: readonly string[];
}

/**
 * The target layer of this name, or the default one.
 *
 * @throws {UsageError} when it cannot be one.
 * @throws {ModelError} when none is named and there is none.
 */
export function findLayer(graph: Graph, to: Value, name: string | undefined): FoundLayer {
  const survey = surveyLayers(graph, to);
  const wanted = name ?? lastLayer(survey, to).name;
  const layer = survey.layers.find((layer) => layer.name === wanted);
  if (layer) {
    const notice = laterNotice(survey, layer);
    return { layer, notices: notice === undefined ? [] : [notice] };
  }
  const offered = survey.layers.slice(-6).map((layer) => layer.name).join(", ");
  throw new UsageError(
    `Cannot use target layer ${JSON.stringify(wanted)}: ${
      whyNoLayer(graph, to, wanted, survey.refused.get(wanted))
    }; take one of … ${offered} (all: emocam models inspect)`,
  );
}

/** Why a tensor of the rank of layers is none. */
const WHY: Readonly<Partial<Record<Arrangement, string>>> = {
  exchanged: "its rows and columns are exchanged",
  "channels-last": "its channels are last, and maps of such tensors cannot be made yet",
  batched: "its first axis is not the batch, but goes over windows, heads or channels too",
  listed: "one of its axes goes over all cells of the picture",
};

/** Why a tensor is not among the target layers. */
function whyNoLayer(
  graph: Graph,
  to: Value,
  name: Value,
  refused: Arrangement | undefined,
): string {
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
  const why = refused && WHY[refused];
  if (why !== undefined) return `its shape [${shape}] is not ${formsText()}: ${why}`;
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
  /** Of a layer without: whether its rows and columns are the picture's. */
  readonly rows?: TargetLayer["rows"];
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

/**
 * The placement that a classifier's rule gives, and the rule that it follows in the end: cells of a layer without receptive fields are always
 * spread evenly over the input. With remarks if that is not the rule asked for, or one far from receptive fields.
 */
export function place(
  rule: PlacementRule,
  layer: Layer,
  inputShape: readonly [number, number, number],
): { placement: Placement; followed: PlacementRule; notices: readonly string[] } {
  const [, height, width] = inputShape;
  const even = placementBy({ layer, inputShape }, "half-pixel")!;
  const byField = placementBy({ layer, inputShape }, "receptive-field");
  const followed = byField ? rule : "half-pixel";
  if (!byField) return { placement: even, followed, notices: [unplaced(layer)] };
  if (rule === "receptive-field") return { placement: byField, followed, notices: [] };
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
  return { placement: even, followed, notices };
}

/** The remark on a layer whose receptive fields do not follow from the graph. */
function unplaced({ name, rows }: Layer): string {
  const doubt = rows !== "of the picture"
    ? "; it is not known whether its rows and columns are those of the picture"
    : "";
  return `the receptive fields of layer ${name} cannot be followed; its cells are spread evenly over the input (half-pixel placement)${doubt}`;
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
