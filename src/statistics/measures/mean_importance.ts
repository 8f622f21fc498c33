import type { Measure } from "./measure.ts";

/** The mean importance of the object's boxes under the class's maps: sum / boxes, 0..1. NaN without boxes. */
export const meanImportance: Measure = {
  name: "mean-importance",
  source: "mean CAct over boxes; EmoCAM (arXiv 2407.14314) has CAct a box",
  units: "importance, 0..1",
  signed: false,
  value: ({ sum, boxes }) => boxes === 0 ? NaN : sum / boxes,
};
