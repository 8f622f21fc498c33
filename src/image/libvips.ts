/**
 * The image library: libvips through npm `sharp`, as the platform's native library or, where such may not be loaded (without
 * `--allow-ffi`) or there is none, as WebAssembly: the same version of libvips with the same decoders, so the same pixels.
 *
 * @module
 */

import { cpus } from "node:os";
import process from "node:process";
import { messageOf, UsageError } from "../base/errors.ts";

/** What `import "sharp"` gives. */
export type SharpLibrary = typeof import("sharp")["default"];

/** Version of libvips and how it runs. */
interface LibvipsBuild {
  readonly version: string;
  readonly kind: "native" | "wasm";
}

let loading: Promise<SharpLibrary> | undefined;

/**
 * The library, loaded when the first image is read or drawn: much of the program runs without it.
 *
 * @throws {UsageError} when neither build can be loaded.
 */
export function loadSharp(): Promise<SharpLibrary> {
  return loading ??= load();
}

/** Which build of the library is in use. @throws {UsageError} as {@linkcode loadSharp}. */
export async function libvipsBuild(): Promise<LibvipsBuild> {
  const sharp = await loadSharp();
  return { version: sharp.versions.vips, kind: isWasm(sharp) ? "wasm" : "native" };
}

function isWasm({ versions }: SharpLibrary): boolean {
  return "emscripten" in versions;
}

async function load(): Promise<SharpLibrary> {
  try {
    // The WebAssembly build asks for them, too, and where it may not, it ends the whole process instead of throwing.
    cpus();
    const { default: sharp } = await withoutEnvironment(() => import("sharp"));
    // Every image is decoded once, so a cache only holds memory; images are decoded side by side, so one thread each is enough.
    sharp.cache(false);
    sharp.concurrency(1);
    return sharp;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const [, reason] = /^.*\n((?:.*\n)*?)Possible solutions/.exec(messageOf(error)) ?? [];
    throw new UsageError(
      `Cannot load the image library: ${(reason ?? messageOf(error)).trim().split("\n")[0]}; ` +
        "run deno install, or give --allow-ffi=node_modules",
      { cause: error },
    );
  }
}

/**
 * Imports a module that sees an empty environment meanwhile: the WebAssembly build copies all of it into its memory, which
 * needs a permission for every variable, and nothing there is for it.
 */
async function withoutEnvironment<T>(work: () => Promise<T>): Promise<T> {
  const { env } = process;
  process.env = {};
  try {
    return await work();
  } finally {
    process.env = env;
  }
}
