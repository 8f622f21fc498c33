/** The claims that a synthetic corpus gives, counted as the reference study counts them. */

import { benjaminiHochberg } from "../../src/statistics/corrections/benjamini_hochberg.ts";
import { spearman } from "../../src/statistics/correlation.ts";
import { CELL_MEASURES } from "../../src/statistics/cell_measures/mod.ts";
import { normalTwoSided } from "../../src/statistics/distributions.ts";
import { fisherExact } from "../../src/statistics/exact/fisher.ts";
import { MEASURES } from "../../src/statistics/measures/mod.ts";
import { type Cell, screenClaims } from "../../src/statistics/screen.ts";
import { exactConditional } from "../../src/statistics/stratified/mod.ts";
import { CLEAN, type Corpus, EMOTIONS, RULES } from "./end_to_end.ts";
import {
  cellwise,
  type Counts,
  countsOf,
  type Incidence,
  incidenceOf,
  stratifiedByFace,
} from "./end_to_end_tables.ts";

const ALPHA = .05;
const cellOf = (cell: number): Cell => ({
  object: Math.floor(cell / EMOTIONS),
  class: cell % EMOTIONS,
});

const dice = (counts: Counts) =>
  cellwise(counts, (table) => MEASURES.dice.value({ ...table, boxes: 0, sum: 0 }));
const phi = (counts: Counts) => cellwise(counts, (table) => MEASURES.phi.value(table));
/** ln of (a + ½)·n over (object + ½)(emotion + ½). */
const logLift = (counts: Counts) =>
  cellwise(counts, ({ a, b, c, n }) => Math.log((a + .5) * n / ((a + b + .5) * (a + c + .5))));

/** Which cells are significant after Benjamini and Hochberg's correction. */
function significant(p: ArrayLike<number>): number[] {
  const adjusted = benjaminiHochberg.adjust(p);
  return [...adjusted.keys()].filter((cell) => adjusted[cell] <= ALPHA);
}

/** A cell that passes the test. */
export interface Claimed {
  readonly cell: Cell;
  readonly positive: boolean;
  /** Whether it is positive and the screen keeps it. */
  readonly kept: boolean;
}

/** Cells whose Fisher's p stays significant under one method, in their order, and what the screen says of them. */
export function claimedCells(incidence: Incidence, method: number): Claimed[] {
  const counts = countsOf(incidence, method);
  const directions = phi(counts);
  const places = significant(cellwise(counts, (table) => fisherExact(table)));
  const positive = places.filter((place) => directions[place] > 0);
  const screened = screenClaims(positive.map(cellOf), {
    label: incidence.label,
    salient: (object) => incidence.salient[method][object],
    detected: (object) => incidence.detected[object],
  });
  const kept = new Set(positive.filter((_, at) => screened[at].kept));
  return places.map((place) => ({
    cell: cellOf(place),
    positive: directions[place] > 0,
    kept: kept.has(place),
  }));
}

/** Spearman's correlations of dice, phi and log lift over the cells, of two methods: on the same images, and on disjoint halves. */
export function crossMethod(incidence: Incidence): { same: number[]; halves: number[] } {
  const { image } = incidence;
  const correlate = (first: Counts, second: Counts) =>
    [dice, phi, logLift].map((measure) => {
      const x = measure(first), y = measure(second);
      const finite = [...x.keys()].filter((i) => Number.isFinite(x[i]) && Number.isFinite(y[i]));
      return spearman(finite.map((i) => x[i]), finite.map((i) => y[i])).r;
    });
  return {
    same: correlate(countsOf(incidence, 0), countsOf(incidence, 1)),
    halves: correlate(
      countsOf(incidence, 0, (unit) => image[unit] % 2 === 0),
      countsOf(incidence, 1, (unit) => image[unit] % 2 === 1),
    ),
  };
}

/** What the study counts of a null corpus: any claim is false. */
export function studyNull(corpus: Corpus) {
  const incidence = incidenceOf(corpus);
  const counts = countsOf(incidence, 0);
  const values = dice(counts);
  const residuals = cellwise(counts, (table) => CELL_MEASURES["adjusted-residual"].value(table));
  const byFace = stratifiedByFace(incidence, 0).map(exactConditional);
  const { same, halves } = crossMethod(incidence);
  return {
    n: incidence.n,
    fisher_bh: claimedCells(incidence, 0).length,
    cmh_exact_face_bh: significant(byFace).length,
    z_bh: significant(residuals.map(normalTwoSided)).length,
    "dice_gt_0.1": values.filter((value) => value > .1).length,
    "dice_gt_0.2": values.filter((value) => value > .2).length,
    "spearman_same[dice,phi,loglift]": same,
    "spearman_half[dice,phi,loglift]": halves,
  };
}

/** What the study counts of a planted corpus: true, false and confounded claims, before and after the screen. */
export function studyPlanted(corpus: Corpus) {
  const incidence = incidenceOf(corpus);
  const cells = claimedCells(incidence, 0);
  const positive = cells.filter((cell) => cell.positive).map(({ cell }) => cell);
  const kept = cells.filter((cell) => cell.kept).map(({ cell }) => cell);
  return {
    n: incidence.n,
    fisher_bh: cells.length,
    direct_found: rulesAmong(positive),
    clean_false: cells.filter(({ cell }) => CLEAN.includes(cell.object)).length,
    positive: positive.length,
    positive_confounded: positive.filter(isConfounded).length,
    screen_kept: kept.length,
    screen_direct: rulesAmong(kept),
    screen_confounded: kept.filter(isConfounded).length,
  };
}

/** 1 for each rule that is among the claims. */
function rulesAmong(claims: readonly Cell[]): number[] {
  return RULES.map(([object, emotion]) =>
    Number(claims.some((cell) => cell.object === object && cell.class === emotion))
  );
}

/** A cell of a rule's emotion and an object of a scene, which is no rule's cell. */
function isConfounded({ object, class: target }: Cell): boolean {
  return !CLEAN.includes(object) && RULES.some(([, emotion]) => emotion === target) &&
    !RULES.some((rule) => rule[0] === object && rule[1] === target);
}
