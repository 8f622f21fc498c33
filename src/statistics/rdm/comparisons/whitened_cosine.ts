import { whitenedCosine as whitened } from "./_whiten.ts";
import { byRms, type Comparison } from "./comparison.ts";

/** Cosine of two RDMs, whitened: distances that share a thing are not independent. */
export const whitenedCosine: Comparison = {
  name: "whitened-cosine",
  source:
    "x′V⁻¹y / √(x′V⁻¹x · y′V⁻¹y), rsatoolbox's cosine_cov; a sigma by the definition, which its fast path does not meet",
  value: whitened,
  scaled: byRms,
};
