import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";

import { readZip } from "../../../src/importers/torch/zip_archive.ts";
import { bytesOf, integer, MemorySource, zip } from "./_files.ts";

const FILES = [["a/x", bytesOf("first")], ["a/d/", bytesOf()], [
  "a/d/ü",
  bytesOf("second!"),
]] as const;

function contents(bytes: Uint8Array): Record<string, string> {
  const entries = readZip(new MemorySource("z", bytes));
  return Object.fromEntries(
    Array.from(entries.values(), ({ name, offset, size }) => [
      name,
      new TextDecoder().decode(bytes.subarray(offset, offset + size)),
    ]),
  );
}

function refused(bytes: Uint8Array, message: RegExp): void {
  assert.throws(() => contents(bytes), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** Changes bytes of the record (a signature and which of them) at an offset. */
function patched(bytes: Uint8Array, record: string, nth: number, at: number, patch: Uint8Array) {
  const copy = bytes.slice();
  const whole = Array.from(copy, (byte) => String.fromCharCode(byte)).join("");
  let start = whole.indexOf(record);
  for (let i = 0; i < nth; i++) start = whole.indexOf(record, start + 1);
  copy.set(patch, start + at);
  return copy;
}

const CENTRAL = "PK\x01\x02";
const END = "PK\x05\x06";

Deno.test("stored entries are found, with comments that look like records, and in zip64", () => {
  const expected = { "a/x": "first", "a/d/": "", "a/d/ü": "second!" };
  assert.deepEqual(contents(zip(FILES)), expected);
  assert.deepEqual(contents(zip(FILES, { comment: "hello" })), expected);
  const fake = new TextDecoder("latin1").decode(zip([]));
  assert.deepEqual(contents(zip(FILES, { comment: fake })), expected);
  assert.deepEqual(contents(zip(FILES, { zip64: true })), expected);
});

Deno.test("an archive that says two things about itself is refused", () => {
  const good = zip(FILES);
  const central = (nth: number, at: number, patch: Uint8Array) =>
    patched(good, CENTRAL, nth, at, patch);
  const end = (at: number, patch: Uint8Array) => patched(good, END, 0, at, patch);
  const cases: [Uint8Array, RegExp][] = [
    [central(0, 8, integer(0x801, 2)), /"a\/x" is encrypted/],
    [central(0, 8, integer(0x840, 2)), /is encrypted/],
    [central(0, 10, integer(8, 2)), /compressed \(method 8\)/],
    [central(0, 20, integer(4, 4)), /two sizes, 4 and 5/],
    [central(2, 20, bytesOf(integer(900, 4), integer(900, 4))), /of 900 bytes .* does not fit/],
    [central(0, 20, bytesOf(integer(40, 4), integer(40, 4))), /"a\/d\/" overlaps another/],
    [central(0, 34, integer(1, 2)), /in another part/],
    [central(2, 42, integer(0, 4)), /overlaps another|described differently/],
    [central(0, 42, integer(1, 4)), /is not at byte 1/],
    [central(0, 42, integer(0xfffffffe, 4)), /lies outside/],
    [central(0, 42, integer(0xffffffff, 4)), /lacks its zip64 sizes/],
    [central(0, 46, bytesOf("b")), /"b\/x" is described differently/],
    [central(0, 46, bytesOf("a\\")), /entry named "a\\\\x"/],
    [central(0, 46, bytesOf("a\0x")), /entry named/],
    [central(0, 46, bytesOf("/ax")), /entry named "\/ax"/],
    [central(0, 46, bytesOf("../")), /entry named/],
    [central(0, 0, bytesOf("XX")), /breaks off after 0 of 3/],
    [central(0, 32, integer(0xffff, 2)), /breaks off in entry 0/],
    [end(8, bytesOf(integer(2, 2), integer(2, 2))), /bytes more than its entries/],
    [end(8, bytesOf(integer(4, 2), integer(4, 2))), /4 entries are announced in \d+ bytes/],
    [end(8, bytesOf(integer(0xffff, 2), integer(0xffff, 2))), /it has 65535 entries/],
    [end(4, integer(1, 2)), /no end record/],
    [end(12, integer(5, 4)), /no end record/],
    [end(20, integer(5, 2)), /no end record/],
    [bytesOf(good, "x"), /no end record/],
    [bytesOf("x", good), /no end record/],
    [zip([["a", bytesOf()], ["a", bytesOf("2")]]), /"a" is there twice/],
    [zip([["a/../b", bytesOf()]]), /entry named "a\/\.\.\/b"/],
    [zip([["a//b", bytesOf()]]), /entry named/],
  ];
  for (const [bytes, message] of cases) refused(bytes, message);
  for (let length = 0; length < good.length; length++) {
    refused(good.slice(0, length), /as a zip archive/);
  }
});

Deno.test("a zip64 archive that points elsewhere is refused", () => {
  const good = zip(FILES, { zip64: true });
  const wide = "PK\x06\x06", locator = "PK\x06\x07";
  const cases: [Uint8Array, RegExp][] = [
    [patched(good, locator, 0, 8, integer(2n ** 62n, 8)), /no end record/],
    [patched(good, locator, 0, 16, integer(2, 4)), /no end record/],
    [patched(good, wide, 0, 0, bytesOf("XX")), /no end record/],
    [patched(good, wide, 0, 4, integer(45, 8)), /no end record/],
    [patched(good, wide, 0, 48, integer(2n ** 60n, 8)), /no end record/],
    [
      patched(good, wide, 0, 24, bytesOf(integer(2n ** 60n, 8), integer(2n ** 60n, 8))),
      /has 1152921504606846976 entries/,
    ],
    [
      patched(good, wide, 0, 24, bytesOf(integer(2n ** 60n + 1n, 8), integer(2n ** 60n + 1n, 8))),
      /has 1152921504606846977 entries/,
    ],
    [patched(good, "\x01\x00\x18\x00", 0, 0, bytesOf("\x02")), /lacks its zip64 sizes/],
    [patched(good, "\x01\x00\x18\x00", 0, 2, integer(17, 2)), /lacks its zip64 sizes/],
    [patched(good, "\x01\x00\x18\x00", 0, 4, integer(2n ** 63n, 8)), /two sizes/],
  ];
  for (const [bytes, message] of cases) refused(bytes, message);
});
