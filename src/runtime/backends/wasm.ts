/**
 * Backend `wasm`: onnxruntime-web's WebAssembly build with SIMD and threads.
 *
 * With several threads its memory is reserved whole, so that it never grows. Deno runs WebAssembly without V8's trap
 * handler (denoland/deno#35658): each access is compared with the size of the memory as its own thread knows it, and a
 * thread hears of growth at its next interrupt check only. ONNX Runtime's pool threads wait for work in a loop. One that
 * the system suspends between the loop's check and its look into the queue, while the main thread grows the memory, puts a
 * task there and queues it, then reads the task beyond the size it knows: it traps with "memory access out of bounds" and
 * exits, and the main thread waits for it for ever.
 *
 * @module
 */

import * as ort from "onnxruntime-web";
import { denoIsBefore } from "../../base/deno_version.ts";
import type { Session, SessionOptions } from "../session.ts";
import { openWith } from "./ort.ts";

/** Package and version. */
export const version = `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`;

/**
 * Sizes to try, in pages of 64 KiB: 4 GiB less one page (the limit that the build itself names), and less where a system
 * refuses so much. Only what is written to becomes real memory.
 */
const PAGES = [65535, 32768, 16384, 8192] as const;

let started = false;

/** Loads a model. The number of threads is that of the first session: the runtime is started once. @throws {ModelError} */
export async function open(model: Uint8Array, options: SessionOptions): Promise<Session> {
  const load = () =>
    openWith(ort, "wasm", model, {
      executionProviders: ["wasm"],
      graphOptimizationLevel: "all",
    });
  if (started) return await load();
  started = true;
  // Before version 2.7 Deno's workers cannot start the runtime's threads, and from a compiled program we have not seen it work.
  const single = denoIsBefore(2, 7) || Deno.build.standalone;
  const threads = single ? 1 : options.threads ?? navigator.hardwareConcurrency;
  const memory = threads > 1 ? reserve() : undefined;
  ort.env.wasm.numThreads = memory ? threads : 1;
  return await (memory ? withMemory(memory, load) : load());
}

/** A shared memory that cannot grow, or `undefined` where even the smallest is refused. */
function reserve(): WebAssembly.Memory | undefined {
  for (const pages of PAGES) {
    try {
      return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}

/**
 * Loads while the first shared memory that is asked for is the given one: the runtime makes its memory itself, and has no
 * setting for it.
 */
async function withMemory<T>(memory: WebAssembly.Memory, load: () => Promise<T>): Promise<T> {
  const { Memory } = WebAssembly;
  const restore = () => Reflect.set(WebAssembly, "Memory", Memory);
  const lender = new Proxy(Memory, {
    construct(target, args: [WebAssembly.MemoryDescriptor]) {
      if (!args[0].shared) return new target(...args);
      restore();
      return memory;
    },
  });
  Reflect.set(WebAssembly, "Memory", lender);
  try {
    return await load();
  } finally {
    restore();
  }
}
