/**
 * What a section of the report is: a part of the page, made of the report's data.
 *
 * @module
 */

import type { Markup } from "../../drawing/markup.ts";
import type { ReportData } from "../report_data.ts";

/** One section of the report. */
export interface Section {
  /** Its name in links. */
  readonly id: string;
  /** The word in the row of links. */
  readonly short: string;
  readonly title: string;
  /** Whether a report has it; by default every report has. */
  when?(data: ReportData): boolean;
  content(data: ReportData): Markup;
}
