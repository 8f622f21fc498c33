import { centred } from "../../correlation.ts";
import { whitenedCosine } from "./_whiten.ts";
import { type Comparison, standardised } from "./comparison.ts";

/** Correlation of two RDMs, whitened: the whitened cosine after the plain means are taken away. */
export const whitenedCorrelation: Comparison = {
  name: "whitened-correlation",
  source:
    "the whitened cosine of x − mean and y − mean, rsatoolbox's corr_cov; a sigma by the definition",
  value: (x, y, sigma) => whitenedCosine(centred(x), centred(y), sigma),
  scaled: standardised,
};
