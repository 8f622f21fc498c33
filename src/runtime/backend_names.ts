/**
 * The backends by name, apart from their machinery, so that a command line can be read without loading it.
 *
 * @module
 */

/** A backend by name. */
export type Backend = "webgpu" | "native" | "wasm";

/** All backends, in the order in which `auto` prefers them. */
export const BACKENDS: readonly Backend[] = ["webgpu", "native", "wasm"];
