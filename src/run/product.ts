/**
 * `analyze` over a product: every corpus with every classifier and every detector, each as a separate run over one ledger, so that
 * detections and activations are shared.
 *
 * @module
 */

import { basename, join } from "node:path";
import { UsageError } from "../base/errors.ts";
import { fileNames } from "../base/file_names.ts";
import { csvText } from "../base/csv.ts";
import type { AnalyzeOptions, ParsedOptions } from "./options/mod.ts";
import {
  analyze,
  type AnalyzeEvents,
  type AnalyzeInput,
  type AnalyzeOutcome,
  PRODUCT_FILE as TABLE,
  tryAnalyze,
} from "./analyze.ts";
import { prepareFolder, takeFolder } from "./folder.ts";
import { ownFolder, refuseForeignLedger } from "./own_files.ts";
import { holdCache, LEDGER_FILE as LEDGER } from "./shared_cache.ts";
import { flag } from "../base/flag.ts";

/** Options of `analyze` as they come from the command line. */
export type ProductOptions = ParsedOptions<"analyze">;

/** One run of a product. */
interface Cell {
  readonly corpus: Corpus;
  readonly classifier: string;
  readonly detector: string;
  /** Folder under `--out`; empty for the only run. */
  readonly folder: string;
}

interface Corpus {
  readonly name: string;
  readonly paths: readonly string[];
}

/** What happens during a product. */
export interface ProductEvents extends AnalyzeEvents {
  /** One of several runs begins. */
  onRun?(folder: string, place: number, count: number): void;
  /** A run has ended. */
  onOutcome?(options: AnalyzeOptions, outcome: AnalyzeOutcome): void;
  /** What the table of runs says of a run's outcome. */
  statusOf(outcome: AnalyzeOutcome): string;
}

/**
 * Runs all combinations; with one of each it is a plain analysis. Folders are named by what varies: `CLASSIFIER`,
 * `CLASSIFIER.DETECTOR`, `CORPUS.CLASSIFIER` …; `product.csv` lists them. An interruption ends all.
 *
 * @throws {UsageError} when corpora are named twice or together with plain paths; ModelError as `analyze`.
 */
export async function analyzeProduct(
  paths: readonly string[],
  options: ProductOptions,
  events: ProductEvents,
): Promise<void> {
  const { classifier, detector, corpus: _, ...rest } = options;
  const cells = cellsOf(corporaOf(paths, options.corpus), classifier, detector);
  const run = async (cell: Cell, own: AnalyzeOptions, input: AnalyzeInput) => {
    const outcome = await analyze(cell.corpus.paths, own, input, events);
    events.onOutcome?.(own, outcome);
    return outcome;
  };
  if (cells.length === 1) {
    await run(cells[0], { ...rest, ...only(cells[0]) }, {});
    return;
  }
  // A name that is wrong stops the product now, not when the runs before it have worked for hours.
  for (const cell of cells) {
    const own = { ...rest, ...only(cell), out: join(options.out, cell.folder) };
    await tryAnalyze(cell.corpus.paths, own);
  }
  const owned = await ownFolder(options.out, {
    option: flag("out"),
    writes: (name) => name === TABLE,
    inputs: cells.flatMap(({ corpus: { paths }, ...models }) => [
      ...paths,
      models.classifier,
      models.detector,
    ]),
  });
  await refuseForeignLedger(options.out, LEDGER);
  await prepareFolder(flag("out"), options.out);
  using taken = takeFolder(options.out, "analyze");
  using cache = await holdCache(rest);
  for (const remark of [...taken.remarks, ...cache?.remarks ?? []]) events.onRemark?.(remark);
  const ledger = cache?.ledger ?? join(options.out, LEDGER);
  const rows: string[][] = [];
  for (const [i, cell] of cells.entries()) {
    const { corpus, folder } = cell;
    events.onRun?.(folder, i, cells.length);
    // A fresh start is one start: later runs reuse what the first has left.
    const fresh = i === 0 && !!rest.fresh;
    const own = { ...rest, ...only(cell), out: join(options.out, folder), fresh };
    const outcome = await run(cell, own, { ledger });
    rows.push([corpus.name, cell.classifier, cell.detector, folder, events.statusOf(outcome)]);
    const header = ["corpus", "classifier", "detector", "folder", "status"];
    await owned.write(TABLE, csvText([header, ...rows]));
    if (outcome.kind === "interrupted") return;
  }
}

function only({ classifier, detector }: Pick<Cell, "classifier" | "detector">) {
  return { classifier, detector };
}

function corporaOf(paths: readonly string[], named: readonly string[] = []): Corpus[] {
  if (named.length === 0) return [{ name: "", paths }];
  if (paths.length > 0) {
    throw new UsageError(
      `Cannot analyse ${paths[0]} together with ${flag("corpus")}: give all corpora as ${
        flag("corpus")
      } NAME=PATH`,
    );
  }
  const corpora = named.map((text) => {
    const [, name, rest] = /^([\p{L}\p{M}\p{N}._-]+)=(.+)$/su.exec(text) ?? [];
    const own = rest?.split(",").filter((path) => path !== "") ?? [];
    // Without paths the photographs that ship would be taken.
    if (!name || own.length === 0) {
      throw new UsageError(
        `Cannot use ${flag("corpus")} ${
          JSON.stringify(text)
        }: give NAME=PATH, or NAME=PATH,PATH for several`,
      );
    }
    return { name, paths: own };
  });
  const twice = corpora.find(({ name }, i) => corpora.findIndex((c) => c.name === name) !== i);
  if (twice) {
    throw new UsageError(`Cannot use ${flag("corpus")} ${twice.name} twice: give other names`);
  }
  return corpora;
}

function cellsOf(
  corpora: readonly Corpus[],
  classifiers: readonly string[],
  detectors: readonly string[],
): Cell[] {
  const nameOf = fileNames();
  for (const name of [LEDGER, TABLE]) nameOf(name);
  const stem = (name: string) => basename(name).replace(/\.(json|onnx|csv)$/i, "");
  return corpora.flatMap((corpus) =>
    classifiers.flatMap((classifier) =>
      detectors.map((detector) => {
        const parts = [
          ...corpora.length > 1 ? [corpus.name] : [],
          ...classifiers.length > 1 ? [stem(classifier)] : [],
          ...detectors.length > 1 ? [stem(detector)] : [],
        ];
        return {
          corpus,
          classifier,
          detector,
          folder: parts.length > 0 ? nameOf(parts.join(".")) : "",
        };
      })
    )
  );
}
