import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";

import {
  bytesOf,
  checkpoint,
  dict,
  floatBytes,
  integer,
  pickle,
  type Piece,
  readStateDictBytes,
  storage,
  tensor,
  text,
  zip,
} from "./_files.ts";

const OBJECT = pickle(dict([text("w"), tensor(storage("0", 2), [2], [1])]));
const DATA = floatBytes([1, -2]);
const entry = (name: string, content: Uint8Array | string) =>
  [name, typeof content === "string" ? bytesOf(content) : content] as const;

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => readStateDictBytes(bytes, "f"), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("the byte order of an archive is that of its elements", () => {
  const swapped = bytesOf([...DATA].map((_, i) => DATA.slice(i ^ 3, (i ^ 3) + 1)));
  const values = (data: Uint8Array, order: string) => [
    ...readStateDictBytes(checkpoint(OBJECT, { "0": data }, [entry("a/byteorder", order)]))
      .get("w")!.read(),
  ];
  assert.deepEqual(values(DATA, "little"), [1, -2]);
  assert.deepEqual(values(swapped, "big"), [1, -2]);
  const odd = (order: string) => checkpoint(OBJECT, { "0": DATA }, [entry("a/byteorder", order)]);
  refused(odd("middle"), /byte order is "middle"/);
  refused(odd("x".repeat(33)), /record "a\/byteorder" has 33 bytes/);
});

Deno.test("an archive is one folder with a pickle, its storages, and a version that is known", () => {
  const parts = (...more: (readonly [string, Uint8Array])[]) =>
    zip([entry("a/data.pkl", OBJECT), entry("a/data/0", DATA), ...more]);
  assert.equal(readStateDictBytes(parts()).size, 1);
  assert.equal(readStateDictBytes(parts(entry("a/notes/readme.txt", "x"))).size, 1);
  assert.equal(readStateDictBytes(parts(entry("a/version", "10\n"))).size, 1);
  refused(parts(entry("a/version", "11\n")), /format version is "11"/);
  refused(parts(entry("a/version", "0")), /format version is "0"/);
  refused(parts(entry("a/version", "three")), /format version is "three"/);
  refused(parts(entry("b/data.pkl", OBJECT)), /"b\/data\.pkl" lies outside its folder "a\/"/);
  refused(parts(entry("readme", "")), /"readme" lies outside/);
  refused(parts(entry("a/constants.pkl", OBJECT)), /TorchScript/);
  refused(zip([entry("data.pkl", OBJECT)]), /without the data\.pkl/);
  refused(zip([entry("w.npy", "")]), /without the data\.pkl/);
  refused(checkpoint(OBJECT), /storage "0", which is not in the archive/);
  refused(checkpoint(OBJECT, { "0": DATA.slice(1) }), /7 bytes, not the 8 announced/);
  refused(checkpoint(OBJECT, { "0": bytesOf(DATA, "x") }), /9 bytes, not the 8 announced/);
  refused(checkpoint(bytesOf(OBJECT, "N."), { "0": DATA }), /2 bytes follow the end/);
});

const KEY = "94000000000001";
const LEGACY: readonly Piece[] = [
  pickle("\x8a\x0a", integer(0x1950a86a20f9469cfc6cn, 10)),
  pickle("M\xe9\x03"),
  pickle("}"),
  pickle(dict([text("w"), tensor(storage(KEY, 2, { legacy: true }), [2], [1])])),
  pickle("]", text(KEY), "a"),
  integer(2, 8),
  DATA,
];

function legacy(change: Readonly<Record<number, Piece>> = {}, more: Piece = ""): Uint8Array {
  return bytesOf(LEGACY.map((piece, i) => change[i] ?? piece), more);
}

Deno.test("the legacy container is five pickles and the elements, to the last byte", () => {
  const good = legacy();
  assert.deepEqual([...readStateDictBytes(good).get("w")!.read()], [1, -2]);
  refused(legacy({ 0: pickle("K\x01") }), /a pickle, but not one of torch\.save/);
  refused(legacy({ 1: pickle("K\x01") }), /protocol version is the number 1, not 1001/);
  refused(legacy({ 2: pickle("N") }), /describes its system by None/);
  refused(legacy({ 4: pickle("N") }), /storage keys are None/);
  refused(legacy({ 4: pickle("]K\x01a") }), /storage keys hold the number 1/);
  refused(legacy({ 4: pickle("](", text(KEY), "2e") }), /storage keys hold "94000000000001" twice/);
  refused(legacy({ 4: pickle("]", text("7"), "a") }), /storage "7" is not named by its pickle/);
  refused(legacy({ 4: pickle("]"), 5: "", 6: "" }), /not in its list of storages/);
  refused(legacy({ 5: integer(3, 8) }), /has 3 elements, not the 2 announced/);
  refused(legacy({ 5: integer(-1, 8) }), /has -1 elements/);
  refused(legacy({}, "x"), /1 bytes follow its last storage/);
  for (let length = 1; length < good.length; length++) {
    refused(good.slice(0, length), /^Cannot read f: [^\n]+; [^\n]+$/);
  }
});

Deno.test("files of other kinds are named", () => {
  const cases: [Piece, RegExp][] = [
    ["", /it is empty/],
    ["P", /bytes 50, as no PyTorch file/],
    ["PK\x03\x04", /no end record/],
    [zip([]), /an empty zip archive/],
    ["PK\x07\x08", /begins like a zip archive/],
    ["\n <!DOCTYPE html>", /a web page/],
    ["<HTML>", /a web page/],
    ["version https://git-lfs.github.com/spec/v1\n", /Git LFS/],
    ["\x1f\x8b\x08", /gzip/],
    ["BZh9", /bzip2/],
    ["\xfd7zXZ\0", /xz/],
    ["\x89HDF\r\n", /HDF5/],
    ["MATLAB 5.0 MAT-file", /\.mat file/],
    ["\x93NUMPY", /NumPy/],
    [[integer(40, 8), "{}"], /safetensors/],
    ["\x08\x08\x12", /ONNX/],
    [["x", "\0".repeat(256), "ustar"], /tar archive/],
    ["\0".repeat(64), /bytes 00 00 00 00/],
  ];
  for (const [piece, message] of cases) refused(bytesOf(piece), message);
});
