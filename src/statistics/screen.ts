/**
 * The screen of claims: is an object's association its own, or does it only come along with another object that is claimed too?
 *
 * With many images every object that shares scenes with a cause becomes significant. Given the cause, its association goes away.
 *
 * @module
 */

import type { TwoByTwo } from "./exact/hypergeometric.ts";
import { cochranMantelHaenszel, mantelHaenszel } from "./stratified/mod.ts";

/** An object and a class. */
export interface Cell {
  readonly object: number;
  readonly class: number;
}

/** Units (images, or samples with weights), by number from 0. */
export interface ScreenedUnits {
  /** Class of each unit. */
  readonly label: ArrayLike<number>;
  /** The units in which an object is salient for a class, each once. */
  salient(object: number, target: number): ArrayLike<number>;
  /** The units in which an object is there at all, each once. */
  detected(object: number): ArrayLike<number>;
  /** How much each unit counts, at least 0; 1 without. A sample of an image with m samples has 1/m, so that an image counts once. */
  readonly weights?: ArrayLike<number> | undefined;
}

/** What the screen says of a claim. */
export interface Screened {
  /** Whether the association holds given each other claimed object of the class. */
  readonly kept: boolean;
  /** The object given which least of the association is left; none where the class has no other claim. */
  readonly rival: number | undefined;
  /** What is left given the rival, as a standard normal deviate; NaN without a rival, and where the rival leaves nothing to compare. */
  readonly z: number;
  /** Mantel and Haenszel's common odds ratio given the rival, 0..∞; NaN where `z` is. */
  readonly oddsRatio: number;
}

/** Sums of weights below this share of all are rounding. */
const ROUNDING = 1e-10;

/**
 * Screens positive claims: a claim is kept if its association stays, positive and significant, in tables stratified by whether another
 * object is detected, for every other object that is claimed for the same class.
 *
 * The test is that of Cochran, Mantel and Haenszel over the two strata, without a correction for continuity; z is its root with the sign of
 * the common log odds. Where the rival leaves nothing to compare (two objects that are always together), z is NaN and the claim is not kept:
 * the data cannot tell which of the two it is. Weights enter as numbers of units.
 *
 * It only takes claims away, so its p needs no correction for the number of claims; it is no test of a claim by itself.
 *
 * @param claims positive ones, each cell once; others do not belong here
 * @param alpha largest two-sided p that is significant
 * @returns in the order of the claims, whatever that is
 */
export function screenClaims(
  claims: readonly Cell[],
  units: ScreenedUnits,
  alpha = .05,
): Screened[] {
  const result = new Array<Screened>(claims.length);
  const flags = new Uint8Array(units.label.length);
  for (const [target, places] of Map.groupBy(claims.keys(), (at) => claims[at].class)) {
    const tables = conditionalTables(units, target, flags);
    const own = places.map((at) => tables.marginal(claims[at].object));
    const hardest = places.map((): Omit<Screened, "kept"> => ALONE);
    const kept = places.map(() => true);
    for (const at of places) {
      const rival = claims[at].object;
      const given = tables.stratify(rival);
      for (const [place, other] of places.entries()) {
        if (other === at) continue;
        const { z, oddsRatio, p } = given(own[place]);
        if (!(z > 0 && p <= alpha)) kept[place] = false;
        const worst = hardest[place];
        if (harder(z, rival, worst)) hardest[place] = { rival, z, oddsRatio };
      }
    }
    places.forEach((at, place) => result[at] = { kept: kept[place], ...hardest[place] });
  }
  return result;
}

const ALONE = { rival: undefined, z: NaN, oddsRatio: NaN };

/** Whether a rival leaves less than the worst so far; of equal ones the first by number, so that the order of claims does not matter. */
function harder(z: number, rival: number, worst: Omit<Screened, "kept">): boolean {
  if (worst.rival === undefined) return true;
  const [own, other] = [z, worst.z].map((value) => Number.isNaN(value) ? -Infinity : value);
  return own < other || own === other && rival < worst.rival;
}

/** Weights of the units with an object salient, and of those that have the class too. */
interface Counts {
  readonly units: ArrayLike<number>;
  readonly object: number;
  readonly both: number;
}

/** 2×2 tables of one class. `flags`, a byte for each unit, is overwritten. */
function conditionalTables(units: ScreenedUnits, target: number, flags: Uint8Array) {
  const { label, weights } = units;
  const TARGET = 1, RIVAL = 2;
  const weightOf = (unit: number) => weights ? weights[unit] : 1;
  let all = 0, targets = 0;
  for (let unit = 0; unit < label.length; unit++) {
    all += weightOf(unit);
    flags[unit] = label[unit] === target ? TARGET : 0;
    if (flags[unit]) targets += weightOf(unit);
  }
  let flagged: ArrayLike<number> = [];
  const noise = ROUNDING * all;
  return {
    marginal(object: number): Counts {
      const own = units.salient(object, target);
      let sum = 0, both = 0;
      for (let i = 0; i < own.length; i++) {
        const weight = weightOf(own[i]);
        sum += weight;
        if (flags[own[i]] & TARGET) both += weight;
      }
      return { units: own, object: sum, both };
    },
    /** Gives what is left of an association given an object. */
    stratify(rival: number): (own: Counts) => Remaining {
      for (let i = 0; i < flagged.length; i++) flags[flagged[i]] &= TARGET;
      flagged = units.detected(rival);
      let n = 0, c = 0;
      for (let i = 0; i < flagged.length; i++) {
        const unit = flagged[i];
        n += weightOf(unit);
        if (flags[unit] & TARGET) c += weightOf(unit);
        flags[unit] |= RIVAL;
      }
      return ({ units: own, object, both }) => {
        let together = 0, a = 0;
        for (let i = 0; i < own.length; i++) {
          const flag = flags[own[i]];
          if (flag < RIVAL) continue;
          const weight = weightOf(own[i]);
          together += weight;
          if (flag > RIVAL) a += weight;
        }
        return remaining([
          tableOf([n, together, c, a], noise),
          tableOf([all - n, object - together, targets - c, both - a], noise),
        ]);
      };
    },
  };
}

/** A 2×2 table from the weights of all units, of those with the object, with the class, and with both. */
function tableOf(
  [n, object, target, both]: readonly [number, number, number, number],
  noise: number,
): TwoByTwo {
  const clean = (sum: number) => sum > noise ? sum : 0;
  return {
    a: clean(both),
    b: clean(object - both),
    c: clean(target - both),
    d: clean(n - object - target + both),
  };
}

/** What is left of an association within strata. */
interface Remaining {
  readonly z: number;
  readonly p: number;
  readonly oddsRatio: number;
}

function remaining(strata: readonly TwoByTwo[]): Remaining {
  const { statistic, p } = cochranMantelHaenszel(strata);
  if (Number.isNaN(statistic)) return { z: NaN, p: NaN, oddsRatio: NaN };
  const { value } = mantelHaenszel(strata);
  return { z: Math.sign(value - 1) * Math.sqrt(statistic), p, oddsRatio: value };
}
