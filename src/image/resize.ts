/**
 * Resampling that gives the numbers of the libraries that models were trained with.
 *
 * @module
 */

export { type Coordinates, resizeBilinear, resizeMapBilinear } from "./bilinear.ts";
export { type PillowFilter, resizePillow, resizePillowFloat } from "./pillow.ts";
