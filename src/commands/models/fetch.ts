/**
 * The command `models fetch`.
 *
 * @module
 */

import { Command } from "commander";
import { wholeNumber } from "../options/fetch.ts";
import type { FetchOptions } from "./fetch_options.ts";

/** Defines `models fetch`. */
export function modelsFetchCommand(exit: (status: number) => void): Command {
  return new Command("fetch")
    .description(
      "download a published model and import it; without a name, list what is available (needs the network: deno task fetch models fetch NAME)",
    )
    .argument("[name]", "such as emonet or yolov3-openimages")
    .option("--into <dir>", "model folder; by default your own (EMOCAM_MODELS)")
    .option(
      "--mirror <url>",
      "folder on a web server that holds the files under their names, instead of the published addresses",
    )
    .option("--retries <n>", "further attempts after a transient failure", wholeNumber, 4)
    .action(async (name: string | undefined, options: FetchOptions) => {
      const { fetchModel, listPublished } = await import("./fetch_run.ts");
      exit(name === undefined ? await listPublished(options) : await fetchModel(name, options));
    });
}
