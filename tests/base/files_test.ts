import assert from "node:assert/strict";
import { join } from "node:path";
import { isFile, isFolder, statOf, WholeFile, writeWhole } from "../../src/base/files.ts";
import { assertEvery } from "../assert_that.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const names = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("a file is under its name only when it is whole, and an older one stays until then", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a.txt");
    await writeWhole(path, "old");
    const file = new WholeFile(path);
    file.writeSync("né");
    await file.write(Uint8Array.of(0x77));
    assert.equal(await Deno.readTextFile(path), "old");
    file.finish();
    assert.equal(await Deno.readTextFile(path), "néw");
    assert.deepEqual(names(folder), ["a.txt"]);
  }));

Deno.test("an abandoned file leaves nothing, and one that cannot be put in its place neither", () =>
  withFolder(async (folder) => {
    const file = new WholeFile(join(folder, "a"));
    file.writeSync("x");
    file.abandon();
    assert.deepEqual(names(folder), []);
    await Deno.mkdir(join(folder, "taken", "by a folder"), { recursive: true });
    await assert.rejects(writeWhole(join(folder, "taken"), "x"));
    assert.deepEqual(names(folder), ["taken"]);
    await assert.rejects(writeWhole(join(folder, "none", "a"), "x"), Deno.errors.NotFound);
  }));

Deno.test("parts are written one after the other, also more than are written at once", () =>
  withFolder(async (folder) => {
    const path = join(folder, "parts");
    const large = new Uint8Array(2 ** 22 + 7).map((_, i) => i % 251);
    await writeWhole(path, [Uint8Array.of(1, 2), new Uint8Array(), large]);
    const found = await Deno.readFile(path);
    assert.equal(found.length, 2 + large.length);
    assert.deepEqual(found.subarray(0, 2), Uint8Array.of(1, 2));
    assertEvery(found.subarray(2), (byte, i) => byte === large[i], "the large part");
  }));

Deno.test("a path leads to a file, a folder, or nothing", () =>
  withFolder(async (folder) => {
    const path = join(folder, "a");
    await writeWhole(path, "x");
    const places = [path, folder, join(folder, "b"), join(path, "c")];
    assert.deepEqual(await Promise.all(places.map(isFile)), [true, false, false, false]);
    assert.deepEqual(await Promise.all(places.map(isFolder)), [false, true, false, false]);
    const found = await Promise.all(places.map(statOf));
    assert.deepEqual(found.map((info) => info !== undefined), [true, true, false, false]);
  }));
