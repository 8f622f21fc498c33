/**
 * Axiom: another backend gives the same map.
 *
 * @module
 */

import { floats } from "../../base/tensor.ts";
import { difference, type Maps, mapsOf, plainMaps, sampleOf } from "./_maps.ts";
import type { Axiom, AxiomContext } from "./axiom.ts";
import type { Method } from "../../methods/mod.ts";

/** Largest difference of raw maps, as a part of a map's range. */
const BOUND = 1e-4;
/** Changes of an input that are no change to a backend: its last two bits. */
const ROUNDINGS = [1 + 2 ** -22, 1 - 2 ** -22];
/** A backend rounds in every layer, the input is rounded once. */
const ALLOWANCE = 4;

/**
 * Largest difference between the raw maps of this backend and of another one (WebGPU against the CPU where there is a GPU,
 * else WebAssembly against the native library), as a part of the map's range. ONNX Runtime's backends have had wrong results
 * in some operators.
 *
 * Gradients at the input jump where a ReLU or a maximum far down changes sides, and some of very many always sit on the edge. Where
 * backends differ by more than the bound, but by no more than four times what the map changes on one backend when the input's last
 * bits do, nothing can be said of the backends.
 */
export const backends: Axiom = {
  name: "backends",
  source: "raw maps on two backends; largest difference of the range",
  bound: { atMost: BOUND },
  applies: () => true,
  async check(context, method) {
    const other = await context.other();
    if (!other) return { skipped: "there is no other backend here" };
    const own = await plainMaps(context, method);
    const theirs = await mapsOf(other, method, context);
    const value = largest(own, theirs);
    if (value <= BOUND) return { value };
    const rounding = await changeByRounding(context, method, own);
    if (!(value <= ALLOWANCE * rounding)) return { value };
    return {
      skipped: `it differs by ${
        value.toPrecision(2)
      }, but the last bits of the input change it by ${rounding.toPrecision(2)} on one backend`,
    };
  },
};

function largest(a: Maps, b: Maps): number {
  return Math.max(
    ...Array.from(
      { length: a.samples },
      (_, i) => difference(sampleOf(a.raw, a.samples, i), sampleOf(b.raw, b.samples, i)),
    ),
  );
}

async function changeByRounding(
  context: AxiomContext,
  method: Method,
  own: Maps,
): Promise<number> {
  const { shape, data } = context.inputs;
  const changes: number[] = [];
  for (const factor of ROUNDINGS) {
    const inputs = floats(shape, data.map((value) => value * factor));
    changes.push(largest(own, await mapsOf(context, method, { ...context, inputs })));
  }
  return Math.max(...changes);
}
