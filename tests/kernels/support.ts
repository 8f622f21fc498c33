/**
 * What the kernels' tests share: the same test on the twins and on the GPU, and arrays to try them on.
 */

import { createRng } from "../../src/base/rng.ts";
import type { Compute, ComputeBuffer, ComputeLimits } from "../../src/gpu/compute.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { openGpu } from "../../src/gpu/device.ts";
import type { BufferSpec, Kernel, Params, PerBuffer, ScalarArrays } from "../../src/gpu/kernel.ts";

/** Whether this machine has an adapter, be it a software one; asked before tests are defined. */
export const hasGpu = await openGpu() !== undefined;

/** Defines a test on the GPU; skipped, saying why, where there is no adapter. */
export function gpuTest(name: string, run: () => void | Promise<void>): void {
  Deno.test({
    name: hasGpu ? name : `${name} (skipped: no GPU adapter here)`,
    ignore: !hasGpu,
    fn: run,
  });
}

/** Defines a test twice: on the CPU twins and on the GPU. */
export function onBoth(
  name: string,
  run: (compute: Compute) => void | Promise<void>,
  limits: ComputeLimits = {},
): void {
  Deno.test(`${name} (cpu)`, async () => run(await createCompute("cpu", limits)));
  gpuTest(`${name} (gpu)`, async () => run(await createCompute("gpu", limits)));
}

/** Runs a kernel on arrays for its read buffers, in order; gives the array of its one written buffer. */
export async function runKernel<P extends string, B extends readonly BufferSpec[]>(
  compute: Compute,
  kernel: Kernel<P, B>,
  params: Params<P>,
  inputs: readonly ScalarArrays[keyof ScalarArrays][],
): Promise<Float32Array> {
  const lengths = kernel.lengths(params);
  const given = inputs[Symbol.iterator]();
  const buffers = kernel.buffers.map(({ access }, i) =>
    access === "read" ? compute.upload(given.next().value!) : compute.alloc(lengths[i])
  );
  compute.run(kernel, params, buffers as PerBuffer<B, ComputeBuffer>);
  const result = await compute.read(buffers[kernel.buffers.findIndex((b) => b.access === "write")]);
  compute.free(...buffers);
  return result;
}

/** Seeded standard normal floats. */
export function noise(length: number, seed: number): Float32Array {
  const rng = createRng(seed);
  return Float32Array.from({ length }, () => rng.normal());
}

/** Greatest absolute difference; infinite where only one of the two is NaN or the lengths differ. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let greatest = 0;
  for (let i = 0; i < a.length; i++) {
    if (Number.isNaN(a[i]) && Number.isNaN(b[i])) continue;
    const difference = Math.abs(a[i] - b[i]);
    greatest = Number.isNaN(difference) ? Infinity : Math.max(greatest, difference);
  }
  return greatest;
}

/** A map's bilinear interpolant at cell coordinates (v, u), edges continued: the definition, in double precision. */
export function bilinear(
  map: ArrayLike<number>,
  height: number,
  width: number,
  v: number,
  u: number,
): number {
  v = Math.min(Math.max(v, 0), height - 1);
  u = Math.min(Math.max(u, 0), width - 1);
  let sum = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      const hats = Math.max(0, 1 - Math.abs(v - i)) * Math.max(0, 1 - Math.abs(u - j));
      if (hats > 0) sum += hats * map[i * width + j];
    }
  }
  return sum;
}

/** Parameters of a sampling kernel for maps that span the whole grid (OpenCV's and PyTorch's half-pixel convention). */
export function halfPixel(
  maps: number,
  [height, width]: readonly [number, number],
  [outHeight, outWidth]: readonly [number, number],
) {
  return {
    maps,
    height,
    width,
    outHeight,
    outWidth,
    scaleY: height / outHeight,
    offsetY: -0.5,
    scaleX: width / outWidth,
    offsetX: -0.5,
  };
}

/**
 * The mean of a map's bilinear interpolant over [v0, v1] × [u0, u1] in cell coordinates by two-point Gauss quadrature on each piece
 * between cells' centres, where it is exact: independent of the weights' closed form.
 */
export function quadrature(
  map: ArrayLike<number>,
  height: number,
  width: number,
  [v0, v1]: readonly [number, number],
  [u0, u1]: readonly [number, number],
): number {
  const nodes = (from: number, to: number) => {
    const cuts = [from];
    for (let k = Math.floor(from) + 1; k < to; k++) cuts.push(k);
    cuts.push(to);
    return cuts.slice(1).flatMap((b, i) => {
      const half = (b - cuts[i]) / 2, middle = (b + cuts[i]) / 2;
      return [-1, 1].map((sign) => [middle + sign * half / Math.sqrt(3), half / (to - from)]);
    });
  };
  let sum = 0;
  for (const [v, wv] of nodes(v0, v1)) {
    for (const [u, wu] of nodes(u0, u1)) sum += wv * wu * bilinear(map, height, width, v, u);
  }
  return sum;
}
