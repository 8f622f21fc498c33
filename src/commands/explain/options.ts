/**
 * Options of explain.
 *
 * @module
 */

import type { ExplainOptions } from "../run/setup.ts";

/** Options of `explain`, parsed. */
export interface ExplainRunOptions extends ExplainOptions {
  readonly threshold: number;
  readonly seed: number;
  /** Folder of the overlays. */
  readonly out: string;
  readonly json?: boolean;
  /** Folder of raw and final maps. */
  readonly maps?: string;
}
