/**
 * A Deno that can compile without downloading its runtime: `deno compile` fetches the runtime of the compiled program from a server
 * that a test machine may not reach. For version 2.6.10 PyPI has both the compiler and, as the first part of a program compiled by
 * that version, its runtime.
 *
 * For tests only. What a user compiles holds the runtime that the user's own Deno downloads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** An older Deno and the runtime that goes with it. */
export interface Donor {
  readonly version: string;
  /** The `deno` executable. */
  readonly deno: string;
  /** The runtime of compiled programs, for `DENORT_BIN`. */
  readonly denort: string;
}

const VERSION = "2.6.10";
const WHEELS = [`deno==${VERSION}`, "bids-validator-deno==2.4.1"];

/** Files inside the wheels, and the SHA-256 of what is taken from them. */
const DENO = {
  path: `deno-${VERSION}.data/scripts/deno`,
  sha256: "bb9513ce8a9a7a976a77e0a32c5818035fb72dff6364afc5b8659594ba4a6139",
};
const PROGRAM = {
  path: "bids_validator_deno-2.4.1.data/scripts/bids-validator-deno",
  sha256: "1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2",
};
/** What follows the runtime in a compiled program. */
const MARK = "d3n0l4nd";

/**
 * Fetches both, once: they are kept in `dist/`.
 *
 * @returns why they cannot be downloaded, if they cannot.
 * @throws {Error} when what came is not what is known.
 */
export async function findDonor(): Promise<Donor | { readonly reason: string }> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return { reason: `a Deno that compiles here is known for x86_64 Linux only` };
  }
  const folder = fileURLToPath(new URL(`../../dist/deno-${VERSION}/`, import.meta.url));
  const donor = { version: VERSION, deno: join(folder, "deno"), denort: join(folder, "denort") };
  if (!(await exists(donor.denort))) {
    const reason = await fetchInto(folder);
    if (reason !== undefined) return { reason };
  }
  await check(donor.deno, DENO.sha256);
  await check(donor.denort, PROGRAM.sha256);
  return donor;
}

async function fetchInto(folder: string): Promise<string | undefined> {
  const temporary = await Deno.makeTempDir({ prefix: "emocam-donor-" });
  try {
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"];
    const failure = await python([...pip, "--dest", temporary, ...WHEELS]);
    if (failure !== undefined) return `Deno ${VERSION} cannot be downloaded from PyPI (${failure})`;
    for await (const { name } of Deno.readDir(temporary)) {
      const unpacked = await python(["-m", "zipfile", "-e", join(temporary, name), temporary]);
      if (unpacked !== undefined) throw new Error(`Cannot unpack ${name}: ${unpacked}`);
    }
    await Deno.mkdir(folder, { recursive: true });
    await place(await Deno.readFile(join(temporary, DENO.path)), join(folder, "deno"));
    const program = await Deno.readFile(join(temporary, PROGRAM.path));
    await place(program.subarray(0, runtimeLength(program)), join(folder, "denort"));
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** Runs Python. @returns the last line of what it complains about, if it fails. */
async function python(args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stderr } = await new Deno.Command("python3", { args: [...args] }).output();
    if (success) return undefined;
    return new TextDecoder().decode(stderr).trim().split("\n").at(-1) || "it failed";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no python3";
    throw error;
  }
}

/**
 * Length of the ELF file at the start of a compiled program: the table of section headers is its last part.
 *
 * @throws {Error} when no compiled program follows it.
 */
function runtimeLength(program: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const offset = Number(view.getBigUint64(0x28, true));
  const end = offset + view.getUint16(0x3a, true) * view.getUint16(0x3c, true);
  const mark = new TextDecoder().decode(program.subarray(end, end + MARK.length));
  if (mark !== MARK) throw new Error(`Cannot cut out the runtime: ${JSON.stringify(mark)} follows`);
  return end;
}

/** Written under another name first, so that a killed run leaves no half of it. */
async function place(content: Uint8Array, path: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(temporary, content, { mode: 0o755 });
  await Deno.rename(temporary, path);
}

async function check(path: string, sha256: string): Promise<void> {
  const found = createHash("sha256").update(await Deno.readFile(path)).digest("hex");
  if (found !== sha256) {
    throw new Error(`Cannot use ${path}: its sha256 is ${found}, not ${sha256}`);
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
