/**
 * The association of two binary marks of samples, tested over units: each unit (an image, say) keeps its samples together.
 *
 * The statistic is T = Σ over units of the mean over the unit's samples of x·y, where x says whether the object is salient and y whether
 * the class is predicted. Under the null hypothesis the units' vectors of y can be exchanged as wholes among units with equally many
 * samples: T is compared with its distribution over all such permutations. So a unit counts once, however many samples it has, and samples of one unit may
 * depend on each other.
 *
 * - Where each unit has one sample, this is Fisher's exact test.
 * - Where, in every unit, x is the same in all samples and so is y, it is the exact conditional test over strata of equal size.
 * - Otherwise permutations are drawn until 20 of them are as extreme as what was observed (Besag & Clifford, "Sequential Monte Carlo
 *   p-values", Biometrika 78, 1991: p = 20 / draws), at most `draws` times (then p = (hits + 1) / (draws + 1)).
 *
 * Units that are alone with their number of samples can be exchanged with none and carry no information.
 *
 * @module
 */

import type { Rng } from "../base/rng.ts";
import { fisherExact } from "./exact/fisher.ts";
import { exactConditional } from "./stratified/mod.ts";

/** Hits after which no more permutations are drawn. */
const HITS = 20;
/** Differences of T up to this are ties. */
const TIE = 1e-9;

/** The units of one size. */
interface Stratum {
  readonly size: number;
  readonly units: number;
}

/** What a test says. */
export interface UnitAssociation {
  /** Two-sided; NaN where one of the marks is the same everywhere, or no units can be exchanged. */
  readonly p: number;
  /** Whether it is exact: not drawn. */
  readonly exact: boolean;
  /** T less its expectation: its sign is the direction. */
  readonly excess: number;
}

/** Tests of many cells over the same units and labels. */
export class UnitAssociationTest {
  /** Units whose number of samples no other unit has. */
  readonly alone: number;
  readonly #label: Int32Array;
  readonly #unit: Int32Array;
  /** Place of each sample in its unit. */
  readonly #place: Int32Array;
  /** Units by their number of samples: strata within which units can be exchanged. */
  readonly #strata: readonly Stratum[];
  /** Stratum of each unit, and its place there. */
  readonly #stratumOf: Int32Array;
  readonly #placeIn: Int32Array;
  readonly #perClass = new Map<number, number>();
  readonly #classMarks = new Map<number, Marks[]>();

  /**
   * @param label class of each sample
   * @param unit unit of each sample, 0 … units − 1; a unit's samples need not be beside each other
   */
  constructor(label: Int32Array, unit: Int32Array, units: number) {
    const size = new Int32Array(units);
    this.#label = label;
    this.#unit = unit;
    this.#place = Int32Array.from(unit, (own) => size[own]++);
    const sizes = [...new Set(size)].sort((a, b) => a - b);
    const at = new Map(sizes.map((own, i) => [own, i]));
    const counts = new Int32Array(sizes.length);
    this.#stratumOf = Int32Array.from(size, (own) => at.get(own)!);
    this.#placeIn = Int32Array.from(this.#stratumOf, (stratum) => counts[stratum]++);
    this.#strata = sizes.map((own, i) => ({ size: own, units: counts[i] }));
    this.alone = counts.filter((own) => own === 1).length;
    for (const own of label) this.#perClass.set(own, (this.#perClass.get(own) ?? 0) + 1);
  }

  /**
   * Tests one object with classes.
   *
   * @param salient the samples with x = 1, ascending
   * @returns the test of a class: the samples with that label have y = 1. `draws` is the most permutations to draw, by the stream that
   *   `rng` gives: the same stream gives the same p.
   */
  object(
    salient: Int32Array,
  ): (target: number, options: { draws: number; rng: () => Rng }) => UnitAssociation {
    const strata = this.#strata;
    if (strata.length === 1 && strata[0].size === 1) {
      return (target) => this.#single(salient, target);
    }
    const x = this.#marks(salient);
    return (target, { draws, rng }) => {
      const y = this.#marksOfClass(target);
      let observed = 0, expected = 0, exchangeable = false, uniform = true;
      for (const [g, { size, units }] of strata.entries()) {
        observed += overlap(x[g], y[g]) / size;
        for (let i = 0; i < size; i++) expected += x[g].byPlace[i] * y[g].byPlace[i] / units / size;
        exchangeable ||= units > 1 && !x[g].constant && !y[g].constant;
        uniform &&= x[g].uniform && y[g].uniform;
      }
      const excess = Math.abs(observed - expected) <= TIE ? 0 : observed - expected;
      if (!exchangeable) return { p: NaN, exact: true, excess };
      if (uniform) return { p: exactP(strata, x, y), exact: true, excess };
      const p = drawnP(strata, x, y, { extreme: Math.abs(excess), expected, draws, rng: rng() });
      return { p, exact: false, excess };
    };
  }

  /** Each unit has one sample. */
  #single(salient: Int32Array, target: number): UnitAssociation {
    const n = this.#label.length, row = salient.length, column = this.#perClass.get(target) ?? 0;
    let a = 0;
    for (let i = 0; i < row; i++) if (this.#label[salient[i]] === target) a++;
    const excess = a - row * column / n;
    if (row === 0 || row === n || column === 0 || column === n) {
      return { p: NaN, exact: true, excess: 0 };
    }
    const p = fisherExact({ a, b: row - a, c: column - a, d: n - row - column + a });
    return { p, exact: true, excess: Math.abs(excess) <= TIE ? 0 : excess };
  }

  #marksOfClass(target: number): Marks[] {
    let marks = this.#classMarks.get(target);
    if (!marks) {
      const samples = [...this.#label.keys()].filter((s) => this.#label[s] === target);
      this.#classMarks.set(target, marks = this.#marks(samples));
    }
    return marks;
  }

  #marks(samples: Iterable<number>): Marks[] {
    const found = this.#strata.map(({ size }) => ({
      words: Math.ceil(size / 32),
      at: new Map<number, Int32Array>(),
      byPlace: new Float64Array(size),
      total: 0,
    }));
    for (const sample of samples) {
      const unit = this.#unit[sample], own = found[this.#stratumOf[unit]];
      let bits = own.at.get(this.#placeIn[unit]);
      if (!bits) own.at.set(this.#placeIn[unit], bits = new Int32Array(own.words));
      const bit = this.#place[sample];
      bits[bit >> 5] |= 1 << (bit & 31);
      own.byPlace[bit]++;
      own.total++;
    }
    return found.map(({ words, at, byPlace, total }, g) => {
      const { size, units } = this.#strata[g];
      const bits = new Int32Array(at.size * words);
      let i = 0;
      for (const own of at.values()) bits.set(own, words * i++);
      return {
        units: Int32Array.from(at.keys()),
        bits,
        words,
        byPlace,
        uniform: total === at.size * size,
        constant: byPlace.every((count) => count === 0 || count === units),
      };
    });
  }
}

/** The marks of one stratum: bits of each unit that has any. */
interface Marks {
  /** Units with marks, by their places in the stratum. */
  readonly units: Int32Array;
  /** `words` 32-bit words for each of those units. */
  readonly bits: Int32Array;
  readonly words: number;
  /** How many units have a mark at each place. */
  readonly byPlace: Float64Array;
  /** In each unit all samples have the mark, or none. */
  readonly uniform: boolean;
  /** All units have the same marks. */
  readonly constant: boolean;
}

/** Samples of a stratum that have both marks. */
function overlap(x: Marks, y: Marks): number {
  const at = new Map(Array.from(y.units, (unit, i) => [unit, i]));
  let both = 0;
  for (const [i, unit] of x.units.entries()) {
    const j = at.get(unit);
    if (j !== undefined) both += common(x, i, y, j);
  }
  return both;
}

function common(x: Marks, i: number, y: Marks, j: number): number {
  let both = 0;
  for (let w = 0; w < x.words; w++) {
    both += bitCount(x.bits[i * x.words + w] & y.bits[j * x.words + w]);
  }
  return both;
}

function bitCount(bits: number): number {
  bits -= (bits >>> 1) & 0x55555555;
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The tables of units by stratum. */
function exactP(strata: readonly Stratum[], x: readonly Marks[], y: readonly Marks[]): number {
  const tables = strata.map(({ size, units }, g) => {
    const a = overlap(x[g], y[g]) / size;
    const b = x[g].units.length - a, c = y[g].units.length - a;
    return { a, b, c, d: units - a - b - c };
  });
  return tables.length === 1 ? fisherExact(tables[0]) : exactConditional(tables);
}

/** p by drawn permutations. */
function drawnP(
  strata: readonly Stratum[],
  x: readonly Marks[],
  y: readonly Marks[],
  { extreme, expected, draws, rng }: {
    readonly extreme: number;
    readonly expected: number;
    readonly draws: number;
    readonly rng: Rng;
  },
): number {
  // In each stratum the marks of fewer units are laid on random places of the others.
  const moves = strata.flatMap(({ size, units }, g) => {
    const [few, many] = x[g].units.length <= y[g].units.length ? [x[g], y[g]] : [y[g], x[g]];
    if (few.units.length === 0) return [];
    const at = new Int32Array(units).fill(-1);
    many.units.forEach((unit, i) => at[unit] = i);
    return [{ size, units, few, many, at, order: Int32Array.from({ length: units }, (_, i) => i) }];
  });
  let hits = 0, drawn = 0;
  while (drawn < draws && hits < HITS) {
    drawn++;
    let value = 0;
    for (const { size, units, few, many, at, order } of moves) {
      let both = 0;
      for (let i = 0; i < few.units.length; i++) {
        const j = i + Math.floor(rng.bits() / 2 ** 32 * (units - i));
        const place = order[j];
        order[j] = order[i];
        order[i] = place;
        const other = at[place];
        if (other >= 0) {
          both += few.words === 1
            ? bitCount(few.bits[i] & many.bits[other])
            : common(few, i, many, other);
        }
      }
      value += both / size;
    }
    if (Math.abs(value - expected) >= extreme - TIE) hits++;
  }
  return hits === HITS ? hits / drawn : (hits + 1) / (drawn + 1);
}
