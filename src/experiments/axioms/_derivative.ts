/**
 * Derivatives of a function along directions by finite differences, with an estimate of how far they can be trusted.
 *
 * @module
 */

/** Steps fall by this factor. */
const FALL = 2;
/** A longer step's error by the h² term, over a shorter one's. */
const ORDER = FALL * FALL;

/** What was found along one direction. */
export interface Derivative {
  readonly value: number;
  /** How far off it may be, by truncation or rounding; infinite where it could not be found. */
  readonly uncertainty: number;
}

/** Values of the function at x + h v and x − h v, for each direction v. */
export type Pairs = (step: number) => Promise<readonly (readonly [number, number])[]>;

/** The function at x. */
export interface Centre {
  /** f(x). */
  readonly value: number;
  /** How far off a value of the function may be. */
  readonly rounding: number;
  /** The size of the slope in a random direction. */
  readonly slope: number;
}

/**
 * Central differences at steps that fall by factors of two, extrapolated to a step of 0 (Richardson); of the estimates the one that
 * agrees best with its neighbours in the scheme is taken. A shorter step is only tried while a direction is not known well enough.
 *
 * Source: C. J. F. Ridders, "Accurate computation of F′(x) and F′(x) F″(x)", Advances in Engineering Software 4 (1982) 75–76, whose
 * scheme this is; the bound by rounding is ours.
 *
 * What rounding does to the derivative itself is counted, too: a value that is off by r belongs to a point that lies r / f′ further along,
 * where the derivative differs by f″ r / f′. The value and the derivative that it is compared with are rounded apart. (Where f′ happens to be
 * small, the size that slopes have in other directions is taken.)
 *
 * @param steps how many at most, and the longest
 * @param enough whether an uncertainty is small enough, for direction i
 */
export async function derivatives(
  pairsAt: Pairs,
  { value: centre, rounding, slope }: Centre,
  { longest, count }: { readonly longest: number; readonly count: number },
  enough: (found: Derivative, i: number) => boolean,
): Promise<readonly Derivative[]> {
  const schemes: Scheme[] = [];
  let step = longest;
  for (let level = 0; level < count; level++, step /= FALL) {
    for (const [i, [there, back]] of (await pairsAt(step)).entries()) {
      const scheme = schemes[i] ??= { table: [], last: UNKNOWN, best: UNKNOWN };
      const found = extended(scheme.table, (there - back) / (2 * step));
      const bend = (there + back - 2 * centre) / step ** 2;
      const along = Math.max(Math.abs(found.value), slope);
      const moved = along > 0 ? Math.abs(bend * rounding) / along : 0;
      const uncertainty = Math.max(found.uncertainty, rounding / step, moved);
      confirm(scheme, { value: found.value, uncertainty }, rounding / step);
    }
    // At a shorter step rounding says more: once it alone is too much for a direction, that direction gains nothing.
    const next = (FALL * rounding) / step;
    const known = schemes.every(({ best, last }, i) =>
      enough(best, i) ||
      Number.isFinite(last.value) && !enough({ value: last.value, uncertainty: next }, i)
    );
    if (level > 1 && known) break;
  }
  return schemes.map(({ best }) => best);
}

const UNKNOWN: Derivative = { value: NaN, uncertainty: Infinity };

/** One direction. */
interface Scheme {
  readonly table: number[][];
  /** The estimate of the last row. */
  last: Derivative;
  /** The best of those that the next row confirmed. */
  best: Derivative;
}

/**
 * Takes up a row's estimate. An estimate counts once the next row's is where the first one said, but for the rounding of the new row: over
 * long steps a curved function may look straight. One that a later row denies counts no longer.
 */
function confirm(scheme: Scheme, found: Derivative, rounding: number): void {
  const confirms = (earlier: Derivative) =>
    Math.abs(found.value - earlier.value) <= 2 * (earlier.uncertainty + rounding);
  if (scheme.best !== UNKNOWN && !confirms(scheme.best)) scheme.best = UNKNOWN;
  if (Number.isFinite(scheme.last.uncertainty) && confirms(scheme.last)) {
    for (const one of [scheme.last, found]) {
      if (one.uncertainty < scheme.best.uncertainty) scheme.best = one;
    }
  }
  scheme.last = found;
}

/**
 * Adds a row to a scheme of extrapolations, and gives the estimate in it that agrees best with its neighbours: that of one order less, and
 * both of the row before. (Two neighbours alone agree by chance too often.)
 */
function extended(table: number[][], difference: number): Derivative {
  const above = table.at(-1) ?? [];
  const row = [difference];
  let best: Derivative = { value: difference, uncertainty: Infinity };
  above.forEach((coarse, column) => {
    const factor = ORDER ** (column + 1);
    const value = (factor * row[column] - coarse) / (factor - 1);
    row.push(value);
    const neighbours = [row[column], coarse, ...above.slice(column + 1, column + 2)];
    const uncertainty = Math.max(...neighbours.map((one) => Math.abs(value - one)));
    if (uncertainty < best.uncertainty) best = { value, uncertainty };
  });
  table.push(row);
  return best;
}
