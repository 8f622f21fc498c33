import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { type Builder, readPickle } from "../../../src/importers/torch/pickle.ts";
import { Cursor } from "../../../src/importers/torch/source.ts";
import {
  Budget,
  PyDict,
  PyGlobal,
  PyList,
  PyTuple,
  PyUnread,
  type Value,
} from "../../../src/importers/torch/values.ts";
import {
  bytesOf,
  dict,
  int,
  integer,
  MemorySource,
  pickle,
  type Piece,
  text,
  tuple,
  word,
} from "./_files.ts";
import { assertLess } from "../../assert_that.ts";

/** Knows every word and calls nothing: results are tuples of what was asked. */
const ECHO: Builder = {
  global: (module, name) => new PyGlobal(module, name),
  reduce: (callee, args) => new PyTuple([callee.text, ...args]),
  build: () => {},
  persistent: (id) => new PyTuple(["persistent", id]),
};

function read(bytes: Uint8Array, budget = 1 << 24): Value {
  const source = new MemorySource("p", bytes);
  const exceeded = (limit: number) => source.refuse(`more than ${limit}`, "stop");
  return readPickle(new Cursor(source, 0, bytes.length), ECHO, new Budget(budget, exceeded));
}

/** Values as plain JavaScript, for comparison. */
function plain(value: Value): unknown {
  if (value instanceof PyList) return value.items.map(plain);
  if (value instanceof PyTuple) return { tuple: value.items.map(plain) };
  if (value instanceof PyDict) {
    return { dict: value.keys.map((key, i) => [plain(key), plain(value.values[i])]) };
  }
  if (value instanceof PyUnread) return { unread: value.kind };
  if (value instanceof PyGlobal) return { word: value.text };
  return value;
}

function refused(bytes: Uint8Array, message: RegExp, budget?: number): void {
  assert.throws(() => read(bytes, budget), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("each instruction of protocols 2 to 5 that builds data gives Python's value", () => {
  // Each as CPython 3.11's Unpickler reads the same bytes, with find_class and persistent_load that echo; of
  // floats, bytes and sets the kind.
  const cases: [Piece, unknown][] = [
    ["N", null],
    ["\x88", true],
    ["\x89", false],
    ["K\xff", 255],
    ["M\x01\x02", 513],
    ["J\xfe\xff\xff\xff", -2],
    ["\x8a\x00", 0],
    ["\x8a\x01\x80", -128],
    ["\x8a\x02\x80\x00", 128],
    [["\x8a\x08", integer(-(2n ** 63n), 8)], -(2n ** 63n)],
    [["\x8b\x02\x00\x00\x00", integer(-3, 2)], -3],
    [int(2n ** 53n - 1n), 2 ** 53 - 1],
    [int(2n ** 53n), 2n ** 53n],
    [["G", "\x3f\xf8\x00\x00\x00\x00\x00\x00"], { unread: "a float" }],
    [text("größe\u{1f600}"), "größe\u{1f600}"],
    [text("\ufeffbom"), "\ufeffbom"],
    ["U\x02ab", "ab"],
    ["T\x02\x00\x00\x00ab", "ab"],
    ["\x8c\x02ab", "ab"],
    ["\x8d\x02\x00\x00\x00\x00\x00\x00\x00ab", "ab"],
    ["C\x03abc", { unread: "bytes" }],
    ["B\x03\x00\x00\x00abc", { unread: "bytes" }],
    ["\x8e\x03\x00\x00\x00\x00\x00\x00\x00abc", { unread: "bytes" }],
    ["\x96\x03\x00\x00\x00\x00\x00\x00\x00abc", { unread: "bytes" }],
    [")", { tuple: [] }],
    ["K\x01\x85", { tuple: [1] }],
    ["K\x01K\x02\x86", { tuple: [1, 2] }],
    ["K\x01K\x02K\x03\x87", { tuple: [1, 2, 3] }],
    [tuple("K\x01", "N"), { tuple: [1, null] }],
    ["]K\x01a(K\x02K\x03e", [1, 2, 3]],
    [["}", text("a"), "K\x01s", "(K\x02NK\x03Nu"], { dict: [["a", 1], [2, null], [3, null]] }],
    ["\x8f(K\x01K\x02\x90", { unread: "a set" }],
    ["(K\x01\x91", { unread: "a set" }],
    ["K\x01K\x020", 1],
    ["K\x01(K\x02K\x031", 1],
    ["K\x01(0", 1],
    ["K\x012\x86", { tuple: [1, 1] }],
    ["\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x07", 7],
    ["]q\x00h\x00a0h\x00j\x00\x00\x00\x00a0K\x05", 5],
    ["K\x04\x94K\x05\x940h\x00\x86", { tuple: [4, 4] }],
    [word("a.b", "C"), { word: "a.b.C" }],
    [[text("a"), text("B"), "\x93"], { word: "a.B" }],
    [[word("a", "f"), "K\x01\x85R"], { tuple: ["a.f", 1] }],
    [["K\x01", "Q"], { tuple: ["persistent", 1] }],
  ];
  for (const [piece, expected] of cases) {
    const bytes = pickle(piece);
    assert.deepEqual(plain(read(bytes)), expected, JSON.stringify(String(piece)));
    // Every shortening lacks something.
    for (let length = 0; length < bytes.length; length++) {
      refused(bytes.slice(0, length), /^Cannot read p: [^\n]+; [^\n]+$/);
    }
  }
});

Deno.test("a memo's number is a name, not a length", () => {
  const last = integer(0xffffffff, 4);
  assert.equal(read(pickle("K\x05r", last, "0j", last)), 5);
});

Deno.test("what would make an object, or is not an instruction, is refused by name", () => {
  refused(pickle("(", "i", "os\nsystem\n"), /makes an object of "os\.system" \(INST\)/);
  refused(pickle("(", word("os", "system"), "o"), /"os\.system" \(OBJ\)/);
  refused(pickle(word("os", "system"), ")\x81"), /"os\.system" \(NEWOBJ\)/);
  refused(pickle(word("os", "system"), ")}\x92"), /"os\.system" \(NEWOBJ_EX\)/);
  const texts = { FLOAT: "F", INT: "I", LONG: "L", PERSID: "P", STRING: "S", UNICODE: "V" };
  for (const [name, code] of Object.entries({ ...texts, GET: "g", PUT: "p" })) {
    refused(pickle("N", code, "1\n"), new RegExp(`the instruction ${name},`));
  }
  for (const [code, name] of [["\x82", "EXT1"], ["\x83", "EXT2"], ["\x84", "EXT4"]] as const) {
    refused(pickle(code, "\x01\0\0\0"), new RegExp(`the instruction ${name},`));
  }
  refused(pickle("\x97"), /NEXT_BUFFER/);
  refused(pickle("N\x98"), /READONLY_BUFFER/);
  refused(pickle("\xff"), /byte 2 of its pickle, 0xff, is not an instruction/);
  refused(bytesOf("\x80\x01N."), /protocol 1,/);
  refused(bytesOf("\x80\x06N."), /protocol 6,/);
});

Deno.test("a pickle that takes what is not there, or leaves too much, is refused", () => {
  const cases: [Piece, RegExp][] = [
    ["", /stops with 0 values/],
    ["NN", /stops with 2 values/],
    ["(N", /1 open marks/],
    ["0", /empty stack/],
    // A value below a mark is out of reach.
    ["N(\x85", /empty stack/],
    ["t", /mark that was not set/],
    ["q\x00", /empty stack/],
    ["h\x07", /memo 7, which was not set/],
    ["}N\x85Nu", /mark that was not set/],
    ["}(Nu", /a key without a value/],
    ["}]Ns", /a list as a dict's key/],
    ["}]\x85Ns", /a tuple as a dict's key/],
    ["}}Ns", /a dict as a dict's key/],
    ["]NNs", /sets items of a list/],
    ["}Na", /appends to a dict/],
    ["](N\x90", /adds items to a list/],
    ["K\x01K\x02\x93", /by the number 1 and the number 2/],
    ["N)R", /calls None/],
    [[word("a", "f"), "]R"], /with a list, not with a tuple/],
    ["X\x02\x00\x00\x00\xff\xfe", /not UTF-8/],
    ["c\xff\nx\n", /not UTF-8/],
    [["c", "x".repeat(2000)], /longer than 1024/],
    ["\x95\xff\x00\x00\x00\x00\x00\x00\x00N", /a frame of 255 bytes/],
    [["\x8b", integer(-1, 4)], /integer of -1 bytes/],
    [["\x8b", integer(300, 4), "x".repeat(300)], /integer of 300 bytes/],
  ];
  for (const [piece, message] of cases) refused(pickle(piece), message);
});

Deno.test("announced lengths are compared with what is there before anything is made of them", () => {
  const before = Deno.memoryUsage().rss;
  for (const code of ["X", "T", "B"]) {
    refused(pickle(code, integer(0xfffffff0, 4)), /needs 4294967280 more bytes/);
  }
  for (const code of ["\x8d", "\x8e", "\x96"]) {
    refused(pickle(code, integer(2n ** 63n, 8)), /needs \d+ more bytes/);
  }
  refused(pickle("Nr", integer(0xffffffff, 4), "j", integer(0xfffffffe, 4)), /which was not set/);
  assertLess(Deno.memoryUsage().rss - before, 32 << 20);
});

Deno.test("nesting is not recursion: half a million levels", () => {
  const levels = 500_000;
  let value = read(pickle(bytesOf(")".repeat(1), "\x85".repeat(levels))), 1 << 26);
  let depth = 0;
  while (value instanceof PyTuple && value.items.length === 1) {
    value = value.items[0];
    depth++;
  }
  assert.equal(depth, levels);
  assert.deepEqual(plain(read(pickle("(".repeat(levels), "1".repeat(levels), "N"))), null);
  refused(pickle("(".repeat(levels)), /open marks/);
});

Deno.test("what a pickle builds is counted, also what it builds of the same thing again and again", () => {
  const limit = 1 << 20;
  const many: Piece[] = [
    "}".repeat(100_000),
    "]".repeat(100_000),
    ["]q\x00(", "h\x00".repeat(200_000), "e"],
    ["(", "K\x01".repeat(200_000), "t"],
    ["N", "\x94".repeat(200_000)],
    "(".repeat(200_000),
    // One long key, used over and over.
    ["(", "K\x01".repeat(5000), "tq\x000}", "h\x00Ns".repeat(5000)],
  ];
  for (const piece of many) refused(pickle(piece), /more than 1048576/, limit);
  assert.equal(plain(read(pickle("N0".repeat(50_000), "K\x01"), limit)), 1);
});

Deno.test("a pickle may lie anywhere in its source, longer than the window", () => {
  const long = "y".repeat(200_000);
  const value = pickle(dict([text("k"), text(long)], [text("n"), "K\x07"]));
  const source = new MemorySource("p", bytesOf("xx", value, value));
  const cursor = new Cursor(source, 2, source.length);
  const budget = new Budget(1 << 24, () => assert.fail());
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(plain(readPickle(cursor, ECHO, budget)), { dict: [["k", long], ["n", 7]] });
    assert.equal(cursor.position, 2 + (i + 1) * value.length);
  }
  assert.equal(cursor.left, 0);
});
