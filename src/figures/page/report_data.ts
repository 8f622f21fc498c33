/**
 * What a report page is made of: plain data, nothing to be read or computed from elsewhere.
 *
 * Everything is optional that a run may not have; an absent part is left out of the page, it is not shown as zero. NaN means "no value"
 * (structured clone keeps it, JSON does not).
 *
 * @module
 */

import type { HeatMatrixData, OverlayData } from "../figure.ts";

/** A fact with its name, in the order of the page. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** Everything on a report page. */
export interface ReportData {
  /** Headline, e.g. the name of the run or corpus. */
  readonly title: string;
  /** What was asked, in one or two sentences. */
  readonly question: string;
  /** The command line that gives this run again. */
  readonly command?: string;
  readonly counts: ReportCounts;
  /** What was chosen: target, threshold, preset, seed, importance convention … */
  readonly settings: readonly Fact[];
  /** All matrices, grouped on the page by measure in order of first appearance. */
  readonly matrices: readonly HeatMatrixData[];
  readonly associations: Associations;
  /** With several methods: how far they agree, [methods, methods]. */
  readonly agreement?: HeatMatrixData;
  /** What was checked of the methods on this classifier; an empty list says that nothing was. */
  readonly axioms?: readonly AxiomFinding[];
  readonly models: readonly ModelFacts[];
  readonly runtime: RuntimeFacts;
  /** Wall time by stage, in the order of the run. */
  readonly stages: readonly StageTime[];
  /** Images that could not be used. Give all; the page shows the first 200 and the number of the others. */
  readonly failures: readonly Failure[];
  readonly samples: SampleSection;
  /** How to cite the method, the models and the corpus: one reference each. */
  readonly cite: readonly string[];
  /** Credits of the photographs shown. */
  readonly credits: readonly string[];
  /** Warnings of this run, added to the general ones. */
  readonly cautions?: readonly string[];
}

/** Counts over the run. */
export interface ReportCounts {
  /** Image files of the corpus. */
  readonly images: number;
  readonly failed: number;
  /** Files whose bytes equal those of an earlier one. */
  readonly duplicates?: number;
  /** What the classifier saw: whole images or crops. */
  readonly samples: number;
  /** What a sample is: `face crop`, `whole image`. */
  readonly sampleKind?: string;
  readonly boxes: number;
  /** Scores (box × method) whose importance is NaN. */
  readonly undefinedImportances?: number;
}

/** The strongest associations. */
export interface Associations {
  /** By which rule they were chosen and sorted. */
  readonly rule: string;
  readonly rows: readonly AssociationRow[];
}

/** One cell of a matrix, with its evidence, if there is any. */
export interface AssociationRow {
  readonly object: string;
  readonly class: string;
  readonly measure: string;
  readonly method: string;
  readonly value: number;
  /** Samples with both, and the numbers of samples with the object and with the class. */
  readonly both?: number;
  readonly withObject?: number;
  readonly withClass?: number;
  /** Of several methods: their least and greatest value, how many of those with a value have this one's sign. */
  readonly methods?: {
    readonly least: number;
    readonly greatest: number;
    readonly agreeing: number;
    readonly defined: number;
  };
}

/** One axiom of one method. */
export interface AxiomFinding {
  readonly method: string;
  readonly axiom: string;
  /** Absent where it could not be checked. */
  readonly value?: number;
  /** As text: `≤ 0.0001`. */
  readonly bound: string;
  readonly verdict: "holds" | "fails" | "skipped";
  /** What the figure is, or why there is none. */
  readonly says: string;
}

/** A model as its card states it. */
export interface ModelFacts {
  /** What it was used for: `classifier`, `faces`, `landmarks`, `detector`. */
  readonly role: string;
  readonly name: string;
  readonly title?: string;
  readonly sha256: string;
  readonly bytes?: number;
  readonly licence: string;
  readonly source: string;
  readonly citation?: string;
  readonly note?: string;
}

/** What computed. */
export interface RuntimeFacts {
  /** `webgpu`, `native`, `wasm`. */
  readonly backend: string;
  /** Why this one was taken. */
  readonly reason: string;
  /** The graphics adapter, where one was used. */
  readonly adapter?: string;
  /** Programs and packages with their versions. */
  readonly versions: readonly Fact[];
}

/** One stage of a run. */
export interface StageTime {
  readonly name: string;
  readonly seconds: number;
}

/** An image that could not be used. */
export interface Failure {
  readonly path: string;
  readonly reason: string;
}

/** The samples shown. */
export interface SampleSection {
  /** By which rule they were chosen (see `SAMPLE_RULE`). */
  readonly rule: string;
  readonly shown: readonly SampleFigure[];
  /** Pictures of chosen samples that could not be drawn. */
  readonly missing?: readonly Failure[];
}

/** One sample with its overlay. */
export interface SampleFigure {
  readonly path: string;
  /** Which part of the image: `face 2 of 3`. */
  readonly part?: string;
  readonly predicted: string;
  /** Probability of the predicted class, 0..1. */
  readonly probability: number;
  readonly overlay: OverlayData;
}
