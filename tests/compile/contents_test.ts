/**
 * What goes into a binary, for every platform: that of the machine and the others, for which no test can run it.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { stage } from "../../build/compile.ts";
import { type ArchiveList, LIST } from "../../build/inside/archive.ts";
import { findTarget, nativePackages, type Target, TARGETS } from "../../build/targets.ts";
import { walk } from "../../build/walk.ts";
import { assertSome } from "../assert_that.ts";

/** The platform of a native file by its header, as `os arch`; undefined for any other file. */
function platformOf(bytes: Uint8Array): string | undefined {
  if (bytes.length < 64) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // ELF: e_machine.
  if (view.getUint32(0) === 0x7f454c46) {
    return `linux ${{ 62: "x64", 183: "arm64" }[view.getUint16(18, true)]}`;
  }
  // Mach-O of 64 bits: cputype.
  if (view.getUint32(0, true) === 0xfeedfacf) {
    return `darwin ${{ 0x01000007: "x64", 0x0100000c: "arm64" }[view.getUint32(4, true)]}`;
  }
  // PE: the COFF header's machine.
  if (view.getUint16(0) === 0x4d5a) {
    const header = view.getUint32(60, true);
    return `win32 ${{ 0x8664: "x64", 0xaa64: "arm64" }[view.getUint16(header + 4, true)]}`;
  }
  return undefined;
}

async function readList(folder: string): Promise<ArchiveList> {
  return JSON.parse(await Deno.readTextFile(join(folder, LIST)));
}

/** @returns the keys of the libraries. */
async function checkContents(folder: string, target: Target): Promise<string[]> {
  const platforms = new Set<string>();
  for await (const path of walk(folder)) {
    const bytes = await Deno.readFile(join(folder, path));
    const platform = platformOf(path.endsWith(".gz") ? gunzipSync(bytes) : bytes);
    if (platform === undefined) continue;
    platforms.add(platform);
    assert.match(path, /^packed\//, "libraries are packed");
  }
  assert.deepEqual([...platforms], [`${target.os} ${target.arch}`]);
  const keys: string[] = [];
  for (const { name } of nativePackages(target)) {
    const { files, addon, place, key } = await readList(join(folder, "packed", name));
    assertSome(files, ({ path }) => path === addon);
    assert.match(key, new RegExp(`^${name}-[\\d.]+-${target.os}-${target.arch}-[0-9a-f]{16}$`));
    assert.equal((await Deno.stat(join(folder, place))).size, 0);
    keys.push(key);
  }
  for (const path of ["models/mini-xception.onnx", "models/photos/CREDITS.md", "LICENSE"]) {
    assert.ok((await Deno.stat(join(folder, path))).isFile, path);
  }
  return keys;
}

async function staged<T>(target: Target, check: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-contents-" });
  try {
    await stage(folder, target);
    return await check(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const target of TARGETS) {
  Deno.test(`a binary for ${target.triple} holds libraries of that platform only`, async () => {
    const keys = await staged(target, (folder) => checkContents(folder, target));
    if (target.triple !== Deno.build.target) return;
    const again = await staged(target, (folder) => checkContents(folder, target));
    assert.deepEqual(again, keys, "the same packages are packed under the same key");
  });
}

Deno.test("a target that Deno does not know is refused with those it knows", () => {
  assert.throws(() => findTarget("riscv64-unknown-linux-gnu"), {
    name: "RangeError",
    message:
      /^Cannot compile for "riscv64-unknown-linux-gnu": give one of x86_64-unknown-linux-gnu, /,
  });
});
