/**
 * `deno task compile [--target TRIPLE] [--output FILE]`: emocam as one executable file.
 *
 * The program is put together in a separate folder, so that nothing but what it needs on the target platform is inside: the
 * sources, the shipped models and photographs, the npm packages stripped to what a running program reads, and the native libraries
 * of the target as compressed archives. Then plain `deno compile` does the rest.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import project from "../deno.json" with { type: "json" };
import { messageOf } from "../src/base/errors.ts";
import { packLibrary } from "./native_archives.ts";
import {
  importedBy,
  type Imports,
  install,
  packageFolder,
  packFile,
  runDeno,
  strip,
} from "./packages.ts";
import { findTarget, nativePackages, type Target } from "./targets.ts";
import { walk } from "./walk.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** The folder's own `deno.json` is the project's, which the program reads its version from. */
const CONFIG = "compile.json";
const LOCK = join(ROOT, "deno.lock");
/** Found by its address at run time, so that no import tells of it. */
const FONT = "dejavu-fonts-ttf";

/** What replaces packages inside the binary whose libraries or WebAssembly are packed. */
const STAND_INS: Imports = {
  "onnxruntime-node": "./build/inside/onnxruntime_node.ts",
  "onnxruntime-web": "./build/inside/onnxruntime_web.ts",
  "onnxruntime-web/webgpu": "./build/inside/onnxruntime_webgpu.ts",
  "sharp": "./build/inside/sharp.ts",
};
const WASM = ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.asyncify.wasm"];

/**
 * All permissions that some command needs; `build/inside/main.ts` gives up the network for the others. Programs are never started.
 */
const PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"]
  .concat("--allow-net", "--no-prompt");

/** Sizes of what goes into a binary, in bytes. */
export interface Contents {
  /** npm packages, without what is packed. */
  readonly packages: number;
  readonly packed: Readonly<Record<string, number>>;
  readonly models: number;
}

/**
 * Puts everything that a binary for a target needs into a folder.
 *
 * @throws {Error} when a package cannot be downloaded.
 */
export async function stage(folder: string, target: Target): Promise<Contents> {
  for (const part of ["src", "shaders", "models", "build/inside"]) {
    await copy(join(ROOT, part), join(folder, part));
  }
  // What only the making of the shipped models uses.
  await Deno.remove(join(folder, "models", "build.ts"));
  await Deno.remove(join(folder, "models", "build"), { recursive: true });
  for (const file of ["deno.json", "LICENSE"]) {
    await Deno.copyFile(join(ROOT, file), join(folder, file));
  }
  const imports = await stagedImports(target);
  await writeConfig(folder, { imports });
  await install(folder, CONFIG, LOCK);
  const packed: Record<string, number> = {};
  for (const native of nativePackages(target)) {
    const { name } = native;
    packed[name] = await packLibrary(native, target, folder, join(folder, "packed", name));
  }
  packed["onnxruntime-web"] = await packWasm(folder);
  const packages = await strip(folder);
  const standIns = Object.keys(STAND_INS);
  await writeConfig(folder, {
    // Files of a package stay reachable by its name.
    imports: { ...imports, ...STAND_INS, "onnxruntime-web/": filesOf(imports["onnxruntime-web"]!) },
    scopes: {
      "./build/inside/": Object.fromEntries(standIns.map((name) => [name, imports[name]!])),
    },
  });
  return { packages, packed, models: await sizeOf(join(folder, "models")) };
}

async function packWasm(folder: string): Promise<number> {
  const dist = join(folder, await packageFolder(folder, "onnxruntime-web"), "dist");
  let bytes = 0;
  for (const name of WASM) {
    const path = join(folder, "packed", "onnxruntime-web", name);
    bytes += await packFile(await Deno.readFile(join(dist, name)), path);
  }
  return bytes;
}

/** What the program imports, the font, and the target's libraries. */
async function stagedImports(target: Target): Promise<Imports> {
  const used = await importedBy(ROOT, "main.ts");
  const imports = Object.fromEntries(
    Object.entries<string>(project.imports).filter(([name]) => name === FONT || used.has(name)),
  );
  if (target.triple !== Deno.build.target) {
    // npm's packages for another platform than this one have to be asked for by name.
    for (const { packages } of nativePackages(target)) {
      for (const name of packages) {
        imports[name] ??= `npm:${name}@${await lockedVersion(name)}`;
      }
    }
  }
  return imports;
}

/** `npm:/NAME@VERSION/`, as an import map says it. */
function filesOf(specifier: string): string {
  return `${specifier.replace("npm:", "npm:/")}/`;
}

async function writeConfig(
  folder: string,
  maps: { imports: Imports; scopes?: Readonly<Record<string, Imports>> },
): Promise<void> {
  const text = JSON.stringify(
    { nodeModulesDir: "auto", unstable: project.unstable, ...maps },
    null,
    1,
  );
  await Deno.writeTextFile(join(folder, CONFIG), text);
}

async function lockedVersion(name: string): Promise<string> {
  const { npm } = JSON.parse(await Deno.readTextFile(LOCK)) as { npm: Record<string, unknown> };
  const key = Object.keys(npm).find((key) => key.startsWith(`${name}@`));
  if (key === undefined) throw new Error(`Cannot find ${name} in deno.lock: run deno install`);
  return key.slice(name.length + 1).split("_")[0]!;
}

/** Compiles a staged program. @throws {Error} with Deno's message. */
export async function compile(folder: string, target: Target, output: string): Promise<void> {
  await Deno.mkdir(dirname(output), { recursive: true });
  // Only a host that is not the target has to be named: Deno then looks for the runtime of that platform.
  const cross = target.triple === Deno.build.target ? [] : ["--target", target.triple];
  await runDeno(folder, [
    ...["compile", "--quiet", "--no-check", "--no-code-cache", "--config", CONFIG],
    ...[...PERMISSIONS, ...cross, "--include", "models", "--include", "packed"],
    ...["--include", "LICENSE", "--output", output, "build/inside/main.ts"],
  ]);
}

async function copy(from: string, to: string): Promise<void> {
  for await (const path of walk(from)) {
    await Deno.mkdir(dirname(join(to, path)), { recursive: true });
    await Deno.copyFile(join(from, path), join(to, path));
  }
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for await (const path of walk(folder)) bytes += (await Deno.stat(join(folder, path))).size;
  return bytes;
}

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: args.filter((arg, i) => !(i === 0 && arg === "--")),
    options: { target: { type: "string" }, output: { type: "string", short: "o" } },
  });
  const target = findTarget(values.target);
  const name = target.os === "win32" ? "emocam.exe" : "emocam";
  const output = resolve(values.output ?? join(ROOT, "dist", name));
  await Deno.mkdir(dirname(output), { recursive: true });
  const folder = await Deno.makeTempDir({ dir: dirname(output), prefix: ".emocam-" });
  try {
    const { packages, packed, models } = await stage(folder, target);
    await compile(folder, target, output);
    const { size } = await Deno.stat(output);
    const parts = { packages, models, ...packed };
    console.log(`${output}: ${megabytes(size)} for ${target.triple}`);
    for (const [part, bytes] of Object.entries(parts)) {
      console.log(`  ${part.padEnd(16)} ${megabytes(bytes)}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(messageOf(error));
    Deno.exit(1);
  }
}
