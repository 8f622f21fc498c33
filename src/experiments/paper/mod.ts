/**
 * The paper's analyses.
 *
 * @module
 */

export {
  analyses,
  type Names,
  PAPER_SETTINGS,
  type PaperInput,
  type PaperMethod,
  type PaperResult,
  type PaperSettings,
} from "./analyses.ts";
export { type Convention, inReferenceOrder, PAPER_FILTERS, type PaperFilters } from "./filters.ts";
export { emonetOutputs, yoloOutputs } from "./reference_tables.ts";
export type { Annotation, PaperBox, PaperDetection, PaperPrediction } from "./rows.ts";
export {
  type ColumnNames,
  COLUMNS,
  REFERENCE_COLUMNS,
  referenceImage,
  referenceMethod,
  type Table,
} from "./table.ts";
