import { ranks } from "../../correlation.ts";
import { kendall } from "../../kendall.ts";
import type { Comparison } from "./comparison.ts";

/** Kendall's tau-a of two RDMs, −1..1: no correction for ties. */
export const tauA: Comparison = {
  name: "tau-a",
  source: "Kendall's tau-a, rsatoolbox's tau-a",
  value: (x, y) => kendall(x, y).tauA,
  scaled: ranks,
};
