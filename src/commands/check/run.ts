/**
 * `check`: the axioms of each method on a user's model.
 *
 * @module
 */

import { join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { csvText } from "../../base/csv.ts";
import { findImages } from "../../corpora/find_images.ts";
import { type AxiomResult, saysOf, verdictText } from "../../experiments/axioms/mod.ts";
import { cascade, type CascadeStep } from "../../experiments/cascade.ts";
import { plural, significant } from "../../base/number_text.ts";
import { closeGpu } from "../../gpu/device.ts";
import { MODELS_FOLDER } from "../../runtime/card.ts";
import { checkMethods, openAxiomContext, writeAxioms } from "../../run/verdicts.ts";
import { prepareFolder } from "../../run/folder.ts";
import { ownFolder } from "../../run/own_files.ts";
import type { ExplainOptions, ParsedOptions } from "../../run/options/mod.ts";
import { classText, layersText, openSetup, type Setup } from "../../run/open.ts";
import { decimals, printFailure, printVerdict, textTable } from "../terminal.ts";
import { legible } from "../../base/legible.ts";
import { failedAxioms } from "../../experiments/failed_axioms.ts";
import { flag } from "../../base/flag.ts";

/** Name of the table of the cascade. */
const CASCADE = "cascade.csv";

/** Options of `check`, parsed. */
export type CheckOptions = ParsedOptions<"check"> & ExplainOptions;

/**
 * Checks the axioms and prints a table of figures and verdicts.
 *
 * @returns the exit status: 0 when every axiom that could be checked holds (those of controls aside), 1 when one fails.
 * @throws {UsageError} when there is no sample, or an option cannot be used.
 */
export async function runCheck(paths: readonly string[], options: CheckOptions): Promise<number> {
  if (options.class === "all") {
    throw new UsageError(
      `Cannot check ${
        flag("class")
      } "all": the axioms are checked on one class of each sample; give predicted, or one class`,
    );
  }
  const found: string[] = [];
  const images = await findImages(paths.length > 0 ? paths : [join(MODELS_FOLDER, "photos")], {
    note: (notice) => found.push(notice),
  });
  const setup = await openSetup(options, images, { found });
  try {
    const owned = options.out === undefined ? undefined : await ownFolder(options.out, {
      option: flag("out"),
      writes: (name) => name === CASCADE && (options.cascade ?? false),
      inputs: [
        ...[...paths, options.classifier, options.detector],
        ...images.map(({ file }) => file),
      ],
    });
    if (options.out !== undefined) await prepareFolder(flag("out"), options.out);
    await using context = await openAxiomContext(setup, images, options, printFailure);
    for (const notice of setup.notices) console.error(`note: ${legible(notice)}`);
    const results = await checkMethods(context, setup.methods, printVerdict);
    if (owned) await writeAxioms(owned, setup, results);
    const names = setup.methods.map(({ name }) => name);
    const steps = options.cascade ? await Array.fromAsync(cascade(context, setup.methods)) : [];
    if (steps.length > 0) await owned?.write(CASCADE, cascadeCsv(names, steps));
    const left = owned?.removeOthers((name) => name === CASCADE) ?? [];
    for (const name of left) {
      console.error(`note: ${name} is of an earlier check: it was changed since, and stays`);
    }
    if (options.json) console.log(JSON.stringify({ axioms: results, cascade: steps }, null, 1));
    else {
      console.log(`${headOf(setup, options, context.classes.length)}\n`);
      console.log(resultTable(results));
      if (steps.length > 0) {
        console.log(
          "\nCorrelation with the trained model's maps, layers re-drawn from the output down:\n",
        );
        console.log(cascadeTable(names, steps));
      }
      if (options.out !== undefined) {
        console.log(
          `\nThe verdicts are stored in ${legible(options.out)}; the next analyze with this ${
            flag("out")
          } marks failing methods in its report`,
        );
      }
    }
    return failedAxioms(
        results,
        setup.methods.map(({ name, family }) => ({ name, control: family === "control" })),
      ).size > 0
      ? 1
      : 0;
  } finally {
    await setup.dispose();
    await closeGpu();
  }
}

/** What is checked: the line over the table. */
function headOf(setup: Setup, { target }: CheckOptions, samples: number): string {
  return legible([
    setup.classifier.card.name,
    `layer ${layersText(setup)}`,
    `target ${target}`,
    `class ${classText(setup)}`,
    plural(samples, "sample"),
    `backend ${setup.backend.backend}`,
  ].join(", "));
}

function resultTable(results: readonly AxiomResult[]): string {
  return textTable(
    [
      "method",
      "axiom",
      "figure",
      "bound",
      "verdict",
      "how it is measured, or why it is not tested",
    ],
    results.map((result) => [
      result.method,
      result.axiom,
      result.value === undefined ? "" : plainMinus(significant(result.value)),
      "atMost" in result.bound ? `≤ ${result.bound.atMost}` : `≥ ${result.bound.atLeast}`,
      verdictText(result.verdict),
      saysOf(result),
    ]),
  );
}

/** A terminal's numbers are copied into programs, which know one minus only. */
function plainMinus(text: string): string {
  return text.replaceAll("−", "-");
}

/** One row a method and step: `method,layers,layer,correlation`. */
function cascadeCsv(methods: readonly string[], steps: readonly CascadeStep[]): string {
  return csvText([
    ["method", "layers", "layer", "correlation"],
    ...methods.flatMap((name, m) =>
      steps.map(({ layers, layer, correlations }) => [name, layers, layer, correlations[m]])
    ),
  ]);
}

function cascadeTable(methods: readonly string[], steps: readonly CascadeStep[]): string {
  return textTable(
    [
      "method",
      ...steps.map(({ layers }, i) => i === steps.length - 1 ? `all ${layers}` : String(layers)),
    ],
    methods.map((name, m) => [
      name,
      ...steps.map(({ correlations }) => decimals(correlations[m])),
    ]),
  );
}
