/** Comparing a method's values of single cells or pixels, before they become a map, with stored ones. */

import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import type { MethodContext } from "../../src/methods/mod.ts";
import type { ReferenceNet } from "./reference_nets.ts";

/** Values of both classes of each image, [images, 2, …]. */
export async function bothClasses(
  net: ReferenceNet,
  context: MethodContext,
  of: (context: MethodContext, classes: readonly number[]) => Promise<Tensor>,
): Promise<Tensor> {
  const parts: Tensor[] = [];
  for (const slot of [0, 1]) parts.push(await of(context, net.classes.map((pair) => pair[slot])));
  const [images, ...shape] = parts[0].shape as [number, ...number[]];
  const size = sizeOf(shape);
  const all = new Float32Array(images * 2 * size);
  for (let i = 0; i < images; i++) {
    parts.forEach(({ data }, slot) =>
      all.set(data.subarray(i * size, (i + 1) * size), (2 * i + slot) * size)
    );
  }
  return floats([images, 2, ...shape], all);
}

/** The largest difference of an image and class, of its largest expected value; expected ones may be of the first images only. */
export function difference(found: Tensor, expected: Tensor): number {
  const size = sizeOf(expected.shape.slice(2));
  let worst = 0;
  for (let from = 0; from < expected.data.length; from += size) {
    let largest = 0, most = 0;
    for (let i = from; i < from + size; i++) {
      largest = Math.max(largest, Math.abs(expected.data[i]));
      most = Math.max(most, Math.abs(found.data[i] - expected.data[i]));
    }
    worst = Math.max(worst, most / largest);
  }
  return worst;
}
