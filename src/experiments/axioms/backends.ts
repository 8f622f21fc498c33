/**
 * Axiom: another backend gives the same map.
 *
 * @module
 */

import { difference, mapsOf, sampleOf } from "./_maps.ts";
import type { Axiom } from "./axiom.ts";

/**
 * Largest difference between the raw maps of this backend and of another one (WebGPU against the CPU where there is a GPU,
 * else WebAssembly against the native library), as a part of the map's range. ONNX Runtime's backends have had wrong results
 * in some operators.
 */
export const backends: Axiom = {
  name: "backends",
  source: "raw maps on two backends; largest difference of the range",
  bound: { atMost: 1e-4 },
  applies: () => true,
  async check(context, method) {
    const other = await context.other();
    if (!other) return { skipped: "there is no other backend here" };
    const own = await mapsOf(context, method, context);
    const theirs = await mapsOf(other, method, context);
    const values = context.classes.map((_, i) =>
      difference(sampleOf(own.raw, own.samples, i), sampleOf(theirs.raw, theirs.samples, i))
    );
    return { value: Math.max(...values) };
  },
};
