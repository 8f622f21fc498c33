/**
 * Everything that a finished run leaves in its folder. To add an output, write its file here and list it below.
 *
 * @module
 */

import { agreement } from "./agreement.ts";
import { boxes } from "./boxes.ts";
import { images } from "./images.ts";
import { maps } from "./maps.ts";
import { matrices } from "./matrices.ts";
import { type Output, placeOf, type RunToWrite } from "./output.ts";
import { paper } from "./paper.ts";
import { predictions } from "./predictions.ts";
import { report } from "./report.ts";

export type { Output, RunSummary, RunToWrite } from "./output.ts";

/** All outputs, in the order in which they are written: the report tells what the others have noticed. */
export const OUTPUTS: readonly Output[] = [
  images,
  predictions,
  boxes,
  matrices,
  agreement,
  maps,
  paper,
  report,
];

/**
 * Writes the outputs of a run into its folder. The same run gives the same bytes.
 *
 * @returns what a reader must know, a line each
 */
export async function writeOutputs(
  folder: string,
  run: RunToWrite,
  outputs: readonly Output[] = OUTPUTS,
): Promise<readonly string[]> {
  const notices: string[] = [];
  for (const output of outputs) {
    const path = placeOf(folder, output);
    if (!output.when || output.when(run)) notices.push(...await output.write(path, run, notices));
    else await output.clear?.(path);
  }
  return notices;
}
