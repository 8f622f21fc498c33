/** Running the command line: in this process, which is quick, or as a separate process. */

import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { main } from "../../src/commands/mod.ts";

/** What a command did. */
export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, with all that it prints collected. Not for two at once. */
export async function emocam(...args: string[]): Promise<Outcome> {
  let out = "", err = "";
  const { log, error } = console;
  const write = {
    out: process.stdout.write,
    err: process.stderr.write,
    raw: Deno.stderr.writeSync,
  };
  console.log = (...parts: unknown[]) => void (out += `${parts.join(" ")}\n`);
  console.error = (...parts: unknown[]) => void (err += `${parts.join(" ")}\n`);
  process.stdout.write = (text: string | Uint8Array) => (out += text, true);
  process.stderr.write = (text: string | Uint8Array) => (err += text, true);
  Deno.stderr.writeSync = (bytes) => (err += new TextDecoder().decode(bytes), bytes.length);
  try {
    return { status: await main(args), out, err };
  } finally {
    Object.assign(console, { log, error });
    process.stdout.write = write.out;
    process.stderr.write = write.err;
    Deno.stderr.writeSync = write.raw;
  }
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "main.ts");

/** A task of deno.json. */
export type Task = keyof typeof project.tasks;

/** A named set of permissions in deno.json: everything, or by name, with exceptions. */
type PermissionSet = Readonly<
  Record<
    string,
    true | readonly string[] | { readonly allow: true; readonly deny: readonly string[] }
  >
>;

/** A task's command; one that only starts another task with more arguments is that task's command with them. */
export function commandOf(task: Task): string {
  const { command } = project.tasks[task];
  const [, other, args] = /^deno task -q (\S+)(.*)$/.exec(command) ?? [];
  return other === undefined ? command : commandOf(other as Task) + args;
}

/** What a task may do, as flags for any working folder: those of its named set of permissions and its own. */
export function permissionsOf(task: Task): string[] {
  const words = commandOf(task).split(" ");
  const set = words.find((word) => word.startsWith("-P="))?.slice("-P=".length);
  const own = words.filter((word) => /^--(allow|deny)-|^--no-prompt$/.test(word));
  return [...set === undefined ? [] : flagsOfSet(set), ...own]
    // Paths in deno.json start from its folder.
    .map((word) =>
      word.replace(
        /^(--allow-ffi|--deny-write)=(.*)$/,
        (_, flag, paths) => `${flag}=${paths.split(",").map((path: string) => join(ROOT, path))}`,
      )
    );
}

function flagsOfSet(name: string): string[] {
  const set = (project.permissions as unknown as Readonly<Record<string, PermissionSet>>)[name];
  if (set === undefined) throw new Error(`Cannot find the permissions ${name} in deno.json`);
  return Object.entries(set).flatMap(([kind, value]) => {
    if (value === true) return [`--allow-${kind}`];
    if ("deny" in value) return [`--allow-${kind}`, `--deny-${kind}=${value.deny}`];
    return [`--allow-${kind}=${value}`];
  });
}

/** The command line's own permissions. */
const PERMISSIONS = permissionsOf("emocam");

/** The command line as a process, not started yet. */
export function emocamProcess(
  args: readonly string[],
  options: Deno.CommandOptions = {},
  permissions: readonly string[] = [],
  granted: readonly string[] = PERMISSIONS,
) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", ...granted, ...permissions, MAIN, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...options,
  });
}

/** Runs a command as a process. */
export async function runEmocam(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await emocamProcess(args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { status: code, out: text(stdout), err: text(stderr) };
}

/** The tables of a run that must be the same for the same images: name → text. */
export async function tablesOf(folder: string): Promise<Record<string, string>> {
  const tables: Record<string, string> = {};
  for (const name of ["images.csv", "predictions.csv", "boxes.csv"]) {
    tables[name] = await Deno.readTextFile(join(folder, name));
  }
  return { ...tables, ...await matricesOf(folder) };
}

/** The matrices of a run: name → text. */
export async function matricesOf(folder: string): Promise<Record<string, string>> {
  const tables: Record<string, string> = {};
  for await (const { name } of Deno.readDir(join(folder, "matrices"))) {
    tables[name] = await Deno.readTextFile(join(folder, "matrices", name));
  }
  return Object.fromEntries(Object.entries(tables).sort(([a], [b]) => a < b ? -1 : 1));
}

/** A matrix as numbers by object and class. */
export function parseMatrix(text: string): Record<string, Record<string, number>> {
  const [header, ...lines] = text.trimEnd().split("\n").map((line) => line.split(","));
  return Object.fromEntries(lines.map(([object, ...values]) => [
    object!,
    Object.fromEntries(values.map((value, i) => [header![i + 1], Number(value)])),
  ]));
}
