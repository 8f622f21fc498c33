/**
 * Options of explain.
 *
 * @module
 */

import type { ParsedOptions } from "../../run/options/mod.ts";

/** Options of `explain`, parsed. */
export type ExplainRunOptions = ParsedOptions<"explain">;
