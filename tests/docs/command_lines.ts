/** From a command of a document to the arguments that emocam gets. */

import project from "../../deno.json" with { type: "json" };
import { createProgram } from "../../src/commands/mod.ts";
import { blocksOf, commandsIn, type Document, spansOf } from "./documents.ts";

/** Programs that documents call. */
const PROGRAMS = ["deno", "emocam", "npx", "podman"];
const TASKS: Readonly<Record<string, { readonly command: string }>> = project.tasks;

/** A command that a document shows. */
export interface Shown {
  readonly document: string;
  readonly words: readonly string[];
  /** What emocam gets, or `undefined` where the command does not come to emocam (`deno task test`, `podman build`). */
  readonly args?: readonly string[];
}

/** All commands of a document: those in `sh` blocks, and those in backticks. */
export async function shownIn({ path, text }: Document): Promise<Shown[]> {
  const blocks = blocksOf(text).filter(({ language }) => language === "sh");
  const spans = spansOf(text).filter((span) =>
    PROGRAMS.includes(span.split(" ")[0]) && span.includes(" ") && !span.includes("…")
  );
  const shown: Shown[] = [];
  for (const script of [...blocks.map(({ text }) => text), ...spans]) {
    for (const words of await commandsIn(script, PROGRAMS)) {
      const args = argumentsOf(words);
      shown.push({ document: path, words, ...(args?.length ? { args } : {}) });
    }
  }
  return shown;
}

/**
 * What emocam gets from a command.
 *
 * @throws {Error} for a task that deno.json does not have
 */
export function argumentsOf(words: readonly string[]): string[] | undefined {
  const [program, ...rest] = words;
  if (program === "emocam") return rest;
  if (program === "npx") {
    return argumentsOf([
      "deno",
      ...rest.filter((word) => word !== "--yes").slice(1),
    ]);
  }
  if (program === "podman") {
    return rest[0] === "run" ? rest.slice(rest.indexOf("emocam") + 1) : undefined;
  }
  if (rest[0] === "task" && rest.length === 1) return undefined;
  // The file of tasks is the same one.
  if (rest[0] === "task" && rest[1] === "--config") {
    return argumentsOf([program, "task", ...rest.slice(3)]);
  }
  if (rest[0] === "task") return throughTask(rest.slice(1).filter((word) => word !== "-q"));
  const main = rest.indexOf("main.ts");
  return main >= 0 ? rest.slice(main + 1) : undefined;
}

/** What a task of deno.json hands to emocam, by way of other tasks where it calls them. */
function throughTask([name, ...args]: readonly string[]): string[] | undefined {
  const task = TASKS[name];
  if (!task) {
    throw new Error(
      `deno.json has no task ${name}: deno task ${[name, ...args].join(" ")}`,
    );
  }
  const words = task.command.split(/\s+/);
  const main = words.indexOf("main.ts"), other = words.indexOf("task");
  if (main >= 0) return [...words.slice(main + 1), ...args];
  if (words.includes("&&") || words[other - 1] !== "deno") return undefined;
  return throughTask([...words.slice(other + 1).filter((word) => word !== "-q"), ...args]);
}

type Program = ReturnType<typeof createProgram>;

/** A command and all below it. */
function withChildren(command: Program): Program[] {
  return [command, ...command.commands.flatMap((child) => withChildren(child as Program))];
}

/**
 * Parses arguments by the real parser; nothing is run.
 *
 * @throws as the parser does, for what it does not know
 */
export async function parse(args: readonly string[]): Promise<void> {
  const program = createProgram(() => {});
  for (const command of withChildren(program)) {
    command.configureOutput({ writeOut() {}, writeErr() {} });
    if (command.commands.length === 0) command.action(() => {});
  }
  await program.parseAsync([...args], { from: "user" });
}

/** All options of emocam, as they are written: `--out`. */
export function optionNames(): Set<string> {
  return new Set(
    withChildren(createProgram(() => {})).flatMap(({ options }) =>
      options.map(({ long }) => long ?? "")
    ),
  );
}

/** Options that a document's prose names. */
export function optionsNamed({ text }: Document): string[] {
  return spansOf(text).flatMap((span) =>
    [...span.matchAll(/(?:^|[\s[])(--[a-z][a-z-]*)/g)].map(([, option]) => option)
  );
}
