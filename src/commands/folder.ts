/**
 * Folders that a command writes to.
 *
 * @module
 */

import { messageOf, UsageError } from "../base/errors.ts";

/**
 * Makes a folder and tries to write there, so that a run does not find out at its end.
 *
 * @param option that names it, for the message
 * @throws {UsageError} when it cannot be made or written to.
 */
export async function prepareFolder(option: string, folder: string): Promise<void> {
  if (folder.trim() === "") {
    throw new UsageError(`Cannot write to ${option} ""; give the path of a folder`);
  }
  try {
    await Deno.mkdir(folder, { recursive: true });
    const probe = await Deno.makeTempFile({ dir: folder, suffix: ".tmp" });
    await Deno.remove(probe);
  } catch (error) {
    throw new UsageError(
      `Cannot write to ${option} ${JSON.stringify(folder)}: ${
        messageOf(error)
      }; choose another folder`,
    );
  }
}
