/**
 * Reading GPU buffers back.
 *
 * @module
 */

import { GpuError } from "../base/errors.ts";
import { openGpu } from "./device.ts";

/**
 * Copies the first `length` float32 elements of a storage buffer (usage COPY_SRC) to the CPU. The buffer may be larger:
 * ONNX Runtime pads its own to bucket sizes.
 *
 * @throws {GpuError} when there is no device.
 */
export async function readBuffer(buffer: GPUBuffer, length: number): Promise<Float32Array> {
  const gpu = await openGpu();
  if (!gpu) throw new GpuError("Cannot read a GPU buffer: no GPU device is open");
  const { device } = gpu;
  const size = length * 4;
  if (size === 0) return new Float32Array(0);
  const staging = device.createBuffer({
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = new Float32Array(staging.getMappedRange().slice(0));
  staging.unmap();
  staging.destroy();
  return data;
}
