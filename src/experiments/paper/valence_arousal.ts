/**
 * Predicted against annotated valence and arousal.
 *
 * @module
 */

import {
  completePairs,
  type Correlation,
  correlationMatrix,
  pearson,
  spearman,
} from "../../statistics/correlation.ts";
import type { EmotionAnnotation } from "./filters.ts";

/** Agreement of prediction and annotation. */
export interface AnnotationAgreement {
  readonly pearson: Correlation;
  readonly spearman: Correlation;
}

/** What the four quantities have to do with each other. */
interface ValenceArousal {
  /** NaN where the classifier has no such head. */
  readonly columns: readonly Float64Array[];
  readonly valence: AnnotationAgreement;
  readonly arousal: AnnotationAgreement;
  /** [4, 4], pairwise complete. */
  readonly pearson: readonly (readonly number[])[];
  /** [4, 4], likewise; the paper shows Pearson's only. */
  readonly spearman: readonly (readonly number[])[];
}

/** Correlations over rows of one prediction and one annotation each; rows in which a value is missing are left out, pair by pair. */
export function valenceArousal(rows: readonly EmotionAnnotation[]): ValenceArousal {
  const columns = [
    Float64Array.from(rows, ({ prediction }) => prediction.valence ?? NaN),
    Float64Array.from(rows, ({ annotation }) => annotation.valence),
    Float64Array.from(rows, ({ prediction }) => prediction.arousal ?? NaN),
    Float64Array.from(rows, ({ annotation }) => annotation.arousal),
  ];
  const agreement = (
    predicted: Float64Array,
    annotated: Float64Array,
  ): AnnotationAgreement => {
    const pairs = completePairs(predicted, annotated);
    return { pearson: pearson(...pairs), spearman: spearman(...pairs) };
  };
  return {
    columns,
    valence: agreement(columns[0], columns[1]),
    arousal: agreement(columns[2], columns[3]),
    pearson: correlationMatrix(columns, pearson),
    spearman: correlationMatrix(columns, spearman),
  };
}
