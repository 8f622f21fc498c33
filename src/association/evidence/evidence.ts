/**
 * What evidence on a cell (object × class) is: a column or more beside its p value, and whether it speaks against the claim.
 *
 * Only the exact test with its correction can support a claim. Every kind of evidence can only take a claim away, and what a run does not
 * hold is "not tested": it counts neither way, and is printed.
 *
 * @module
 */

import type { FinishedRun } from "../../ledger/finished_run.ts";
import type { VerdictRecord } from "../../ledger/manifest.ts";
import type { LongTable } from "../long_table.ts";
import type { CellTests } from "../cell_tests.ts";
import type { StatsSettings } from "../stats_settings.ts";

/** What all kinds of evidence are taken from. */
export interface Inquiry {
  readonly run: FinishedRun;
  readonly table: LongTable;
  readonly settings: StatsSettings;
  /** Every cell of every method of the run, controls too, tested; in the order of the run's methods. */
  readonly tests: readonly CellTests[];
  /** Verdicts of the axioms, where they were checked. */
  readonly verdicts: readonly VerdictRecord[];
}

/** A cell that evidence is asked for. */
export interface Candidate {
  /** Place of the object among the table's. */
  readonly object: number;
  /** Index of the class. */
  readonly target: number;
  /** Place of the cell in {@linkcode CellTests}. */
  readonly cell: number;
  /** Whether the association passes the test with its correction, and object and class go together. */
  readonly positive: boolean;
}

/** What one kind of evidence says of one candidate. */
export interface Finding {
  /** By the names of the evidence's columns; NaN or absent where there is no value. */
  readonly values: Readonly<Record<string, number | string>>;
  /** What it makes of a claim, and why, in words that follow "because"; absent where it has nothing against it. */
  readonly against?: {
    readonly verdict: "artefact" | "inconclusive";
    readonly because: string;
  } | undefined;
  /** Why it could not be tested for this cell. */
  readonly untested?: string | undefined;
}

/** One kind of evidence. */
export interface Evidence {
  /** Its name in files and options, kebab-case. */
  readonly name: string;
  /** What it is and where it is from. */
  readonly source: string;
  /** The columns that it adds to the table of claims. */
  readonly columns: readonly string[];
  /** Why a run cannot be tested for it; nothing where it can. */
  missing(inquiry: Inquiry): string | undefined;
  /** What it says of candidates of one method, one finding each, in their order. */
  of(
    inquiry: Inquiry,
    tests: CellTests,
    candidates: readonly Candidate[],
  ): readonly Finding[] | Promise<readonly Finding[]>;
}
