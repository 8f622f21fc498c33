/** How unlike two rows of an association matrix are. */
export interface Distance {
  readonly name: string;
  /** Formula, and the tool that has it. */
  readonly source: string;
  /** 0 for equal rows and up; NaN where it is not defined. Rows of one length. */
  between(x: ArrayLike<number>, y: ArrayLike<number>): number;
}

/** Σ f(x, y) over the values of two rows. */
export function summed(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  term: (x: number, y: number) => number,
): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += term(x[i], y[i]);
  return sum;
}
