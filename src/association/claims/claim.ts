/**
 * What a claim is: one cell of an association matrix with everything that speaks for and against it, and a verdict.
 *
 * @module
 */

/** What becomes of a claim. */
export type Verdict = "supported" | "inconclusive" | "contradicted" | "artefact";

/** One cell (object × class) of one method, with its evidence. */
export interface Claim {
  readonly object: string;
  readonly class: string;
  readonly method: string;
  readonly verdict: Verdict;
  /** Why it is not supported, a clause each that follows "because"; empty where it is. */
  readonly because: readonly string[];
  /** Log odds ratio of object salient and class predicted over units, Haldane–Anscombe; NaN where a margin is empty. */
  readonly logOdds: number;
  /** Its 95 % interval (Wald); NaN where it cannot be estimated. */
  readonly low: number;
  readonly high: number;
  /** Correlation of the two marks, −1..1. */
  readonly phi: number;
  /** Two-sided p over units, and adjusted for the cells of the method. */
  readonly p: number;
  readonly q: number;
  /** Units, and samples with both, with the object salient, with the class predicted. */
  readonly units: number;
  readonly withBoth: number;
  readonly withObject: number;
  readonly withClass: number;
  /** What each kind of evidence found, by column. */
  readonly evidence: Readonly<Record<string, number | string>>;
  /** Kinds of evidence that could not be tested for it, with the reason. */
  readonly untested: Readonly<Record<string, string>>;
  /** One sentence that says all this. */
  readonly reading: string;
}

/** How the cells of one method came out. */
export interface MethodSummary {
  readonly method: string;
  readonly control: boolean;
  readonly samples: number;
  readonly units: number;
  readonly cells: number;
  /** Cells that can be tested: object and class are each in some and not in all samples. */
  readonly testable: number;
  /** Cells that pass the test with its correction, in either direction. */
  readonly significant: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** The claims of a run. */
export interface Claims {
  readonly methods: readonly MethodSummary[];
  /** Those that pass the test, and of the others those with the smallest p. */
  readonly claims: readonly Claim[];
  /** Kinds of evidence that the run does not hold, with the reason. */
  readonly notTested: Readonly<Record<string, string>>;
  /** The columns of the evidence that was taken, in order. */
  readonly columns: readonly string[];
  /** What a reader must know, a line each. */
  readonly notices: readonly string[];
}
