/**
 * What a user should know about the choice of a target layer.
 *
 * @module
 */

import { flag } from "../base/flag.ts";
import { formatShape } from "../onnx/dims.ts";
import { formsText } from "./layer_forms/mod.ts";
import type { LayerSurvey, TargetLayer } from "./target_layer.ts";

/** The forms of later tensors, in words. */
const HOLDS = {
  "channels last": "is channels-last",
  tokens: "holds tokens",
} as const;

/**
 * A remark where the default layer is not the last of the net's maps; `undefined` where it is, or where another layer is taken.
 *
 * @param layer the one that is taken
 */
export function laterNotice(
  { last, later }: LayerSurvey,
  layer: TargetLayer,
): string | undefined {
  if (!last || !later || layer.name !== last.name) return undefined;
  const [first, ...rest] = later.shape;
  const shape = formatShape([typeof first === "string" ? "N" : first, ...rest]);
  const tensor = `${later.name} ${shape}`;
  if (later.holds === "not known") {
    return `maps are of an earlier layer, ${last.name}: after it comes ${tensor}, but it is not known whether its rows and columns are those ` +
      `of the picture; if they are, name it with ${flag("layer")}`;
  }
  return `maps are of an earlier layer, ${last.name}: it is the last of the form ${formsText()}, and after it comes ${tensor}, which ${
    HOLDS[later.holds]
  }; maps of such tensors cannot be made yet`;
}
