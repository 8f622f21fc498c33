/**
 * Kernels on the shared GPUDevice.
 *
 * @module
 */

import { GpuError, messageOf } from "../base/errors.ts";
import { readBuffer } from "./buffer.ts";
import type { Compute, ComputeBuffer, ComputeLimits } from "./compute.ts";
import {
  type BufferSpec,
  checkArguments,
  checkSlice,
  type Kernel,
  type Params,
  type Scalar,
  scalarOf,
  spread,
} from "./kernel.ts";
import { compile, type Pipeline } from "./pipeline.ts";

interface GpuBuffer extends ComputeBuffer {
  readonly buffer: GPUBuffer;
  /** Where the first element lies, in bytes. */
  readonly offset: number;
  /** Whether `free` may destroy it. */
  readonly owned: boolean;
}

// Pipelines outlive a Compute: several may be made on the one device of the process.
const pipelines = new WeakMap<GPUDevice, Map<Kernel, Pipeline>>();

/** Makes a Compute on a device. */
export function createGpuCompute(device: GPUDevice, limits: ComputeLimits = {}): Compute {
  const maxBytes = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
  const maxLength = Math.min(limits.maxLength ?? Infinity, Math.floor(maxBytes / 4));
  const maxGroups = limits.maxGroups ?? device.limits.maxComputeWorkgroupsPerDimension;
  const compiled = pipelines.get(device) ?? new Map<Kernel, Pipeline>();
  pipelines.set(device, compiled);

  // The device reports errors later than the call that made them; `read` waits for all reports and throws the first.
  let failure: Promise<GpuError | undefined> = Promise.resolve(undefined);
  const note = (report: Promise<GpuError | undefined>) => {
    const settled = report.catch((error) => new GpuError(messageOf(error)));
    failure = failure.then(async (first) => first ?? await settled);
  };
  const watched = <T>(action: string, call: () => T): T => {
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const result = call();
    const reports = [device.popErrorScope(), device.popErrorScope()];
    note(
      Promise.all(reports).then(([validation, memory]) => {
        const error = validation ?? memory;
        return error ? new GpuError(`Cannot ${action}: ${error.message.trim()}`) : undefined;
      }),
    );
    return result;
  };

  const create = (length: number, type: Scalar, data?: ArrayBufferView): GpuBuffer => {
    const size = Math.max(length, 1) * 4; // An empty buffer cannot be bound.
    if (size > device.limits.maxBufferSize) {
      throw new GpuError(
        `Cannot make a GPU buffer of ${size} bytes: the device takes ${device.limits.maxBufferSize}`,
      );
    }
    const buffer = watched(`make a GPU buffer of ${size} bytes`, () => {
      const made = device.createBuffer({
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      if (data && length > 0) device.queue.writeBuffer(made, 0, data as BufferSource);
      return made;
    });
    return { type, length, buffer, offset: 0, owned: true };
  };

  return {
    kind: "gpu",
    maxLength,
    upload: (data) => create(data.length, scalarOf(data), data),
    alloc: (length, type = "f32") => create(length, type),
    adopt(buffer, length) {
      if (buffer.size < length * 4) {
        throw new RangeError(
          `Cannot adopt a GPU buffer of ${buffer.size} bytes: ${length} floats need ${length * 4}`,
        );
      }
      const adopted: GpuBuffer = { type: "f32", length, buffer, offset: 0, owned: false };
      return adopted;
    },
    slice(whole, from, to) {
      checkSlice(whole, from, to);
      const { buffer, offset, type } = own(whole);
      const start = offset + from * 4;
      if (start % device.limits.minStorageBufferOffsetAlignment === 0) {
        const view: GpuBuffer = { type, length: to - from, buffer, offset: start, owned: false };
        return view;
      }
      const copy = create(to - from, type);
      watched(`copy ${to - from} elements on the GPU`, () => {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, start, copy.buffer, 0, (to - from) * 4);
        device.queue.submit([encoder.finish()]);
      });
      return copy;
    },
    run(kernel, params, buffers) {
      checkArguments(kernel, params, buffers);
      const groups = kernel.groups(params);
      if (groups === 0) return;
      kernel.buffers.forEach(({ name }, i) => {
        if (buffers[i].length > maxLength) {
          throw new GpuError(
            `Cannot run kernel ${kernel.name}: buffer ${name} has ${
              buffers[i].length
            } elements, the device ` +
              `binds ${maxLength}; use smaller batches`,
          );
        }
      });
      const [x, y] = spread(groups, maxGroups);
      const plain = kernel as unknown as Kernel;
      let entry = compiled.get(plain);
      if (!entry) compiled.set(plain, entry = compile(device, plain));
      const { pipeline, layout } = entry;
      note(entry.failure);
      watched(`run kernel ${kernel.name}`, () => {
        const uniform = uniforms(device, kernel, params);
        const bindGroup = device.createBindGroup({
          layout,
          entries: [
            { binding: 0, resource: { buffer: uniform } },
            ...buffers.map((given, i) => {
              const { buffer, offset, length } = own(given);
              const size = Math.max(length, 1) * 4;
              return { binding: i + 1, resource: { buffer, offset, size } };
            }),
          ],
        });
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass({ label: kernel.name });
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(x, y);
        pass.end();
        // Submitted at once: an adopted buffer may be written again by its maker right after this call.
        device.queue.submit([encoder.finish()]);
        uniform.destroy();
      });
    },
    async read(given) {
      const { buffer, offset, length } = own(given);
      if (offset !== 0) throw new RangeError("Cannot read a slice of a GPU buffer: read the whole");
      const reading = readBuffer(buffer, length).catch((error) =>
        new GpuError(`Cannot read a GPU buffer: ${messageOf(error)}`)
      );
      const failed = await failure;
      const data = await reading;
      if (failed) {
        failure = Promise.resolve(undefined);
        throw failed;
      }
      if (data instanceof GpuError) throw data;
      return data;
    },
    free(...buffers) {
      for (const given of buffers) {
        const { buffer, owned } = own(given);
        if (owned) buffer.destroy();
      }
    },
  };
}

function own(buffer: ComputeBuffer): GpuBuffer {
  if (!("buffer" in buffer)) {
    throw new GpuError("Cannot use an array on the GPU: upload it with the GPU's Compute");
  }
  return buffer as GpuBuffer;
}

function uniforms<P extends string, B extends readonly BufferSpec[]>(
  device: GPUDevice,
  kernel: Kernel<P, B>,
  params: Params<P>,
): GPUBuffer {
  const types = Object.entries(kernel.params) as [P, Scalar][];
  const view = new DataView(new ArrayBuffer(Math.ceil(types.length / 4) * 16));
  types.forEach(([name, type], i) => {
    if (type === "f32") view.setFloat32(i * 4, params[name], true);
    else if (type === "u32") view.setUint32(i * 4, params[name], true);
    else view.setInt32(i * 4, params[name], true);
  });
  const buffer = device.createBuffer({
    size: view.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, view);
  return buffer;
}
