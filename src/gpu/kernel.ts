/**
 * What a compute kernel is: a WGSL file, its interface as data, and a CPU twin that gives the same result.
 *
 * Every shader follows the same few rules, so that one runner serves all (a test holds them to it):
 * - binding 0 is `var<uniform> p: Params`, scalars only, the same names in the same order as {@linkcode Kernel.params};
 *   bindings 1, 2 … are storage arrays, the same as {@linkcode Kernel.buffers};
 * - `const WG` is {@linkcode Kernel.workgroup}, the size of a workgroup, which is one-dimensional;
 * - workgroups are numbered `group.x + group.y * groups.x`, and those past the end return at once: a device limits the
 *   workgroups of one dimension (mostly to 65535), so the runner spreads them over two.
 *
 * @module
 */

/** The scalar types of WGSL that host and shader share. */
export type Scalar = "f32" | "u32" | "i32";

/** The array that holds each scalar type on the CPU. */
export interface ScalarArrays {
  f32: Float32Array;
  u32: Uint32Array;
  i32: Int32Array;
}

/** The scalar type that an array holds. */
export function scalarOf(data: ScalarArrays[Scalar]): Scalar {
  return data instanceof Float32Array ? "f32" : data instanceof Uint32Array ? "u32" : "i32";
}

/** One storage buffer of a kernel. */
export interface BufferSpec {
  readonly name: string;
  /** A buffer that is written is written whole; none is read and written by the same kernel. */
  readonly access: "read" | "write";
  readonly type: Scalar;
}

/** Values of a kernel's parameters. */
export type Params<P extends string> = Readonly<Record<P, number>>;

/** One entry for each of a kernel's buffers. */
export type PerBuffer<B extends readonly BufferSpec[], T> = { [I in keyof B]: T };

/** The arrays of each of a kernel's buffers. */
export type BufferArrays<B extends readonly BufferSpec[]> = {
  [I in keyof B]: ScalarArrays[B[I]["type"]];
};

/** One compute kernel; `P` names its parameters, `B` lists its buffers. */
export interface Kernel<
  P extends string = string,
  B extends readonly BufferSpec[] = readonly BufferSpec[],
> {
  /** The file's stem: shaders/NAME.wgsl, src/kernels/NAME.ts, tests/kernels/NAME_test.ts. */
  readonly name: string;
  readonly wgsl: string;
  /** Names and types in the order of the shader's `struct Params`. */
  readonly params: Readonly<Record<P, Scalar>>;
  /** Bindings 1, 2 … in order. */
  readonly buffers: B;
  /** Invocations in a workgroup. */
  readonly workgroup: number;
  /** Workgroups needed, as one number; 0 if there is nothing to do. */
  groups(p: Params<P>): number;
  /** Elements that each buffer must have at least; a shader would silently read another element past the end. */
  lengths(p: Params<P>): PerBuffer<B, number>;
  /** The same computation as plain loops; also the product's path on machines without a GPU. */
  cpu(p: Params<P>, ...arrays: BufferArrays<B>): void;
}

/** Gives a kernel record its exact type, so that parameters and buffers are checked where it is run. */
export function defineKernel<const P extends string, const B extends readonly BufferSpec[]>(
  kernel: Kernel<P, B>,
): Kernel<P, B> {
  return kernel;
}

/**
 * Checks a kernel's arguments: all parameters there, of their types' ranges, and all buffers of the right type and long
 * enough.
 *
 * @throws {RangeError} naming kernel, argument and value.
 */
export function checkArguments<P extends string, B extends readonly BufferSpec[]>(
  kernel: Kernel<P, B>,
  params: Params<P>,
  buffers: readonly { readonly type: Scalar; readonly length: number }[],
): void {
  const refuse = (reason: string) => new RangeError(`Cannot run kernel ${kernel.name}: ${reason}`);
  for (const [name, type] of Object.entries(kernel.params) as [P, Scalar][]) {
    const value = params[name];
    const fits = type === "f32"
      ? Number.isFinite(value)
      : type === "u32"
      ? value === value >>> 0
      : value === (value | 0);
    if (!fits) throw refuse(`parameter ${name} is ${value}, not a ${type}`);
  }
  if (buffers.length !== kernel.buffers.length) {
    throw refuse(`${buffers.length} buffers given for ${kernel.buffers.length}`);
  }
  const lengths = kernel.lengths(params);
  kernel.buffers.forEach(({ name, type }, i) => {
    const buffer = buffers[i];
    if (buffer.type !== type) throw refuse(`buffer ${name} holds ${buffer.type}, not ${type}`);
    if (buffer.length < lengths[i]) {
      throw refuse(`buffer ${name} has ${buffer.length} elements, ${lengths[i]} are needed`);
    }
  });
}

/** @throws {RangeError} when `from` … `to` is not a part of the buffer. */
export function checkSlice(
  { length }: { readonly length: number },
  from: number,
  to: number,
): void {
  if (!(from >= 0 && from <= to && to <= length)) {
    throw new RangeError(`Cannot take elements ${from} … ${to} of a buffer: it has ${length}`);
  }
}

/**
 * Spreads `groups` workgroups over two dimensions of at most `limit`, with fewer surplus workgroups than rows.
 *
 * @throws {RangeError} when there are more than `limit`².
 */
export function spread(groups: number, limit: number): [number, number] {
  const y = Math.ceil(groups / limit);
  if (y > limit) {
    throw new RangeError(
      `Cannot dispatch ${groups} workgroups: the device takes ${limit} × ${limit}`,
    );
  }
  return [Math.ceil(groups / Math.max(y, 1)), y];
}
