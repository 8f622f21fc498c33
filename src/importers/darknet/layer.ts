/**
 * One layer of a Darknet network: what it does, its sizes, its share of the weights file.
 *
 * @module
 */

/** Size of a tensor of one image. */
export interface Extent {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** What a layer does. Layers are named by their index; -1 is the image. */
export type Operation =
  | {
    readonly kind: "convolutional";
    readonly filters: number;
    /** Side of a filter. */
    readonly size: number;
    readonly stride: number;
    /** Zeros on each side. */
    readonly padding: number;
    readonly groups: number;
    readonly batchNormalize: boolean;
    readonly activation: string;
  }
  | {
    readonly kind: "maxpool";
    readonly size: number;
    readonly stride: number;
    /** Cells outside the map, above and left of it: the first window starts there. */
    readonly before: number;
    /** [below, right]. */
    readonly after: readonly [number, number];
  }
  | { readonly kind: "shortcut"; readonly from: number; readonly activation: string }
  | { readonly kind: "route"; readonly from: readonly number[] }
  | { readonly kind: "upsample"; readonly stride: number; readonly scale: number }
  | { readonly kind: "yolo"; readonly head: YoloHead };

/** One [yolo] section: how the map before it is to be decoded. */
export interface YoloHead {
  readonly classes: number;
  /** [width, height] in network pixels, those of the mask in its order. */
  readonly anchors: readonly (readonly [number, number])[];
}

/** One layer. */
export interface DarknetLayer {
  readonly index: number;
  /** Line of its section. */
  readonly line: number;
  /** What it reads besides what its operation names: the layer before. */
  readonly input: Extent;
  readonly output: Extent;
  readonly operation: Operation;
}

/** `3×608×608`: channels, height, width. */
export function sizeText({ channels, height, width }: Extent): string {
  return `${channels}×${height}×${width}`;
}

/** Floats of one convolutional layer in the weights file. */
interface WeightCounts {
  /** Biases, and with batch normalization as many scales, means and variances. */
  readonly filters: number;
  readonly weights: number;
  readonly total: number;
}

/** How many floats the weights file has for a layer; undefined for layers that are not convolutional. */
export function weightCounts({ operation, input }: DarknetLayer): WeightCounts | undefined {
  if (operation.kind !== "convolutional") return undefined;
  const { filters, size, groups, batchNormalize } = operation;
  const weights = input.channels / groups * filters * size * size;
  return { filters, weights, total: weights + filters * (batchNormalize ? 4 : 1) };
}
