/**
 * Association measures: one number for one cell (object × class) of an association matrix.
 *
 * @module
 */

/** What is counted for one object and one class over samples: a 2×2 table (is the object salient? is the class predicted?). */
export interface CountedCell {
  /** Samples with both. */
  readonly a: number;
  /** Samples with the object salient and another class predicted. */
  readonly b: number;
  /** Samples with the class predicted and the object not salient. */
  readonly c: number;
  /** Samples with neither. */
  readonly d: number;
  /** All samples, a + b + c + d. */
  readonly n: number;
}

/** A 2×2 table and the importance of the object's boxes under the class's maps. */
export interface Cell extends CountedCell {
  /** Boxes of the object with an importance under the class's own maps. */
  readonly boxes: number;
  /** Sum of their importance, each 0..1. */
  readonly sum: number;
}

/** One association measure. */
export interface Measure {
  /** Its name in file names and tables, kebab-case. */
  readonly name: string;
  /** Formula and where it is from. */
  readonly source: string;
  /** What its values count or range over. */
  readonly units: string;
  /** Whether its values lie on both sides of a neutral 0; else they begin at 0. */
  readonly signed: boolean;
  /** The measure of one cell; NaN where it is not defined. */
  value(cell: Cell): number;
}

/** A measure for which the 2×2 table is enough. */
export interface TableMeasure extends Measure {
  value(cell: CountedCell): number;
}
