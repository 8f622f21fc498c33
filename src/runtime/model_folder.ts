/**
 * Where models lie that a user imported or fetched.
 *
 * @module
 */

import { join } from "node:path";

/**
 * The user's model folder: the environment variable `EMOCAM_MODELS`, else `emocam/models` in the platform's folder for a user's
 * data (`XDG_DATA_HOME` or `~/.local/share`; `~/Library/Application Support`; `LOCALAPPDATA`). It need not exist.
 *
 * @returns undefined where the environment names no home, or may not be read.
 */
export function userModelsFolder(): string | undefined {
  const own = variable("EMOCAM_MODELS");
  if (own) return own;
  const data = dataFolder();
  return data && join(data, "emocam", "models");
}

function dataFolder(): string | undefined {
  const home = variable("HOME");
  switch (Deno.build.os) {
    case "windows":
      return variable("LOCALAPPDATA");
    case "darwin":
      return home && join(home, "Library", "Application Support");
    default:
      return variable("XDG_DATA_HOME") || (home && join(home, ".local", "share"));
  }
}

/** A variable's value; none where it is not set, empty, or not to be read. */
function variable(name: string): string | undefined {
  try {
    return Deno.env.get(name) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
