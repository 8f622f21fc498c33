/**
 * The one shared GPUDevice: ONNX Runtime and our own kernels use the same, so that buffers pass between them without a
 * copy. The only place that touches `navigator.gpu`.
 *
 * @module
 */

import { tmpdir } from "node:os";
import { GpuError, messageOf } from "../base/errors.ts";
import { mendOlderDeno } from "./older_deno.ts";

/** An opened GPU. */
interface Gpu {
  readonly device: GPUDevice;
  /** What the adapter calls itself, e.g. "NVIDIA GeForce RTX 4090" or "llvmpipe (LLVM 15.0.6, 256 bits)". */
  readonly description: string;
  /** True for an adapter that computes on the CPU (lavapipe, SwiftShader): correct, but slow. */
  readonly software: boolean;
}

let found: Promise<GPUAdapter | undefined> | undefined;
let opened: Promise<Gpu | undefined> | undefined;

/** What the machine offers, without a device being made on it; `undefined` without an adapter. */
export async function findGpu(): Promise<Omit<Gpu, "device"> | undefined> {
  const adapter = await (found ??= find());
  return adapter && describe(adapter);
}

/**
 * The shared GPU, or `undefined` where the machine offers no adapter. The device asks for all the adapter can do in
 * buffer sizes and workgroup counts.
 *
 * @throws {GpuError} when there is an adapter but no device can be made on it.
 */
export function openGpu(): Promise<Gpu | undefined> {
  opened ??= open();
  return opened;
}

async function find(): Promise<GPUAdapter | undefined> {
  // Mesa's Vulkan drivers print a line that looks like an error when this variable names no folder.
  if (Deno.build.os === "linux" && !Deno.env.get("XDG_RUNTIME_DIR")) {
    Deno.env.set("XDG_RUNTIME_DIR", tmpdir());
  }
  mendOlderDeno();
  return await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" }) ?? undefined;
}

/** Adapters that compute on the CPU: Deno before 2.7 does not say so itself. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|microsoft basic render/i;

function describe({ info }: GPUAdapter): Omit<Gpu, "device"> {
  const description = info.description || info.device || info.vendor || "unnamed adapter";
  return { description, software: info.isFallbackAdapter || SOFTWARE.test(description) };
}

async function open(): Promise<Gpu | undefined> {
  const adapter = await (found ??= find());
  if (!adapter) return undefined;
  // An adapter makes one device only.
  found = undefined;
  const limits: Record<string, number> = {};
  for (
    const name of [
      "maxBufferSize",
      "maxStorageBufferBindingSize",
      "maxStorageBuffersPerShaderStage",
      "maxComputeWorkgroupStorageSize",
      "maxComputeInvocationsPerWorkgroup",
      "maxComputeWorkgroupSizeX",
      "maxComputeWorkgroupSizeY",
      "maxComputeWorkgroupSizeZ",
      "maxComputeWorkgroupsPerDimension",
    ] as const
  ) limits[name] = adapter.limits[name];
  const features = (["shader-f16", "subgroups", "timestamp-query"] as GPUFeatureName[])
    .filter((feature) => adapter.features.has(feature));
  const about = describe(adapter);
  try {
    const device = await adapter.requestDevice({
      requiredLimits: limits,
      requiredFeatures: features,
    });
    return { device, ...about };
  } catch (error) {
    throw new GpuError(
      `Cannot open a device on GPU adapter ${about.description}: ${messageOf(error)}`,
    );
  }
}

/** Gives the GPU back, so that the process can end. */
export async function closeGpu(): Promise<void> {
  const gpu = await opened;
  gpu?.device.destroy();
  opened = undefined;
}
