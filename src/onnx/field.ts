/**
 * The types of receptive fields.
 *
 * @module
 */

import type { TraceSite } from "./trace_site.ts";

/** The receptive field along one axis, in input pixels. */
export interface AxisField {
  /** Pixel index on which cell 0 is centred; may lie between pixels (.5) and outside the image. */
  centre: number;
  /** Distance in pixels between neighbouring cells. */
  stride: number;
  /** Extent in pixels, before it is clipped to the image. */
  size: number;
}

/** The receptive field of a tensor's cells. */
export interface ReceptiveField {
  y: AxisField;
  x: AxisField;
  /**
   * Whether a summary of the whole image has entered (squeeze-and-excitation, instance normalisation …). The field then
   * tells where a cell lies, not all that it depends on.
   */
  global: boolean;
}

/** A receptive field with the axes of the tensor that it belongs to. */
export interface TrackedField extends ReceptiveField {
  /** Which axis of the tensor is y and which is x. */
  readonly axes: readonly [number, number];
}

/** A field; or "lost": the tensor may be spatial, but its field does not follow from the graph. */
export type FieldState = TrackedField | "lost";

/** What a field rule sees. */
export type FieldSite = TraceSite<FieldState>;
