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
  type PerBuffer,
  type Scalar,
  type ScalarArrays,
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

/** Kernels on a device. */
export class GpuCompute implements Compute {
  readonly kind = "gpu";
  readonly maxLength: number;
  readonly #device: GPUDevice;
  readonly #maxGroups: number;
  readonly #compiled: Map<Kernel, Pipeline>;
  /** The device reports errors later than the call that made them; `read` waits for all reports and throws the first. */
  #failure: Promise<GpuError | undefined> = Promise.resolve(undefined);

  constructor(device: GPUDevice, limits: ComputeLimits = {}) {
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits;
    const maxBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    this.#device = device;
    this.maxLength = Math.min(limits.maxLength ?? Infinity, Math.floor(maxBytes / 4));
    this.#maxGroups = limits.maxGroups ?? device.limits.maxComputeWorkgroupsPerDimension;
    this.#compiled = pipelines.get(device) ?? new Map();
    pipelines.set(device, this.#compiled);
  }

  upload(data: ScalarArrays[Scalar]): ComputeBuffer {
    return this.#create(data.length, scalarOf(data), data);
  }

  alloc(length: number, type: Scalar = "f32"): ComputeBuffer {
    return this.#create(length, type);
  }

  adopt(buffer: GPUBuffer, length: number): ComputeBuffer {
    if (buffer.size < length * 4) {
      throw new RangeError(
        `Cannot adopt a GPU buffer of ${buffer.size} bytes: ${length} floats need ${length * 4}`,
      );
    }
    const adopted: GpuBuffer = { type: "f32", length, buffer, offset: 0, owned: false };
    return adopted;
  }

  slice(whole: ComputeBuffer, from: number, to: number): ComputeBuffer {
    checkSlice(whole, from, to);
    const { buffer, offset, type } = own(whole);
    const start = offset + from * 4;
    if (start % this.#device.limits.minStorageBufferOffsetAlignment === 0) {
      const view: GpuBuffer = { type, length: to - from, buffer, offset: start, owned: false };
      return view;
    }
    const copy = this.#create(to - from, type);
    this.#watched(`copy ${to - from} elements on the GPU`, () => {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, start, copy.buffer, 0, (to - from) * 4);
      this.#device.queue.submit([encoder.finish()]);
    });
    return copy;
  }

  run<P extends string, B extends readonly BufferSpec[]>(
    kernel: Kernel<P, B>,
    params: Params<P>,
    buffers: PerBuffer<B, ComputeBuffer>,
  ): void {
    checkArguments(kernel, params, buffers);
    const groups = kernel.groups(params);
    if (groups === 0) return;
    this.#checkLengths(kernel, buffers);
    const { pipeline, layout, failure } = this.#pipelineOf(kernel as unknown as Kernel);
    this.#note(failure);
    const device = this.#device;
    this.#watched(`run kernel ${kernel.name}`, () => {
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
      pass.dispatchWorkgroups(...spread(groups, this.#maxGroups));
      pass.end();
      // Submitted at once: an adopted buffer may be written again by its maker right after this call.
      device.queue.submit([encoder.finish()]);
      uniform.destroy();
    });
  }

  async read(given: ComputeBuffer): Promise<Float32Array> {
    const { buffer, offset, length } = own(given);
    if (offset !== 0) throw new RangeError("Cannot read a slice of a GPU buffer: read the whole");
    const reading = readBuffer(buffer, length).catch((error) =>
      new GpuError(`Cannot read a GPU buffer: ${messageOf(error)}`)
    );
    const failed = await this.#failure;
    const data = await reading;
    if (failed) {
      this.#failure = Promise.resolve(undefined);
      throw failed;
    }
    if (data instanceof GpuError) throw data;
    return data;
  }

  free(...buffers: ComputeBuffer[]): void {
    for (const given of buffers) {
      const { buffer, owned } = own(given);
      if (owned) buffer.destroy();
    }
  }

  #create(length: number, type: Scalar, data?: ArrayBufferView): GpuBuffer {
    const size = Math.max(length, 1) * 4; // An empty buffer cannot be bound.
    const { limits, queue } = this.#device;
    if (size > limits.maxBufferSize) {
      throw new GpuError(
        `Cannot make a GPU buffer of ${size} bytes: the device takes ${limits.maxBufferSize}`,
      );
    }
    const buffer = this.#watched(`make a GPU buffer of ${size} bytes`, () => {
      const made = this.#device.createBuffer({
        size,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      if (data && length > 0) queue.writeBuffer(made, 0, data as BufferSource);
      return made;
    });
    return { type, length, buffer, offset: 0, owned: true };
  }

  #checkLengths(
    { name, buffers }: { readonly name: string; readonly buffers: readonly BufferSpec[] },
    given: readonly ComputeBuffer[],
  ): void {
    const long = given.findIndex(({ length }) => length > this.maxLength);
    if (long < 0) return;
    throw new GpuError(
      `Cannot run kernel ${name}: buffer ${buffers[long].name} has ${
        given[long].length
      } elements, the device binds ${this.maxLength}; use smaller batches`,
    );
  }

  #pipelineOf(kernel: Kernel): Pipeline {
    let pipeline = this.#compiled.get(kernel);
    if (!pipeline) this.#compiled.set(kernel, pipeline = compile(this.#device, kernel));
    return pipeline;
  }

  /** Does something whose errors the device reports later. */
  #watched<T>(action: string, call: () => T): T {
    this.#device.pushErrorScope("out-of-memory");
    this.#device.pushErrorScope("validation");
    const result = call();
    const reports = [this.#device.popErrorScope(), this.#device.popErrorScope()];
    this.#note(
      Promise.all(reports).then(([validation, memory]) => {
        const error = validation ?? memory;
        return error ? new GpuError(`Cannot ${action}: ${error.message.trim()}`) : undefined;
      }),
    );
    return result;
  }

  #note(report: Promise<GpuError | undefined>): void {
    const settled = report.catch((error) => new GpuError(messageOf(error)));
    this.#failure = this.#failure.then(async (first) => first ?? await settled);
  }
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
