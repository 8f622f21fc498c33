/**
 * The strongest associations of a run, over all of its methods.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import type { MethodOutput } from "./count_run.ts";

/** One cell of a matrix with the counts it was made from. */
export interface Association {
  readonly object: string;
  readonly class: string;
  readonly measure: string;
  /** The method whose cell this is: of several, the one in the middle. */
  readonly method: string;
  readonly value: number;
  /** Mean importance of the object's boxes under that method's maps of the class; NaN without boxes. */
  readonly importance: number;
  /** Samples with both, with the object salient, and with the class predicted. */
  readonly both: number;
  readonly withObject: number;
  readonly withClass: number;
  /** With several methods: their least and greatest value, how many have the value's sign, and how many have a value. */
  readonly methods?: {
    readonly least: number;
    readonly greatest: number;
    readonly agreeing: number;
    readonly defined: number;
  };
}

/** Associations, and in words how they were chosen. */
export interface StrongestAssociations {
  readonly rule: string;
  readonly rows: readonly Association[];
}

/**
 * The cells with the largest |phi|; with the largest mean importance where phi is defined nowhere. Equal cells in the order of objects (code
 * points) and classes. Cells without a value are left out.
 *
 * With several methods a cell appears once, with the value in the middle (of two, the one nearer to 0): the largest of many methods'
 * values would be picked for being large. Cells that fewer than half of the methods give a value are left out. Controls find nothing, they are what
 * a finding has to beat: they do not count, nor do methods that fail an axiom, unless there are no others.
 *
 * @param failing names of methods that fail an axiom on this classifier
 */
export function strongestAssociations(
  outputs: readonly MethodOutput[],
  failing: ReadonlySet<string> = new Set(),
  limit = 10,
): StrongestAssociations {
  const explaining = outputs.filter(({ control }) => !control);
  const passing = explaining.filter(({ method }) => !failing.has(method));
  const counted = [passing, explaining, outputs].find(({ length }) => length > 0) ?? [];
  const byPhi = rank(counted, "phi", limit);
  const rows = byPhi.length > 0 ? byPhi : rank(counted, "mean-importance", limit);
  return { rule: ruleOf(counted, outputs, explaining, byPhi.length > 0), rows };
}

function ruleOf(
  counted: readonly MethodOutput[],
  outputs: readonly MethodOutput[],
  explaining: readonly MethodOutput[],
  byPhi: boolean,
): string {
  const what = byPhi
    ? "largest |phi| between “object salient” and “class predicted”"
    : "largest mean importance (phi is undefined everywhere)";
  if (counted.length < 2) return what;
  const left = [
    ...counted.length < explaining.length ? ["those that fail an axiom"] : [],
    ...explaining.length < outputs.length && counted.length < outputs.length ? ["controls"] : [],
  ];
  return `${what}, the median of ${counted.length} methods${
    left.length > 0 ? `, ${left.join(" and ")} left out` : ""
  }`;
}

function rank(outputs: readonly MethodOutput[], measure: string, limit: number): Association[] {
  const cells = new Map<string, Association[]>();
  for (const output of outputs) {
    for (const found of cellsOf(output, measure)) {
      const key = JSON.stringify([found.object, found.class]);
      const own = cells.get(key);
      if (own) own.push(found);
      else cells.set(key, [found]);
    }
  }
  return [...cells.values()].filter(({ length }) => 2 * length >= outputs.length)
    .map((found) => outputs.length > 1 ? middle(found) : found[0])
    // Stable: classes stay in their order.
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || compareCodePoints(a.object, b.object))
    .slice(0, limit);
}

/** The cells of one method that have a value. */
function* cellsOf(
  { method, counts, matrices }: MethodOutput,
  measure: string,
): Generator<Association> {
  const matrix = matrices.find((matrix) => matrix.measure === measure)!;
  const importances = matrices.find((matrix) => matrix.measure === "mean-importance")!.values;
  for (const [row, object] of matrix.objects.entries()) {
    for (const [column, target] of counts.columns.entries()) {
      const at = row * matrix.classes.length + column;
      const value = matrix.values[at];
      if (Number.isNaN(value)) continue;
      const { a, b, c } = counts.cell(object, target)!;
      yield {
        object,
        class: matrix.classes[column],
        measure,
        method,
        value,
        importance: importances[at],
        both: a,
        withObject: a + b,
        withClass: a + c,
      };
    }
  }
}

/** One cell for those of several methods. */
function middle(cells: readonly Association[]): Association {
  const sorted = cells.toSorted((a, b) => a.value - b.value);
  const low = sorted[(sorted.length - 1) >> 1], high = sorted[sorted.length >> 1];
  const chosen = Math.abs(low.value) <= Math.abs(high.value) ? low : high;
  return {
    ...chosen,
    methods: {
      least: sorted[0].value,
      greatest: sorted.at(-1)!.value,
      agreeing: cells.filter(({ value }) => Math.sign(value) === Math.sign(chosen.value)).length,
      defined: cells.length,
    },
  };
}
