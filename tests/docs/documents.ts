/** What the documents show: their code blocks, the commands in them, and the options that their prose names. */

import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A document, by its path from the root. */
export interface Document {
  readonly path: string;
  readonly text: string;
}

/** README.md, SECURITY.md and everything in docs/. */
export async function readDocuments(): Promise<Document[]> {
  const paths = ["README.md", "SECURITY.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".md")) paths.push(`docs/${name}`);
  }
  return await Promise.all(
    paths.sort().map(async (path) => ({ path, text: await Deno.readTextFile(ROOT + path) })),
  );
}

/** A fenced code block. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

/** The code blocks of a document; those in lists lose their indentation. */
export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent, language, body]) => ({
      language,
      text: body.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
}

/** Code in a document's prose and tables: what is between backticks, outside code blocks. */
export function spansOf(text: string): string[] {
  const prose = text.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span.replaceAll(/\s+/g, " "));
}

/**
 * A shell script's commands as words, split by the shell itself: comments, quotes and continued lines are its business. Words with
 * `…` are left as they are; nothing is run.
 *
 * @param programs what the script may call
 * @throws {Error} when the shell finds another program or cannot read the script
 */
export async function commandsIn(
  script: string,
  programs: readonly string[],
): Promise<string[][]> {
  // Each program is a function that prints its words; a slash cannot be in a function's name, so paths lose theirs.
  const functions = programs.map((name) =>
    `${name}() { printf '%s\\0' ${name} "$@"; printf '\\n\\0'; }`
  );
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-efu",
      "-c",
      ["PATH=", ...functions, script.replaceAll("dist/emocam ", "emocam ")].join("\n"),
    ],
    stdin: "null",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot read the commands: ${new TextDecoder().decode(stderr).trim()}\n${script}`,
    );
  }
  const commands: string[][] = [];
  let words: string[] = [];
  for (const word of new TextDecoder().decode(stdout).split("\0").slice(0, -1)) {
    if (word === "\n") {
      commands.push(words);
      words = [];
    } else words.push(word);
  }
  return commands;
}
