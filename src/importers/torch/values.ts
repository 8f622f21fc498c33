/**
 * What the restricted pickle reader can build: plain data, and the two kinds of object that a reader of tensors adds.
 *
 * @module
 */

/** A value in which no weight is stored, such as a learning rate: only what kind of thing it is is kept. */
export class PyUnread {
  constructor(readonly kind: string) {}
}
/** A Python float. It differs from an int, which is a number, or a bigint beyond ±2^53: a size of 3.0 is refused. */
export const A_FLOAT = new PyUnread("a float");
export const SOME_BYTES = new PyUnread("bytes");
export const A_SET = new PyUnread("a set");

export class PyList {
  readonly items: Value[] = [];
}

export class PyTuple {
  constructor(readonly items: readonly Value[]) {}
}

/**
 * A dict as the pairs that were set, in order and with repetitions: nothing is hashed while a pickle is read, so no choice of
 * keys can make it slow. {@linkcode PyDict.texts} gives Python's view.
 */
export class PyDict {
  readonly keys: Value[] = [];
  readonly values: Value[] = [];
  /** `ordered`: it is a collections.OrderedDict, which may carry attributes. */
  constructor(readonly ordered: boolean) {}

  set(key: Value, value: Value): void {
    this.keys.push(key);
    this.values.push(value);
  }

  /** The items whose key is text: a repeated key keeps its first place and its last value, as in Python. */
  texts(): Map<string, Value> {
    const found = new Map<string, Value>();
    for (const [i, key] of this.keys.entries()) {
      if (typeof key === "string") found.set(key, this.values[i]);
    }
    return found;
  }
}

/** A name that the reader knows. It is a word, not a function: nothing is looked up, imported or called. */
export class PyGlobal {
  constructor(readonly module: string, readonly name: string) {}
  get text(): string {
    return `${this.module}.${this.name}`;
  }
}

/** What {@linkcode Builder}s make; the pickle machine only carries it. */
export abstract class Built {
  /** What it is, for messages: "a tensor". */
  abstract readonly kind: string;
}

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyUnread
  | PyList
  | PyTuple
  | PyDict
  | PyGlobal
  | Built;

/** What a value is, for messages. */
export function kindOf(value: Value | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  switch (typeof value) {
    case "boolean":
      return value ? "True" : "False";
    case "number":
    case "bigint":
      return `the number ${String(value).slice(0, 40)}`;
    case "string":
      return "text";
  }
  if (value instanceof PyList) return "a list";
  if (value instanceof PyTuple) return "a tuple";
  if (value instanceof PyDict) return "a dict";
  if (value instanceof PyGlobal) return value.text;
  return value.kind;
}

/**
 * Counts what a reader builds and stops at a limit. Each thing is counted by its size in V8, where an array's first item
 * makes room for 17.
 */
export class Budget {
  #left: number;
  constructor(readonly bytes: number, private readonly exceeded: (limit: number) => never) {
    this.#left = bytes;
  }
  spend(bytes: number): void {
    this.#left -= bytes;
    // Written so that NaN stops too.
    if (!(this.#left >= 0)) this.exceeded(this.bytes);
  }
}
