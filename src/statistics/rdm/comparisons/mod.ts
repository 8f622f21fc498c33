/**
 * Comparisons of two RDMs. To add one, write its file here and list it below.
 *
 * @module
 */

import type { Comparison } from "./comparison.ts";
import { correlation } from "./correlation.ts";
import { cosine } from "./cosine.ts";
import { rhoA } from "./rho_a.ts";
import { spearman } from "./spearman.ts";
import { tauA } from "./tau_a.ts";
import { tauB } from "./tau_b.ts";
import { whitenedCorrelation } from "./whitened_correlation.ts";
import { whitenedCosine } from "./whitened_cosine.ts";

export type { Comparison } from "./comparison.ts";

/** Every comparison by name. */
export const COMPARISONS = {
  "cosine": cosine,
  "correlation": correlation,
  "spearman": spearman,
  "tau-b": tauB,
  "tau-a": tauA,
  "rho-a": rhoA,
  "whitened-cosine": whitenedCosine,
  "whitened-correlation": whitenedCorrelation,
} as const satisfies Readonly<Record<string, Comparison>>;
