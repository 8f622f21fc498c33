/**
 * Axiom: another backend gives the same map.
 *
 * @module
 */

import { floats, rows } from "../../base/tensor.ts";
import { difference, type Maps, mapsOf, sampleOf } from "../../attribution/maps.ts";
import { plainMaps } from "../sample_maps.ts";
import type { Axiom, AxiomContext } from "./axiom.ts";
import type { Method } from "../../methods/mod.ts";

/** Largest difference of raw maps, as a part of a map's range. */
const BOUND = 1e-4;
/** Changes of an input that a backend does not notice: its last two bits. */
const ROUNDINGS = [1 + 2 ** -22, 1 - 2 ** -22];
/** A backend rounds in every layer, the input is rounded once. */
const ALLOWANCE = 4;

/**
 * Largest difference between the raw maps of this backend and of another one (WebGPU against the CPU if there is a GPU,
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
    const compared = comparedSamples(context, method);
    const value = largest(own, await mapsOf(other, method, compared));
    if (value <= BOUND) return { value };
    const rounding = await changeByRounding(compared, method, own);
    if (!(value <= ALLOWANCE * rounding)) return { value };
    return {
      skipped: `it differs by ${
        value.toPrecision(2)
      }, but the last bits of the input change it by ${rounding.toPrecision(2)} on one backend`,
    };
  },
};

/** A perturbation method runs the network hundreds of times for a sample, on the slowest backend too: one sample says enough. */
function comparedSamples(context: AxiomContext, { family }: Method): AxiomContext {
  if (family !== "perturbation") return context;
  return {
    ...context,
    inputs: rows(context.inputs, 0, 1),
    keys: context.keys.slice(0, 1),
    classes: context.classes.slice(0, 1),
  };
}

/** Over the samples that both have. */
function largest(a: Maps, b: Maps): number {
  return Math.max(
    ...Array.from(
      { length: Math.min(a.samples, b.samples) },
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
