/**
 * The command line: reads arguments, prints, and sets the exit status. Each command loads its machinery when it runs.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import project from "../../deno.json" with { type: "json" };
import {
  DiskFullError,
  messageOf,
  ModelError,
  permissionLine,
  UsageError,
} from "../base/errors.ts";
import { analyzeCommand } from "./analyze/mod.ts";
import { cacheCommand } from "./cache/mod.ts";
import { checkCommand } from "./check/mod.ts";
import { detectCommand } from "./detect/mod.ts";
import { corpusCommand } from "./corpus/mod.ts";
import { WRONG_USAGE } from "./exit_codes.ts";
import { explainCommand } from "./explain/mod.ts";
import { modelsCommand } from "./models/mod.ts";
import { reportCommand } from "./report/mod.ts";
import { reproduceCommand } from "./reproduce/mod.ts";
import { statsCommand } from "./stats/mod.ts";

/**
 * The command line as a parser: commands, options and what they run.
 *
 * @param exit takes the exit status of the command that ran
 */
export function createProgram(exit: (status: number) => void): Command {
  const program = new Command("emocam")
    .description("Which objects drive a vision model's emotion predictions, and is it real?")
    .version(project.version)
    .showHelpAfterError("(emocam help COMMAND lists its options)")
    .addCommand(analyzeCommand(exit))
    .addCommand(explainCommand(exit))
    .addCommand(detectCommand(exit))
    .addCommand(checkCommand(exit))
    .addCommand(statsCommand(exit))
    .addCommand(reportCommand(exit))
    .addCommand(reproduceCommand(exit))
    .addCommand(corpusCommand(exit))
    .addCommand(modelsCommand(exit))
    .addCommand(cacheCommand(exit));
  for (const command of withChildren(program)) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "")),
    });
  }
  return program;
}

/**
 * Where a task of `deno.json` was started. `deno task` runs its commands in the folder of that file and keeps the user's folder in
 * `INIT_CWD`; npm sets that variable too, for every program below it, so only our tasks hand it on, under this name.
 */
const STARTED_IN = "EMOCAM_STARTED_IN";

/**
 * Runs the command line from the folder that its user stands in: relative paths start there, and what is printed is seen from there.
 *
 * @returns the exit status.
 */
export async function start(args: readonly string[]): Promise<number> {
  const folder = startedIn();
  if (folder !== undefined) {
    try {
      Deno.chdir(folder);
    } catch (error) {
      console.error(
        `Cannot work in ${JSON.stringify(folder)}, where the task was started: ${
          messageOf(error)
        }; start it from a folder that can be read`,
      );
      return WRONG_USAGE;
    }
  }
  return await main(args);
}

/** The folder that a task handed on; nothing where emocam was started by itself. */
function startedIn(): string | undefined {
  try {
    return Deno.env.get(STARTED_IN) || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

/** Runs the command line and gives the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = 0;
  const program = createProgram((code) => {
    status = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    const refused = permissionLine(error);
    console.error(refused ?? messageOf(error));
    if (refused || error instanceof UsageError || error instanceof ModelError) return WRONG_USAGE;
    if (error instanceof DiskFullError) return 1;
    if (wantsDetails()) console.error(error);
    else console.error("(set EMOCAM_DEBUG=1 to see where this happened)");
    return 1;
  }
}

/** Whether the user asks where errors happened. */
function wantsDetails(): boolean {
  try {
    return !!Deno.env.get("EMOCAM_DEBUG");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/** A command and all below it. */
function withChildren(command: Command): Command[] {
  return [command, ...command.commands.flatMap((child) => withChildren(child as Command))];
}
