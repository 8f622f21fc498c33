/**
 * Makes a Compute on the GPU or on the CPU.
 *
 * @module
 */

import type { Compute, ComputeLimits } from "./compute.ts";
import { GpuError } from "../base/errors.ts";
import { createCpuCompute } from "./cpu_compute.ts";
import { GpuCompute } from "./gpu_compute.ts";
import { openGpu } from "./device.ts";

/**
 * Makes a Compute. `gpu` is the shared device, software adapters included; `cpu` runs the twins.
 *
 * @throws {GpuError} when the machine has no GPU adapter.
 */
export async function createCompute(
  kind: "gpu" | "cpu",
  limits: ComputeLimits = {},
): Promise<Compute> {
  if (kind === "cpu") return createCpuCompute(limits);
  const gpu = await openGpu();
  if (!gpu) throw new GpuError("Cannot compute on the GPU: this machine offers no GPU adapter");
  return new GpuCompute(gpu.device, limits);
}
