/**
 * The words of a state dict: what the names, calls and persistent ids in a file of torch.save may be.
 *
 * `_rebuild_tensor_v2`, `_rebuild_tensor_v3`, `_rebuild_parameter`, `OrderedDict`, the storages and the element types. Any
 * other name is refused as soon as it is named, called or not.
 *
 * Source: PyTorch, `torch/_utils.py` (the rebuild functions) and `torch/serialization.py` (persistent ids).
 *
 * @module
 */

import { ELEMENT_FORMATS, isTorchType, STORAGE_TYPES, type TorchType } from "./element_types.ts";
import type { Builder } from "./pickle.ts";
import { type ByteSource, quoted } from "./source.ts";
import { faultOf, TorchStorage, TorchView } from "./tensors.ts";
import { type Budget, kindOf, PyDict, PyGlobal, PyList, PyTuple, type Value } from "./values.ts";

/** Names that may be called, by module and name. */
const CALLS: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_parameter",
]);
const SAVE_WEIGHTS =
  "it was not run. Save the weights alone, torch.save(model.state_dict(), FILE), or do not trust this file";
const PLAIN_TENSORS =
  "only plain tensors of floats, integers and bool are read: convert them, and save the state dict alone";
const WOULD_RUN =
  "it was not run, but PyTorch would run it: do not open this file with torch.load; fetch the weights from a source that you trust";
/** Names of PyTorch that make tensors of other kinds, which can be converted. All its other names are code. */
const TENSOR_WORDS =
  /^torch\.(?:_utils\._rebuild_\w+|_tensor\._rebuild_\w+|storage\.\w+|(?:cuda\.)?\w+Storage|Size|device|Tensor|nn\.parameter\.\w+|(?:q?u?int|complex|float|bits)\w+)$/;
/** Names that run programs, load other files or fetch them. Of PyTorch, all but the classes of networks, as in a model that was saved whole. */
const RUNS = new RegExp(
  "^(?:torch\\.(?!(?:nn|fx|optim)\\.)|(?:os|posix|nt|sys|subprocess|shutil|socket|runpy|importlib|_?pickle|dill|cloudpickle|joblib|" +
    "ctypes|pty|webbrowser|urllib|http|requests|multiprocessing|marshal|code|numpy\\.load|operator|functools)\\b|" +
    "(?:__builtin__|builtins)\\.(?:eval|exec|execfile|compile|open|getattr|setattr|__import__|input|apply|breakpoint)$)",
);
const DAMAGED = "it is damaged or hostile: fetch it again from its source";

/** What to do with a file that names something that is not read. */
function adviceOn(word: string): string {
  if (TENSOR_WORDS.test(word)) return PLAIN_TENSORS;
  return RUNS.test(word) ? WOULD_RUN : SAVE_WEIGHTS;
}

/** Builds the tensors of one file and remembers its storages. */
export class TorchBuilder implements Builder {
  /** Every storage that a persistent id named, by key. */
  readonly storages = new Map<string, TorchStorage>();
  /** Known words that were met, by name. */
  readonly #words = new Map<string, PyGlobal>();

  constructor(private readonly source: ByteSource, private readonly budget: Budget) {}

  global(module: string, name: string): PyGlobal {
    const met = this.#words.get(name);
    if (met?.module === module) return met;
    const word = new PyGlobal(module, name);
    const known = CALLS.has(word.text) && !name.includes(".") || storageTypeOf(word) !== null ||
      module === "torch" && isTorchType(name);
    if (!known) {
      this.source.refuse(
        `its pickle asks for ${quoted(word.text)}, which is not part of a state dict`,
        adviceOn(word.text),
      );
    }
    this.#words.set(name, word);
    return word;
  }

  reduce(callee: PyGlobal, args: readonly Value[]): Value {
    if (!CALLS.has(callee.text)) this.#refuse(`its pickle calls ${callee.text}`);
    switch (callee.name) {
      case "OrderedDict":
        return this.#orderedDict(args);
      case "_rebuild_tensor_v2":
        return this.#tensor(args);
      case "_rebuild_tensor_v3":
        return this.#tensor([...args.slice(0, 6), ...args.slice(7)], args[6]);
      default:
        return this.#parameter(args);
    }
  }

  /** State dicts carry the versions of their modules in an attribute, which is dropped. */
  build(object: Value, state: Value): void {
    if (!(object instanceof PyDict && object.ordered && state instanceof PyDict)) {
      this.#refuse(`its pickle sets attributes of ${kindOf(object)} from ${kindOf(state)}`);
    }
    this.budget.spend(8 * state.keys.length);
    const name = state.keys.find((key) => key !== "_metadata");
    if (name !== undefined) {
      this.#refuse(
        `its pickle sets the attribute ${typeof name === "string" ? quoted(name) : kindOf(name)}`,
      );
    }
  }

  persistent(id: Value): Value {
    if (!(id instanceof PyTuple)) this.#refuse(`a persistent id is ${kindOf(id)}`);
    const [kind, word, key, location, count, view] = id.items;
    if (kind === "module") {
      this.source.refuse(
        `it is a whole model with its source code (${quoted(kindOf(word))}), not a state dict`,
        "load it where it was made and save model.state_dict()",
      );
    }
    const type = word instanceof PyGlobal ? storageTypeOf(word) : null;
    if (kind !== "storage" || type === null) {
      this.#refuse(`a persistent id of ${kindOf(kind)} and ${kindOf(word)}, not of a storage`);
    }
    if (typeof key !== "string" || key === "" || typeof location !== "string") {
      this.#refuse(`a storage has ${kindOf(key)} as its key and ${kindOf(location)} as location`);
    }
    if (!isExtent(count)) this.#refuse(`storage ${quoted(key)} has ${kindOf(count)} elements`);
    if (id.items.length > 6 || (view ?? null) !== null) {
      this.#refuse(`storage ${quoted(key)} is a view of another storage`);
    }
    const known = this.storages.get(key);
    if (known) {
      if (known.type !== type || known.count !== count) {
        this.#refuse(`storage ${quoted(key)} is described twice, differently`);
      }
      return known;
    }
    this.budget.spend(200);
    const storage = new TorchStorage(key, type, count);
    this.storages.set(key, storage);
    return storage;
  }

  #orderedDict(args: readonly Value[]): PyDict {
    this.budget.spend(400);
    const dict = new PyDict(true);
    const [pairs] = args;
    if (args.length === 0) return dict;
    if (args.length > 1 || !(pairs instanceof PyList)) {
      this.#refuse(`its pickle makes an OrderedDict from ${kindOf(pairs)}`);
    }
    this.budget.spend(24 * pairs.items.length);
    for (const pair of pairs.items) {
      const items = pair instanceof PyTuple || pair instanceof PyList ? pair.items : [];
      const [key, value] = items;
      if (items.length !== 2 || typeof key !== "string") {
        this.#refuse(`its pickle makes an OrderedDict from ${kindOf(pair)} of ${kindOf(key)}`);
      }
      dict.set(key, value!);
    }
    return dict;
  }

  /** (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]) */
  #tensor(args: readonly Value[], dtype?: Value): TorchView {
    const [storage, offset, size, stride, grad, hooks, metadata] = args;
    if (args.length < 6 || args.length > 7) {
      this.#refuse(`its pickle rebuilds a tensor from ${args.length} values`);
    }
    if (!(storage instanceof TorchStorage)) {
      this.#refuse(`its pickle rebuilds a tensor from ${kindOf(storage)}`);
    }
    if (typeof grad !== "boolean" || !isEmpty(hooks)) {
      this.#refuse(`a tensor has ${kindOf(grad)} as requires_grad and ${kindOf(hooks)} as hooks`);
    }
    if (metadata !== undefined && !isEmpty(metadata)) {
      this.#refuse("a tensor has metadata (a negated or conjugated view)");
    }
    const [type, count] = this.#typed(storage, dtype);
    if (!isExtent(offset)) this.#refuse(`a tensor has ${kindOf(offset)} as its offset`);
    const shape = this.#extents(size, "size");
    const strides = this.#extents(stride, "stride");
    const fault = faultOf(count, offset, shape, strides);
    if (fault) this.#refuse(`a tensor has ${fault}`);
    this.budget.spend(200 + 16 * shape.length);
    return new TorchView(storage, type, offset, shape, strides);
  }

  /** A storage's element type, which an untyped one gets from its tensor, and its count of such elements. */
  #typed(storage: TorchStorage, dtype: Value | undefined): [TorchType, number] {
    if (storage.type && dtype === undefined) return [storage.type, storage.count];
    if (storage.type || !(dtype instanceof PyGlobal) || !isTorchType(dtype.name)) {
      this.#refuse(`a tensor has ${kindOf(dtype)} as its type, in storage ${quoted(storage.key)}`);
    }
    const { size } = ELEMENT_FORMATS[dtype.name];
    return [dtype.name, Math.floor(storage.count / size)];
  }

  #extents(value: Value | undefined, what: string): number[] {
    if (!(value instanceof PyTuple)) this.#refuse(`a tensor has ${kindOf(value)} as its ${what}`);
    this.budget.spend(8 * value.items.length);
    return value.items.map((item) =>
      isExtent(item) ? item : this.#refuse(`a tensor has ${kindOf(item)} in its ${what}`)
    );
  }

  /** (data, requires_grad, backward_hooks): a parameter is its tensor. */
  #parameter(args: readonly Value[]): TorchView {
    const [data, grad, hooks] = args;
    if (
      args.length !== 3 || !(data instanceof TorchView) || typeof grad !== "boolean" ||
      !isEmpty(hooks)
    ) {
      this.#refuse(`its pickle makes a parameter from ${args.map(kindOf).join(", ") || "nothing"}`);
    }
    return data;
  }

  #refuse(met: string): never {
    this.source.refuse(met, DAMAGED);
  }
}

/** The element type of a storage class, `undefined` for the untyped one, `null` where the word is not a storage. */
function storageTypeOf(word: PyGlobal): TorchType | undefined | null {
  if (word.name === "UntypedStorage") {
    return word.module === "torch" || word.module === "torch.storage" ? undefined : null;
  }
  return word.module === "torch" ? STORAGE_TYPES.get(word.name) ?? null : null;
}

/** A whole number from 0 to 2^53 - 1. */
function isExtent(value: Value | undefined): value is number {
  return typeof value === "number" && value >= 0;
}

function isEmpty(value: Value | undefined): boolean {
  return value === null || value instanceof PyDict && value.keys.length === 0;
}
