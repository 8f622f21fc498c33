/**
 * Modifiers of CAM methods. To add one: a file here, a line here, an option, a test.
 *
 * @module
 */

export { augSmooth } from "./aug_smooth.ts";
export { eigenSmooth } from "./eigen_smooth.ts";
export { fusedLayers } from "./fused_layers.ts";
export type { Modifier } from "./modifier.ts";
