/**
 * A pickle machine that can build plain data and what its {@linkcode Builder} allows, and nothing else.
 *
 * A pickle is a program. This machine has no way to look up a name, import, or call: GLOBAL, REDUCE, BUILD and persistent
 * ids go to the builder, which knows a short list of words; NEWOBJ, INST, OBJ, the extension registry and out-of-band
 * buffers are refused. It is a loop over a stack (nesting costs no recursion), every length is checked against the bytes
 * that are there before anything is allocated, and both the instructions and the memory of what is built are bounded.
 *
 * Protocols 2 to 5. The text instructions of protocol 0 (INT, LONG, FLOAT, STRING, UNICODE, PUT, GET, LIST, DICT …) are
 * refused: torch.save has never written them.
 *
 * Source: CPython, `Lib/pickletools.py` (the instruction set) and `Lib/pickle.py`.
 *
 * @module
 */

import { type Cursor, quoted } from "./source.ts";
import {
  A_FLOAT,
  A_SET,
  type Budget,
  kindOf,
  PyDict,
  PyGlobal,
  PyList,
  PyTuple,
  SOME_BYTES,
  type Value,
} from "./values.ts";

/** What the names, calls and references in a pickle mean. Each method returns inert data or throws. */
export interface Builder {
  /** The word `module.name`. */
  global(module: string, name: string): PyGlobal;
  /** The result of "calling" a word. */
  reduce(callee: PyGlobal, args: readonly Value[]): Value;
  /** Attributes set on an object. */
  build(object: Value, state: Value): void;
  /** What a persistent id means. */
  persistent(id: Value): Value;
}

/** More than 30 million instructions are in no checkpoint; they would take seconds. */
const MAX_INSTRUCTIONS = 1 << 25;
/** A 256-byte integer is far beyond anything a checkpoint counts. */
const MAX_INTEGER_BYTES = 256;
const MAX_NAME_BYTES = 1024;
const DAMAGED = "it is damaged or hostile: fetch it again from its source";

/** Instructions of one name for messages; those that are refused whatever their arguments are. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x46, "FLOAT"],
  [0x49, "INT"],
  [0x4c, "LONG"],
  [0x50, "PERSID"],
  [0x53, "STRING"],
  [0x56, "UNICODE"],
  [0x67, "GET"],
  [0x70, "PUT"],
  [0x82, "EXT1"],
  [0x83, "EXT2"],
  [0x84, "EXT4"],
  [0x97, "NEXT_BUFFER"],
  [0x98, "READONLY_BUFFER"],
]);

/**
 * Runs one pickle, from the cursor's place to its STOP, and returns what it leaves.
 *
 * @throws {ModelError} for anything malformed, anything off the builder's list, and pickles beyond the bounds.
 */
export function readPickle(cursor: Cursor, builder: Builder, budget: Budget): Value {
  return new Machine(cursor, builder, budget).run();
}

class Machine {
  readonly #stack: Value[] = [];
  /** Heights of the stack at each open MARK; nothing below the last one can be popped. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();

  constructor(
    private readonly cursor: Cursor,
    private readonly builder: Builder,
    private readonly budget: Budget,
  ) {}

  run(): Value {
    for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
      const code = this.cursor.byte();
      if (code === 0x2e) return this.#stop();
      this.#step(code);
    }
    return this.#refuse(`its pickle has more than ${MAX_INSTRUCTIONS} instructions`);
  }

  #step(code: number): void {
    const { cursor } = this;
    switch (code) {
      case 0x80: // PROTO
        return this.#protocol(cursor.byte());
      case 0x95: // FRAME: a hint for readers of streams
        return this.#frame(cursor.unsigned(8));
      case 0x28: // MARK
        this.budget.spend(16);
        this.#marks.push(this.#stack.length);
        return;
      case 0x30: // POP, which also takes back a MARK
        if (this.#stack.length === (this.#marks.at(-1) ?? 0) && this.#marks.length > 0) {
          this.#marks.pop();
        } else {
          this.#pop();
        }
        return;
      case 0x31: // POP_MARK
        this.#popMark();
        return;
      case 0x32: // DUP
        return this.#push(this.#top());

      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(cursor.unsigned(4) | 0);
      case 0x4b: // BININT1
        return this.#push(cursor.byte());
      case 0x4d: // BININT2
        return this.#push(cursor.unsigned(2));
      case 0x8a: // LONG1
        return this.#long(cursor.byte());
      case 0x8b: // LONG4
        return this.#long(cursor.unsigned(4) | 0);
      case 0x47: // BINFLOAT
        cursor.skip(8);
        return this.#push(A_FLOAT);

      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING: text of Python 2
        return this.#text(cursor.unsigned(4));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.#text(cursor.byte());
      case 0x8d: // BINUNICODE8
        return this.#text(cursor.unsigned(8));
      case 0x43: // SHORT_BINBYTES
        return this.#bytes(cursor.byte());
      case 0x42: // BINBYTES
        return this.#bytes(cursor.unsigned(4));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#bytes(cursor.unsigned(8));

      case 0x29: // EMPTY_TUPLE
        return this.#tuple([]);
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#tuple(this.#popMany(code - 0x84));
      case 0x74: // TUPLE
        return this.#tuple(this.#popMark());
      case 0x5d: // EMPTY_LIST
        this.budget.spend(200);
        return this.#push(new PyList());
      case 0x7d: // EMPTY_DICT
        this.budget.spend(400);
        return this.#push(new PyDict(false));
      case 0x8f: // EMPTY_SET
        return this.#push(A_SET);
      case 0x91: // FROZENSET
        this.#popMark();
        return this.#push(A_SET);
      case 0x90: // ADDITEMS
        return this.#addItems();
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popMark());
      case 0x73: // SETITEM
        return this.#setItems(this.#popMany(2));
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMark());

      case 0x71: // BINPUT
        return this.#memoize(cursor.byte());
      case 0x72: // LONG_BINPUT
        return this.#memoize(cursor.unsigned(4));
      case 0x94: // MEMOIZE
        return this.#memoize(this.#memo.size);
      case 0x68: // BINGET
        return this.#recall(cursor.byte());
      case 0x6a: // LONG_BINGET
        return this.#recall(cursor.unsigned(4));

      case 0x63: // GLOBAL
        return this.#global(cursor.line(MAX_NAME_BYTES), cursor.line(MAX_NAME_BYTES));
      case 0x93: // STACK_GLOBAL
        return this.#stackGlobal();
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x62: // BUILD
        return this.#build();
      case 0x51: // BINPERSID
        return this.#push(this.builder.persistent(this.#pop()));

      case 0x69: // INST
        return this.#instance(
          "INST",
          `${cursor.line(MAX_NAME_BYTES)}.${cursor.line(MAX_NAME_BYTES)}`,
        );
      case 0x6f: // OBJ
        return this.#instance("OBJ", kindOf(this.#popMark()[0]));
      case 0x81: // NEWOBJ
        return this.#instance("NEWOBJ", kindOf(this.#popMany(2)[0]));
      case 0x92: // NEWOBJ_EX
        return this.#instance("NEWOBJ_EX", kindOf(this.#popMany(3)[0]));
    }
    const name = REFUSED.get(code);
    this.#refuse(
      name
        ? `its pickle uses the instruction ${name}, which torch.save does not write`
        : `byte ${cursor.position - 1} of its pickle, 0x${
          code.toString(16).padStart(2, "0")
        }, is not an instruction`,
    );
  }

  #stop(): Value {
    if (this.#marks.length > 0 || this.#stack.length !== 1) {
      this.#refuse(
        `its pickle stops with ${this.#stack.length} values and ${this.#marks.length} open marks`,
      );
    }
    return this.#stack[0];
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) this.#refuse(`its pickle has protocol ${version}, not 2 to 5`);
  }

  #frame(length: number): void {
    if (length > this.cursor.left) {
      this.#refuse(`its pickle announces a frame of ${length} bytes, and has ${this.cursor.left}`);
    }
  }

  #push(value: Value): void {
    this.budget.spend(16);
    this.#stack.push(value);
  }

  #pop(): Value {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) {
      this.#refuse("its pickle takes a value from an empty stack");
    }
    return this.#stack.pop()!;
  }

  #popMany(count: number): Value[] {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) {
      this.#refuse("its pickle takes a value from an empty stack");
    }
    return this.#stack.splice(-count);
  }

  #popMark(): Value[] {
    const from = this.#marks.pop();
    if (from === undefined) this.#refuse("its pickle closes a mark that was not set");
    return this.#stack.splice(from);
  }

  #top(): Value {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #long(length: number): void {
    if (length < 0 || length > MAX_INTEGER_BYTES) {
      this.#refuse(`its pickle has an integer of ${length} bytes`);
    }
    if (length <= 6) {
      const value = this.cursor.unsigned(length);
      return this.#push(value < 2 ** (8 * length - 1) ? value : value - 2 ** (8 * length));
    }
    this.budget.spend(64 + length);
    const bytes = this.cursor.take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[i]);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    this.#push(Number.isSafeInteger(number) ? number : value);
  }

  #text(length: number): void {
    if (length <= this.cursor.left) this.budget.spend(24 + 2 * length);
    this.#push(this.cursor.text(length));
  }

  #bytes(length: number): void {
    this.cursor.skip(length);
    this.#push(SOME_BYTES);
  }

  #tuple(items: readonly Value[]): void {
    this.budget.spend(88 + 8 * items.length);
    this.#push(new PyTuple(items));
  }

  #append(items: readonly Value[]): void {
    const list = this.#top();
    if (!(list instanceof PyList)) this.#refuse(`its pickle appends to ${kindOf(list)}`);
    this.budget.spend(12 * items.length);
    for (const item of items) list.items.push(item);
  }

  #addItems(): void {
    this.#popMark();
    const set = this.#top();
    if (set !== A_SET) this.#refuse(`its pickle adds items to ${kindOf(set)}`);
  }

  #setItems(items: readonly Value[]): void {
    const dict = this.#top();
    if (!(dict instanceof PyDict)) this.#refuse(`its pickle sets items of ${kindOf(dict)}`);
    if (items.length % 2 !== 0) this.#refuse("its pickle sets a key without a value");
    this.budget.spend(12 * items.length);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (key instanceof PyTuple) this.budget.spend(8 * key.items.length);
      if (!isKey(key)) this.#refuse(`its pickle has ${kindOf(key)} as a dict's key`);
      dict.set(key, items[i + 1]);
    }
  }

  #memoize(index: number): void {
    this.budget.spend(64);
    this.#memo.set(index, this.#top());
  }

  #recall(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) this.#refuse(`its pickle recalls memo ${index}, which was not set`);
    this.#push(value);
  }

  #global(module: string, name: string): void {
    this.#push(this.builder.global(module, name));
  }

  #stackGlobal(): void {
    const [module, name] = this.#popMany(2);
    if (typeof module !== "string" || typeof name !== "string") {
      this.#refuse(`its pickle names something by ${kindOf(module)} and ${kindOf(name)}`);
    }
    this.#global(module, name);
  }

  #reduce(): void {
    const [callee, args] = this.#popMany(2);
    if (!(callee instanceof PyGlobal)) this.#refuse(`its pickle calls ${kindOf(callee)}`);
    if (!(args instanceof PyTuple)) {
      this.#refuse(`its pickle calls ${callee.text} with ${kindOf(args)}, not with a tuple`);
    }
    this.#push(this.builder.reduce(callee, args.items));
  }

  #build(): void {
    const state = this.#pop();
    this.builder.build(this.#top(), state);
  }

  #instance(instruction: string, name: string): never {
    this.#refuse(
      `its pickle makes an object of ${quoted(name)} (${instruction}), which was not done`,
      "only tensors, dicts, lists and numbers are read: save model.state_dict() alone",
    );
  }

  #refuse(met: string, advice = DAMAGED): never {
    this.cursor.source.refuse(met, advice);
  }
}

/** Whether Python would take it as a dict's key: no lists, no dicts, also not inside a tuple. */
function isKey(value: Value): boolean {
  if (value instanceof PyTuple) return value.items.every(isScalar);
  return isScalar(value);
}

function isScalar(value: Value): boolean {
  return value === null || typeof value !== "object" || value === A_FLOAT || value === SOME_BYTES;
}
