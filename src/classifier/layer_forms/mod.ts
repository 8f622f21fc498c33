/**
 * Forms of layers at which a classifier can be cut, one a file. To add one: write the file and list it here.
 *
 * @module
 */

import type { Dim } from "../../onnx/graph.ts";
import { channelsFirst } from "./channels_first.ts";
import type { LayerExtents, LayerForm } from "./layer_form.ts";

export type { LayerExtents, LayerForm } from "./layer_form.ts";

/** The forms, of which the first that fits a tensor is taken. */
export const LAYER_FORMS: readonly LayerForm[] = [channelsFirst];

/** The form of a tensor of this shape, with its channels and cells; `undefined` where it is of none. */
export function formOf(
  shape: readonly Dim[],
): { readonly form: LayerForm; readonly extents: LayerExtents } | undefined {
  for (const form of LAYER_FORMS) {
    const extents = form.extents(shape);
    if (extents) return { form, extents };
  }
  return undefined;
}

/** The shapes that a layer can have, in words. */
export function formsText(): string {
  return LAYER_FORMS.map(({ shape }) => shape).join(" or ");
}
