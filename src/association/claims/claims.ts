/**
 * From a finished run to claims: every cell tested, the evidence on those that matter, and a verdict on each.
 *
 * @module
 */

import { compareCodePoints } from "../../base/code_points.ts";
import { flag } from "../../base/flag.ts";
import { count, plural } from "../../base/number_text.ts";
import type { FinishedRun } from "../../ledger/finished_run.ts";
import type { VerdictRecord } from "../../ledger/manifest.ts";
import { CELL_MEASURES } from "../../statistics/cell_measures/mod.ts";
import { logOddsInterval } from "../../statistics/intervals/log_odds.ts";
import { type CellTests, testCells, weightedTable } from "../cell_tests.ts";
import {
  type Candidate,
  EVIDENCE,
  type Evidence,
  type Finding,
  type Inquiry,
} from "../evidence/mod.ts";
import { incidenceOf } from "../incidence.ts";
import { readLongTable } from "../long_table.ts";
import type { StatsSettings } from "../stats_settings.ts";
import { unitKeys, unitsOf } from "../units.ts";
import type { Claim, Claims, MethodSummary, Verdict } from "./claim.ts";
import { readingOf } from "./reading.ts";

/** Cells of a method that are listed although they do not pass the test: those with the smallest p. */
const NEAREST = 10;
/** What no run can be tested for yet. */
const NEVER_TESTED = {
  "matched boxes":
    "whether the same object elsewhere, or another box of its size, would score as high; maps of some classes cover more of every picture, and then frequent objects are associated with them even in noise",
};
/** Verdicts from the one that counts most. */
const ORDER: readonly Verdict[] = ["supported", "artefact", "contradicted", "inconclusive"];

/** Everything that was tested. */
export interface Tested {
  readonly inquiry: Inquiry;
  readonly claims: Claims;
}

/** Reads a run and tests all its cells. */
export function inquire(
  run: FinishedRun,
  settings: StatsSettings,
  verdicts: readonly VerdictRecord[],
): Inquiry {
  const table = readLongTable(run);
  const keyOf = unitKeys(run, table, settings.block);
  const tests = run.methods.map((_, method) => {
    const incidence = incidenceOf(table, method, settings);
    return testCells(method, incidence, unitsOf(incidence, keyOf), settings);
  });
  return { run, table, settings, tests, verdicts };
}

/**
 * Claims of all methods that are not controls.
 *
 * A cell is *supported* when its exact p passes the correction, object and class go together, and no evidence takes it away; *contradicted* when it
 * passes and they avoid each other; an *artefact* when evidence explains it; and *inconclusive* otherwise.
 */
export async function claimsOf(
  inquiry: Inquiry,
  kinds: readonly Evidence[] = Object.values(EVIDENCE),
): Promise<Claims> {
  const { run, settings } = inquiry;
  const notTested: Record<string, string> = { ...NEVER_TESTED };
  const able = kinds.filter((kind) => {
    const reason = settings.evidence?.includes(kind.name) === false
      ? `not among those of ${flag("evidence")}`
      : kind.missing(inquiry);
    if (reason !== undefined) notTested[kind.name] = reason;
    return reason === undefined;
  });
  const claims: Claim[] = [], methods: MethodSummary[] = [];
  for (const tests of inquiry.tests) {
    const { control } = run.methods[tests.method];
    const own = control ? [] : await claimsOfMethod(inquiry, tests, able);
    claims.push(...own);
    methods.push(summaryOf(run, tests, own));
  }
  return {
    methods,
    claims: claims.sort((x, y) => ORDER.indexOf(x.verdict) - ORDER.indexOf(y.verdict) || x.p - y.p),
    notTested,
    columns: able.flatMap(({ columns }) => columns),
    notices: noticesOf(inquiry),
  };
}

async function claimsOfMethod(
  inquiry: Inquiry,
  tests: CellTests,
  kinds: readonly Evidence[],
): Promise<Claim[]> {
  const candidates = candidatesOf(tests, inquiry.settings.alpha);
  const findings = new Map<Evidence, readonly Finding[]>();
  for (const kind of kinds) findings.set(kind, await kind.of(inquiry, tests, candidates));
  return candidates.map((candidate, i) =>
    claimOf(inquiry, tests, candidate, kinds.map((kind) => [kind.name, findings.get(kind)![i]]))
  );
}

/** The cells that pass the test, and of the others those nearest to it. */
function candidatesOf({ incidence, p, q, sign }: CellTests, alpha: number): Candidate[] {
  const { columns, objects, classes } = incidence;
  const cells = [...p.keys()].filter((cell) => !Number.isNaN(p[cell]))
    .map((cell): Candidate => ({
      object: Math.floor(cell / columns.length),
      target: columns[cell % columns.length],
      cell,
      positive: q[cell] <= alpha && sign[cell] > 0,
    }))
    .sort((x, y) =>
      p[x.cell] - p[y.cell] || compareCodePoints(objects[x.object], objects[y.object]) ||
      compareCodePoints(classes[x.target], classes[y.target])
    );
  const passing = cells.filter(({ cell }) => q[cell] <= alpha);
  const others = cells.filter(({ cell }) => !(q[cell] <= alpha));
  return [...passing, ...others.slice(0, NEAREST)];
}

function claimOf(
  { run, settings }: Inquiry,
  tests: CellTests,
  { object, target, cell, positive }: Candidate,
  findings: readonly (readonly [name: string, finding: Finding])[],
): Claim {
  const { incidence, units, counts, method, p, q, sign } = tests;
  const table = weightedTable(tests, cell);
  const { value, low, high } = logOddsInterval(table);
  const against = findings.flatMap(([, finding]) => finding.against ?? []);
  const significant = q[cell] <= settings.alpha;
  const verdict: Verdict = !significant
    ? "inconclusive"
    : sign[cell] < 0
    ? "contradicted"
    : against.some((own) => own.verdict === "artefact")
    ? "artefact"
    : against.length > 0
    ? "inconclusive"
    : "supported";
  const claim: Omit<Claim, "reading"> = {
    object: incidence.objects[object],
    class: incidence.classes[target],
    method: run.methods[method].name,
    verdict,
    because: positive ? against.map(({ because }) => because) : [],
    logOdds: value,
    low,
    high,
    phi: CELL_MEASURES.phi.value(table),
    p: p[cell],
    q: q[cell],
    units: units.count,
    withBoth: counts.a[cell],
    withObject: counts.a[cell] + counts.b[cell],
    withClass: counts.a[cell] + counts.c[cell],
    evidence: Object.assign({}, ...findings.map(([, { values }]) => values)),
    untested: Object.fromEntries(
      findings.flatMap(([name, { untested }]) => untested === undefined ? [] : [[name, untested]]),
    ),
  };
  return { ...claim, reading: readingOf(claim, settings) };
}

function summaryOf(run: FinishedRun, tests: CellTests, claims: readonly Claim[]): MethodSummary {
  const { name, control } = run.methods[tests.method];
  return {
    method: name,
    control,
    samples: tests.incidence.label.length,
    units: tests.units.count,
    cells: tests.p.length,
    testable: tests.testable,
    significant: tests.significant,
    verdicts: Object.fromEntries(
      ORDER.map((verdict) => [verdict, claims.filter((own) => own.verdict === verdict).length]),
    ) as Record<Verdict, number>,
  };
}

function noticesOf({ table, tests, settings }: Inquiry): string[] {
  const [first] = tests;
  const notices: string[] = [];
  if (table.copies > 0) {
    notices.push(
      `${
        plural(table.copies, "image is a copy", "images are copies")
      } of others: claims count each picture once`,
    );
  }
  const left = table.predicted.length - first.incidence.label.length;
  if (left > 0) {
    notices.push(
      `${plural(left, "sample")} of ${
        count(table.predicted.length)
      } left out: the predicted class has a probability of ${settings.emotionConfidence} or less`,
    );
  }
  if (first.alone > 0) {
    const unit = settings.block === undefined ? "image" : `block (${settings.block})`;
    notices.push(
      `${plural(first.alone, unit)} with a number of samples that no other has: ${
        first.alone === 1 ? "it adds" : "they add"
      } nothing to p values`,
    );
  }
  return notices;
}
