/**
 * What the tests of the binary share: a copy of the project in which the older Deno may install its packages without touching those
 * of the checkout, and running programs in a bare environment.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { walk } from "../../build/walk.ts";
import { type Donor, findDonor } from "./donor.ts";

/** The checkout. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const found = await findDonor();

/** The older Deno, if there is one. */
export const donor: Donor | undefined = "reason" in found ? undefined : found;

/** Options of a test that needs the older Deno, with a name that tells when it is skipped and why. */
export function withDonor(name: string): { name: string; ignore: boolean } {
  if (!("reason" in found)) return { name, ignore: false };
  return { name: `${name} (skipped: ${found.reason})`, ignore: true };
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * What programs run with. The older Deno does not trust the system's certificates by itself, as the newer one does: with an empty cache, and
 * through a proxy that has its own certificate, it could fetch no package.
 */
const ENVIRONMENT = {
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
  DENO_TLS_CA_STORE: "mozilla,system",
};

/** Runs a program to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    ...options,
    env: { ...ENVIRONMENT, ...options.env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a program that must succeed. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: Omit<Deno.CommandOptions, "args"> = {},
): Promise<Ended> {
  const ended = await run(command, args, options);
  assert.equal(ended.code, 0, `${command} ${args.join(" ")}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

/** What the program is made of. */
const SOURCES = ["src", "shaders", "models", "build"];
const FILES = ["main.ts", "deno.json", "deno.lock", "LICENSE"];

/** Copies the project's sources, without installed packages, to a folder. */
export async function copyProject(folder: string): Promise<void> {
  const copy = async (path: string) => {
    await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
    await Deno.copyFile(join(ROOT, path), join(folder, path));
  };
  for (const part of SOURCES) {
    for await (const path of walk(join(ROOT, part))) await copy(join(part, path));
  }
  for (const file of FILES) await copy(file);
}

/** All files under a folder with their bytes as text; the same texts mean the same bytes. */
export async function contents(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const path of walk(folder)) {
    const bytes = await Deno.readFile(join(folder, path));
    files.set(path, new TextDecoder("latin1").decode(bytes));
  }
  return files;
}

/** Paths of all files under a folder. */
export async function paths(folder: string): Promise<string[]> {
  return await Array.fromAsync(walk(folder));
}
