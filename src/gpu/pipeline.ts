/**
 * Kernels to compute pipelines, with shader errors that show where they are.
 *
 * @module
 */

import { GpuError } from "../base/errors.ts";
import type { Kernel } from "./kernel.ts";

/** A compiled kernel. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** What is wrong with the shader, if anything, once the device has said so. */
  readonly failure: Promise<GpuError | undefined>;
}

/** Compiles a kernel. The bindings' layout comes from the record, so a shader that differs from it fails here. */
export function compile(device: GPUDevice, kernel: Kernel): Pipeline {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ label: kernel.name, code: kernel.wgsl });
  const layout = device.createBindGroupLayout({
    label: kernel.name,
    entries: [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform" } },
      ...kernel.buffers.map(({ access }, i): GPUBindGroupLayoutEntry => ({
        binding: i + 1,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: access === "read" ? "read-only-storage" : "storage" },
      })),
    ],
  });
  const pipeline = device.createComputePipeline({
    label: kernel.name,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: "main" },
  });
  const failure = device.popErrorScope().then(async (error) => {
    if (!error) return undefined;
    const { messages } = await module.getCompilationInfo();
    return new GpuError(describe(kernel, messages, error.message));
  });
  return { pipeline, layout, failure };
}

/** "Cannot compile kernel NAME: LINE:COLUMN MESSAGE" for each message, then the source with numbered lines. */
function describe(
  { name, wgsl }: Kernel,
  messages: readonly GPUCompilationMessage[],
  otherwise: string,
): string {
  const errors = messages.filter(({ type }) => type === "error")
    .map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${firstLine(message)}`);
  // An interface that differs from the record is found when the pipeline is made; it has no position.
  const reason = errors.length > 0 ? errors.join("; ") : otherwise.trim();
  const lines = wgsl.trimEnd().split("\n");
  const width = String(lines.length).length;
  const listing = lines.map((line, i) => `${String(i + 1).padStart(width)} | ${line}`);
  return `Cannot compile kernel ${name}: ${reason}\n${listing.join("\n")}`;
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0];
}
