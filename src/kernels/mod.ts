/**
 * The compute kernels, and what composes them. To add one: shaders/NAME.wgsl, src/kernels/NAME.ts (its record and CPU twin),
 * a line here, tests/kernels/NAME_test.ts.
 *
 * @module
 */

import type { Kernel } from "../gpu/kernel.ts";
import { boxIntegral } from "./box_integral.ts";
import { boxPixels } from "./box_pixels.ts";
import { channelSum } from "./channel_sum.ts";
import { minMax } from "./min_max.ts";
import { normalise } from "./normalise.ts";
import { upsampleBilinear } from "./upsample_bilinear.ts";

/** All kernels by the stem of their files. */
export const KERNELS = {
  channel_sum: channelSum,
  min_max: minMax,
  normalise,
  upsample_bilinear: upsampleBilinear,
  box_integral: boxIntegral,
  box_pixels: boxPixels,
} as const satisfies Readonly<Record<string, Kernel>>;

export { boxWeights } from "./box_weights.ts";
export { type CellWeights, paperBoxWeights } from "./paper_box_weights.ts";
export {
  finalMaps,
  type Frame,
  type MapBatch,
  rawMaps,
  type ScoreBox,
  scoreMaps,
} from "./box_scores.ts";
