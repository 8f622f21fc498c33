/**
 * What a form of layer is.
 *
 * @module
 */

import type { Dim, Graph, Value } from "../../onnx/graph.ts";

/** Channels and cells of a layer. */
export interface LayerExtents {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A form in which the values of a layer lie. Everything after the cut sees them as [N, C, h, w]. */
export interface LayerForm {
  /** The shape of such a tensor, in messages. */
  readonly shape: string;
  /** How many axes it has. */
  readonly rank: number;
  /** The axes along which the cells lie, y before x: what has receptive fields along others is not of this form. */
  readonly axes: readonly [y: number, x: number];
  /** Channels and cells of a tensor of this shape; `undefined` where it is not of this form, or its extents are not known. */
  extents(shape: readonly Dim[]): LayerExtents | undefined;
  /**
   * A graph of the same scores in which all that is read of the layer passes through a tensor [N, C, h, w], and the name of that tensor. The
   * original stays as it is. What is not a cell, such as a class token, goes round that tensor, and crosses the cut beside it.
   */
  asGrid(graph: Graph, layer: Value): { readonly graph: Graph; readonly layer: Value };
}
