/**
 * The figures: functions from plain data to SVG, and the report page. To add one, write `NAME.ts` and list it here.
 *
 * @module
 */

export type {
  Figure,
  FigureOptions,
  HeatMatrixData,
  HeatMatrixOptions,
  OverlayBox,
  OverlayData,
  OverlayOptions,
} from "./figure.ts";
export { heatMatrix, matrixName } from "./heat_matrix.ts";
export { overlay } from "./overlay.ts";
export { type OverlaySource, sampleOverlay } from "./sample_overlay.ts";
export { report } from "./report.ts";
export { chooseSamples, SAMPLE_RULE } from "./page/choose_samples.ts";
export type {
  AssociationRow,
  Associations,
  Fact,
  Failure,
  ModelFacts,
  ReportCounts,
  ReportData,
  RuntimeFacts,
  SampleFigure,
  SampleSection,
  StageTime,
} from "./page/report_data.ts";
