/**
 * The command `corpus`.
 *
 * @module
 */

import { Command } from "commander";
import { positiveNumber, seconds, wholeNumber } from "../options/fetch.ts";
import type { FindingEmoOptions } from "./options.ts";

/** Defines `corpus` and the commands below it. */
export function corpusCommand(exit: (status: number) => void): Command {
  const corpus = new Command("corpus").description(
    "corpora whose images are published as lists of addresses",
  );
  const fetch = corpus.command("fetch").description(
    "download the images of a corpus (needs the network: deno task fetch corpus fetch …)",
  );
  fetch.command("findingemo")
    .description(
      "FindingEmo, from the list of addresses in its package findingemo-light (CC BY-NC-SA 4.0); give the same command again to continue",
    )
    .requiredOption(
      "--urls <file>",
      "dataset_urls_exploded.json of the package, or a CSV table rel_path,idx_url,url",
    )
    .requiredOption("--out <dir>", "folder of the corpus")
    .option(
      "--annotations <file>",
      "annotations_single.ann of the package, copied beside the images",
    )
    .option("--concurrency <n>", "images at a time", positiveNumber, 16)
    .option("--per-host <n>", "requests to one host at a time", positiveNumber, 2)
    .option("--pace <seconds>", "shortest time between two requests to one host", seconds, 0.5)
    .option("--retries <n>", "further attempts after a transient failure", wholeNumber, 1)
    .option("--retry-gone", "retry images that were gone before")
    .option("--archive", "ask the Internet Archive when all addresses of an image fail")
    .option("--user-agent <text>", "User-Agent sent to the hosts")
    .option("--limit <n>", "only the first n images of the list", positiveNumber)
    .action(async (options: FindingEmoOptions) => {
      const { fetchFindingEmo } = await import("./run.ts");
      exit(await fetchFindingEmo(options));
    });
  return corpus;
}
