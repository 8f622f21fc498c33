/**
 * Stands for the package `sharp` inside the binary: the package itself, after its library.
 *
 * @module
 */

import "./sharp_library.ts";
// Seen from this folder, the name means the package.
export { default } from "sharp";
