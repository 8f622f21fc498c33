/**
 * Chooses a backend and loads models on it. Each backend is a separate file and is loaded when it is first used; `native` may be missing on a platform.
 *
 * @module
 */

import type { Backend } from "./backend_names.ts";
import { messageOf, ModelError } from "../base/errors.ts";
import type { Session, SessionOptions } from "./session.ts";
import { findGpu } from "../gpu/device.ts";
import { flag } from "../base/flag.ts";

/** What a backend file exports. */
interface BackendModule {
  /** Package and version, for the manifest. */
  readonly version: string;
  open(model: Uint8Array, options: SessionOptions): Promise<Session>;
}

export async function load(backend: Backend): Promise<BackendModule> {
  // Literal specifiers, so that `deno compile` finds and embeds them.
  switch (backend) {
    case "webgpu":
      return await import("./backends/webgpu.ts");
    case "native":
      return await import("./backends/native.ts");
    case "wasm":
      return await import("./backends/wasm.ts");
  }
}

/**
 * Loads a model on a backend.
 *
 * @throws {ModelError} when ONNX Runtime refuses the model or the backend is not there.
 */
export async function openSession(
  model: Uint8Array,
  backend: Backend,
  options: SessionOptions = {},
): Promise<Session> {
  let module: BackendModule;
  try {
    module = await load(backend);
  } catch (error) {
    throw new ModelError(
      `Cannot use backend ${backend}: ${messageOf(error)}; choose another with ${flag("backend")}`,
    );
  }
  return await module.open(model, options);
}

/** Package name and version of a backend. */
export async function backendVersion(backend: Backend): Promise<string> {
  return (await load(backend)).version;
}

/** A backend and the reason for its choice. */
export interface BackendChoice {
  backend: Backend;
  reason: string;
}

/**
 * Chooses a backend. `auto` takes a hardware GPU if there is one, else the native CPU library, else WASM; a software
 * adapter only when `webgpu` is asked for by name.
 *
 * @throws {ModelError} when a backend asked for by name cannot be used here.
 */
export async function chooseBackend(asked: Backend | "auto"): Promise<BackendChoice> {
  const gpu = asked === "auto" || asked === "webgpu" ? await findGpu() : undefined;
  if (asked === "webgpu") {
    if (!gpu) {
      throw new ModelError(
        `Cannot use backend webgpu: this machine offers no GPU adapter; use ${
          flag("backend")
        } auto, native or wasm`,
      );
    }
    return { backend: "webgpu", reason: `asked for; on ${describe(gpu)}` };
  }
  if (asked !== "auto") {
    await load(asked).catch((error) => {
      throw new ModelError(
        `Cannot use backend ${asked}: ${messageOf(error)}; use ${flag("backend")} auto or wasm`,
      );
    });
    return { backend: asked, reason: "asked for" };
  }
  if (gpu && !gpu.software) return { backend: "webgpu", reason: `hardware GPU ${gpu.description}` };
  const why = gpu ? `only a software GPU (${gpu.description})` : "no GPU adapter";
  try {
    await load("native");
    return { backend: "native", reason: why };
  } catch (error) {
    return { backend: "wasm", reason: `${why}, and no native CPU library (${messageOf(error)})` };
  }
}

export function describe(gpu: { description: string; software: boolean }): string {
  return gpu.software ? `${gpu.description}, a software adapter` : gpu.description;
}
