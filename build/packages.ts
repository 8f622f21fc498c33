/**
 * npm packages for the binary: installed into a separate folder, and stripped to the files that a running program reads.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { walk } from "./walk.ts";

/** Entries of an import map, as in `deno.json`. */
export type Imports = Readonly<Record<string, string>>;

/** Runs Deno in a folder. @throws {Error} with what it said. */
export async function runDeno(folder: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    const [reason] = decoder.decode(stderr).trim().split(/\n+Stack backtrace:/);
    throw new Error(`Cannot run deno ${args[0]}: ${reason}`);
  }
  return decoder.decode(stdout);
}

/** Bare specifiers that a program imports at run time, statically or not; those of types only are left out. */
export async function importedBy(folder: string, entry: string): Promise<Set<string>> {
  const graph = JSON.parse(await runDeno(folder, ["info", "--json", entry])) as {
    modules: { dependencies?: { specifier: string; code?: unknown }[] }[];
  };
  const specifiers = graph.modules.flatMap(({ dependencies = [] }) => dependencies)
    .filter(({ code }) => code !== undefined)
    .map(({ specifier }) => specifier);
  return new Set(specifiers.filter((specifier) => !/^(\.|\w+:)/.test(specifier)));
}

/**
 * Installs packages into `node_modules` of a folder by its configuration file, in the versions of a lock file.
 *
 * @throws {Error} when a package cannot be downloaded.
 */
export async function install(folder: string, config: string, lock: string): Promise<void> {
  await Deno.copyFile(lock, join(folder, "deno.lock"));
  await runDeno(folder, ["install", "--quiet", "--config", config]);
}

/** What a running program reads of a package, and the terms under which it may be passed on. */
const RUNTIME_FILE = /\.([cm]?js|json)$|(^|\/)(LICEN[CS]E|NOTICE|COPYING)[^/]*$/i;

/** Where Deno has put a package, from the root: `node_modules/.deno/NAME@VERSION/node_modules/NAME`. */
export async function packageFolder(root: string, name: string): Promise<string> {
  const store = "node_modules/.deno";
  const prefix = `${name.replace("/", "+")}@`;
  for await (const entry of Deno.readDir(join(root, store))) {
    if (entry.name.startsWith(prefix)) return `${store}/${entry.name}/node_modules/${name}`;
  }
  throw new Error(`Cannot pack ${name}: the package is not installed; run deno install`);
}

/** Writes a file for `inside/packed.ts`. @param path without `.gz` @returns its bytes. */
export async function packFile(content: Uint8Array, path: string): Promise<number> {
  const packed = gzipSync(content);
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(`${path}.gz`, packed);
  return packed.length;
}

const NOTHING = /^$/;

/** By package, where that rule keeps too much or too little. Paths are from the package. */
const EXCEPTIONS: Readonly<Record<string, { only?: RegExp; drop?: RegExp }>> = {
  // The CPU and WebGPU builds for programs outside a browser; their WebAssembly is packed.
  "onnxruntime-web": {
    only: new RegExp(
      "^package\\.json$|^dist/(ort\\.(node|webgpu\\.bundle)\\.min|ort-wasm-simd-threaded(\\.asyncify)?)\\.mjs$",
    ),
  },
  "dejavu-fonts-ttf": { only: /^package\.json$|^LICENSE$|^ttf\/DejaVuSans\.ttf$/ },
  // A command line that brings a hundred packages.
  protobufjs: { drop: /^cli\/|^dist\// },
  "onnxruntime-node": { only: /^package\.json$|^dist\/.*\.js$/ },
  // Used when the package is installed only.
  "adm-zip": { only: NOTHING },
  "global-agent": { only: NOTHING },
  zod: { drop: /^src\// },
};

/**
 * Deletes what a running program does not read from `node_modules`, and all native libraries.
 *
 * @returns bytes that are left.
 */
export async function strip(folder: string): Promise<number> {
  let left = 0;
  const store = join(folder, "node_modules", ".deno");
  for await (const path of walk(store)) {
    const [, name, inside] = /^[^/]+\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path) ?? [];
    // Deno's own records of what it has installed.
    if (name === undefined || inside === undefined) continue;
    const { only, drop } = EXCEPTIONS[name] ?? {};
    const file = join(store, path);
    const { size } = await Deno.stat(file);
    // An empty file holds the place of an addon.
    if (inside.endsWith(".node") && size === 0) continue;
    const kept = only ? only.test(inside) : RUNTIME_FILE.test(inside) && !drop?.test(inside);
    if (kept) left += size;
    else await Deno.remove(file);
  }
  return left;
}
