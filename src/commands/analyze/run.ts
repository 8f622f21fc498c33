/**
 * `analyze`: from a corpus to object × class matrices, with what a person reads of it.
 *
 * @module
 */

import { join } from "node:path";
import { duration, plural } from "../../base/number_text.ts";
import type { AnalyzeOutcome, FinishedAnalysis } from "../../run/analyze.ts";
import type { AnalyzeOptions } from "../../run/options/mod.ts";
import { analyzeProduct, type ProductOptions } from "../../run/product.ts";
import { INTERRUPTED } from "../exit_codes.ts";
import { printAnalysis } from "./events.ts";
import { associationsText, pairTable } from "../terminal.ts";
import { methodLabels } from "../../association/labels.ts";
import { strongestAssociations } from "../../association/strongest.ts";

/**
 * Runs an analysis, or a product of several, and prints what was found.
 *
 * @returns the exit status, of several runs the highest: 0 when all or some images succeeded, 1 when none did (or any failed under `strict`).
 * @throws {UsageError} and ModelError before any work, when something asked for cannot be used.
 */
export async function runAnalyze(
  paths: readonly string[],
  options: ProductOptions,
): Promise<number> {
  const strict = options.strict ?? false;
  const statuses: number[] = [];
  await analyzeProduct(paths, options, {
    ...printAnalysis(),
    onRun: (folder, place, count) => {
      console.error(`\n[${place + 1}/${count}] ${folder}`);
      if (place > 0) console.log("");
      console.log(`${folder}:`);
    },
    onOutcome: (own, outcome) => {
      printOutcome(own, outcome);
      statuses.push(statusOf(outcome, strict));
    },
    statusOf: (outcome) => String(statusOf(outcome, strict)),
  });
  return Math.max(...statuses);
}

function statusOf(outcome: AnalyzeOutcome, strict: boolean): number {
  if (outcome.kind === "interrupted") return INTERRUPTED;
  const { failed, total } = outcome.summary;
  return failed === total || strict && failed > 0 ? 1 : 0;
}

function printOutcome(options: AnalyzeOptions, outcome: AnalyzeOutcome): void {
  if (outcome.kind === "interrupted") {
    console.error(
      `interrupted after ${outcome.done} of ${
        plural(outcome.total, "image")
      }; the same command continues from there`,
    );
    return;
  }
  for (const remark of outcome.remarks) console.error(`note: ${remark}`);
  printFinished(options, outcome);
}

/** What was found, and where everything lies, on standard output. */
function printFinished(
  { out, preset }: Pick<AnalyzeOptions, "out" | "preset">,
  { summary, counted, duplicates, failing }: FinishedAnalysis,
): void {
  const { methods: outputs, agreement } = counted;
  const [first] = outputs;
  const { samples } = first!.counts;
  const associations = strongestAssociations(outputs, new Set(failing.keys()));
  console.log(`\n${associationsText(associations, samples)}`);
  if (outputs.length > 1 && samples > 0) {
    const controls = new Set(outputs.filter(({ control }) => control).map(({ method }) => method));
    const label = methodLabels(controls, failing);
    console.log("\nCorrelation of box importances between methods:\n");
    console.log(
      pairTable(
        outputs.map(({ method }) => label(method)),
        (row, column) => agreement.correlation(row, column),
      ),
    );
  }
  const seconds = Object.values(summary.timings).reduce((a, b) => a + b, 0) / 1000;
  const failed = summary.failed > 0 ? `, ${summary.failed} failed (images.csv says why)` : "";
  console.log(
    `\n${plural(summary.total, "image")}${failed}, ${plural(summary.samples, "sample")}, ` +
      `${plural(first!.boxes, "box", "boxes")}; ` +
      `${plural(summary.reused, "image was", "images were")} computed before; ` +
      `${duration(seconds)} of work`,
  );
  if (duplicates > 0) {
    const are = duplicates === 1 ? "picture is" : "pictures are";
    console.log(`${duplicates} ${are} in the corpus more than once: each copy counts`);
  }
  console.log(`matrices  ${join(out, "matrices")}`);
  console.log(`tables    ${join(out, "images.csv")}, predictions.csv, boxes.csv, run.json`);
  if (preset) console.log(`paper     ${join(out, "paper")}`);
  console.log(`report    ${join(out, "report.html")}`);
  for (const [method, failed] of failing) {
    console.log(
      `${method} fails on this classifier: ${failed.join(", ")} (the report has the figures)`,
    );
  }
}
