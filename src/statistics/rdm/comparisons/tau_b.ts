import { ranks } from "../../correlation.ts";
import { kendall } from "../../kendall.ts";
import type { Comparison } from "./comparison.ts";

/** Kendall's tau-b of two RDMs, −1..1: corrected for ties. */
export const tauB: Comparison = {
  name: "tau-b",
  source: "Kendall's tau-b, rsatoolbox's tau-b",
  value: (x, y) => kendall(x, y).tauB,
  scaled: ranks,
};
