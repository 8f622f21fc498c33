/**
 * `analyze` over a product: every corpus with every classifier and every detector, each as a separate run over one ledger, so that
 * detections and activations are shared.
 *
 * @module
 */

import { basename, join } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { fileNames } from "../../base/file_names.ts";
import { csvText } from "../../base/csv.ts";
import { writeWhole } from "../../base/files.ts";
import type { ParsedOptions } from "../../run/options/mod.ts";
import { runAnalyze, tryAnalyze } from "./run.ts";
import { prepareFolder, takeFolder } from "../../run/folder.ts";
import { holdCache, LEDGER_FILE as LEDGER } from "../../run/shared_cache.ts";
import { INTERRUPTED } from "../exit_codes.ts";
import { flag } from "../../base/flag.ts";
import { printRemarks } from "../terminal.ts";

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

/** What lies beside the runs' folders. */
const TABLE = "product.csv";

/**
 * Runs all combinations; with one of each it is plain `analyze`. Folders are named by what varies: `CLASSIFIER`,
 * `CLASSIFIER.DETECTOR`, `CORPUS.CLASSIFIER` …; `product.csv` lists them.
 *
 * @returns the exit status: the highest of the runs; an interruption ends all.
 * @throws {UsageError} when corpora are named twice or together with plain paths; ModelError as `analyze`.
 */
export async function runProduct(
  paths: readonly string[],
  options: ProductOptions,
): Promise<number> {
  const { classifier, detector, corpus: _, ...rest } = options;
  const cells = cellsOf(corporaOf(paths, options.corpus), classifier, detector);
  if (cells.length === 1) {
    const [{ corpus, ...models }] = cells as [Cell];
    return await runAnalyze(corpus.paths, { ...rest, ...only(models) });
  }
  // A name that is wrong stops the product now, not when the runs before it have worked for hours.
  for (const { corpus, ...models } of cells) {
    await tryAnalyze(corpus.paths, { ...rest, ...only(models) });
  }
  await prepareFolder(flag("out"), options.out);
  using taken = takeFolder(options.out, "analyze");
  printRemarks(taken.remarks);
  using cache = await holdCache(rest);
  if (cache) printRemarks(cache.remarks);
  const ledger = cache?.ledger ?? join(options.out, LEDGER);
  let highest = 0;
  const rows: string[][] = [];
  for (const [i, { corpus, folder, ...models }] of cells.entries()) {
    console.error(`\n[${i + 1}/${cells.length}] ${folder}`);
    if (i > 0) console.log("");
    console.log(`${folder}:`);
    const own = { ...rest, ...only(models), out: join(options.out, folder) };
    // A fresh start is one start: later runs reuse what the first has left.
    const status = await runAnalyze(corpus.paths, { ...own, fresh: i === 0 && !!rest.fresh }, {
      ledger,
    });
    highest = Math.max(highest, status);
    rows.push([corpus.name, models.classifier, models.detector, folder, String(status)]);
    const header = ["corpus", "classifier", "detector", "folder", "status"];
    await writeWhole(join(options.out, TABLE), csvText([header, ...rows]));
    if (status === INTERRUPTED) return status;
  }
  return highest;
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
