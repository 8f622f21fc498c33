/**
 * EmoNet's tensors out of a PyTorch state dict.
 *
 * @module
 */

import { ModelError } from "../../base/errors.ts";
import { floats, type Tensor } from "../../base/tensor.ts";
import { checkFinite, KEYS, LAYERS, shapesFor } from "./geometry.ts";

/** What this module needs of a tensor in a state dict. */
export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Its elements in row-major order, as float32. */
  read(): Float32Array;
}

/** Element types that weights may have. */
const FLOATING = ["float32", "float64", "float16", "bfloat16"];

/**
 * Checks that a state dict is EmoNet's and reads its tensors. Everything is checked before the first one is read, but for the
 * elements themselves.
 *
 * @throws {ModelError} when a key is missing or unknown, has another shape or no floating-point type, or holds elements that are
 * not finite in float32.
 */
export function readStateTensors(
  state: ReadonlyMap<string, StoredTensor>,
  origin: string,
): Map<string, Tensor> {
  const missing = KEYS.filter((key) => !state.has(key));
  const unknown = [...state.keys()].filter((key) => !KEYS.includes(key));
  if (missing.length > 0 || unknown.length > 0) {
    const parts = [
      ...missing.length > 0 ? [`it lacks ${listOf(missing)}`] : [],
      ...unknown.length > 0 ? [`it has the unknown ${listOf(unknown)}`] : [],
    ];
    throw new ModelError(
      `Cannot import EmoNet from ${origin}: ${
        parts.join(" and ")
      }; give the state dict of EmoNet, conv1.weight … fc3.bias`,
    );
  }
  const outputs = new Map<string, number>();
  for (const name of LAYERS) {
    const { shape } = state.get(`${name}.bias`)!;
    if (shape.length !== 1 || shape[0] === 0) {
      throw wrongShape(origin, `${name}.bias`, shape, "[outputs]");
    }
    outputs.set(name, shape[0]);
  }
  const shapes = shapesFor(outputs, origin);
  for (const key of KEYS) {
    const { shape, dtype } = state.get(key)!;
    const expected = shapes.get(key)!;
    if (shape.join() !== expected.join()) throw wrongShape(origin, key, shape, `[${expected}]`);
    if (!FLOATING.includes(dtype)) {
      throw new ModelError(
        `Cannot import EmoNet from ${origin}: ${key} has type ${dtype}, expected one of ${
          FLOATING.join(", ")
        }`,
      );
    }
  }
  const tensors = new Map<string, Tensor>();
  for (const key of KEYS) {
    const data = state.get(key)!.read();
    checkFinite(key, data, origin);
    tensors.set(key, floats(shapes.get(key)!, data));
  }
  return tensors;
}

function wrongShape(
  origin: string,
  key: string,
  shape: readonly number[],
  expected: string,
): ModelError {
  return new ModelError(
    `Cannot import EmoNet from ${origin}: ${key} has shape [${
      shape.slice(0, 8)
    }], expected ${expected}`,
  );
}

/** Some keys, quoted and cut short. */
function listOf(keys: readonly string[]): string {
  const shown = keys.slice(0, 3).map((key) => JSON.stringify(key.slice(0, 80))).join(", ");
  return `${keys.length === 1 ? "key" : "keys"} ${shown}${
    keys.length > 3 ? ` and ${keys.length - 3} more` : ""
  }`;
}
