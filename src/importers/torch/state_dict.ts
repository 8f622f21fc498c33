/**
 * The state dict in a file of torch.save: tensors by name, read one at a time.
 *
 * @module
 */

import { readObject } from "./container.ts";
import type { TorchType } from "./element_types.ts";
import { type ByteSource, FileSource, quoted } from "./source.ts";
import { readView, TorchStorage, TorchView } from "./tensors.ts";
import { kindOf, PyDict, type Value } from "./values.ts";

/** A tensor of a state dict. */
export interface TorchTensor {
  /** Its element type in the file, named as in PyTorch without `torch.`. */
  readonly dtype: TorchType;
  readonly shape: readonly number[];
  /**
   * Its values as float32, contiguous in C order, read from the file at each call. Not checked for NaN or infinity; float64
   * values beyond float32 become infinite.
   *
   * @throws {ModelError} when the file was changed meanwhile.
   * @throws {UsageError} when it cannot be opened any more.
   */
  read(): Float32Array<ArrayBuffer>;
}

/** Tensors by key, in the file's order, with where they were found. */
export class TorchStateDict extends Map<string, TorchTensor> {
  /**
   * @param at keys that lead from the object in the file to the weights; none where it is the state dict
   * @param prefix what all keys began with and was taken off, such as "module."
   */
  constructor(
    tensors: Iterable<readonly [string, TorchTensor]>,
    readonly at: readonly string[],
    readonly prefix: string,
  ) {
    super(tensors);
  }
  static override get [Symbol.species]() {
    return Map;
  }
}

/** Keys under which training scripts save the weights, the most telling first. */
const WRAPPERS = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "net_state_dict",
  "net",
  "network",
  "module",
  "weights",
  "params",
  "parameters",
];
/** What wrappers of a model put in front of all its keys: DataParallel, torch.compile, and training classes. */
const PREFIXES = ["module.", "_orig_mod.", "model.", "net.", "network."];
const MAX_DEPTH = 8;
const ADVICE = "save the weights alone, torch.save(model.state_dict(), FILE)";

/**
 * Reads which tensors a `.pth` file holds; their values are read later, each when it is asked for.
 *
 * Zip and legacy format. The weights are the object itself, or lie in it under a name such as `state_dict` or `model` (also
 * nested), or are its only dict of tensors; a prefix that all keys share (`module.` …) is taken off. Other entries beside the
 * weights (epoch, optimizer) are passed over. Nothing in the file is executed: see `pickle.ts`.
 *
 * @throws {ModelError} for anything malformed, hostile, or without a state dict.
 * @throws {UsageError} when the file cannot be opened.
 */
// deno-lint-ignore require-await
export async function readStateDict(file: string): Promise<TorchStateDict> {
  const source = FileSource.at(file);
  return source.whileOpen(() => stateDictOf(source));
}

/** The same of any source of bytes, which the tensors go on reading. @throws {ModelError} as `readStateDict`. */
export function stateDictOf(source: ByteSource): TorchStateDict {
  const object = readObject(source);
  if (!(object instanceof PyDict)) {
    source.refuse(`it holds ${kindOf(object)}, not a state dict`, ADVICE);
  }
  const found = new Search(source).weights(object, []);
  if (!found) source.refuse("it holds no tensors under names, so no state dict", ADVICE);
  const views = new Map<string, TorchView>();
  for (const [key, value] of found.items) {
    if (value instanceof TorchStorage) {
      source.refuse(`${quoted(key)} is ${value.kind}`, ADVICE);
    }
    if (value instanceof TorchView) views.set(key, value);
  }
  const prefix = commonPrefix([...views.keys()]);
  const tensors = Array.from(views, ([key, view]): [string, TorchTensor] => [
    key.slice(prefix.length),
    { dtype: view.type, shape: view.shape, read: () => readView(view) },
  ]);
  return new TorchStateDict(tensors, found.at, prefix);
}

interface Weights {
  readonly items: ReadonlyMap<string, Value>;
  readonly at: readonly string[];
}

/** Looks for the dict of weights. Each dict is looked at once, whatever refers to it, so cycles and sharing cost nothing. */
class Search {
  readonly #seen = new Set<PyDict>();
  readonly #tensors = new Map<PyDict, boolean>();
  constructor(private readonly source: ByteSource) {}

  weights(dict: PyDict, at: readonly string[]): Weights | undefined {
    if (this.#seen.has(dict) || at.length > MAX_DEPTH) return undefined;
    this.#seen.add(dict);
    const items = dict.texts();
    for (const name of WRAPPERS) {
      const inner = items.get(name);
      const found = inner instanceof PyDict && this.weights(inner, [...at, name]);
      if (found) return found;
    }
    if (this.#hasTensors(dict)) return { items, at };
    return this.#onlyDict(items, at);
  }

  /** The one dict of tensors under a name that says nothing. */
  #onlyDict(items: ReadonlyMap<string, Value>, at: readonly string[]): Weights | undefined {
    const dicts = [...items].filter(([, value]) =>
      value instanceof PyDict && this.#hasTensors(value)
    );
    if (dicts.length > 1) {
      this.source.refuse(
        `it holds several dicts of tensors: ${
          dicts.slice(0, 5).map(([name]) => quoted(name)).join(", ")
        }`,
        "save the one that is meant alone",
      );
    }
    const [only] = dicts;
    return only && { items: (only[1] as PyDict).texts(), at: [...at, only[0]] };
  }

  /** Whether a dict has tensors, and all of them under text. */
  #hasTensors(dict: PyDict): boolean {
    let known = this.#tensors.get(dict);
    if (known === undefined) {
      const held = dict.keys.filter((_, i) =>
        dict.values[i] instanceof TorchView || dict.values[i] instanceof TorchStorage
      );
      known = held.length > 0 && held.every((key) => typeof key === "string");
      this.#tensors.set(dict, known);
    }
    return known;
  }
}

/** Known prefixes that all keys share, one inside the other; nothing where a key would become empty. */
function commonPrefix(keys: readonly string[]): string {
  let prefix = "";
  for (;;) {
    const next = PREFIXES.find((candidate) =>
      keys.every((key) =>
        key.startsWith(prefix + candidate) && key.length > prefix.length + candidate.length
      )
    );
    if (next === undefined || keys.length === 0) return prefix;
    prefix += next;
  }
}
