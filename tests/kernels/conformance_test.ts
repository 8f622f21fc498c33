/**
 * Host and shader agree: every shader has its record, its twin's test and its place in the list, and the header of each shader says
 * what the record says.
 */

import assert from "node:assert/strict";
import type { Kernel } from "../../src/gpu/kernel.ts";
import { KERNELS } from "../../src/kernels/mod.ts";
import { assertAtMost } from "../assert_that.ts";

const root = new URL("../../", import.meta.url);

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, root)).isFile;
  } catch {
    return false;
  }
}

function withoutComments(wgsl: string): string {
  return wgsl.replace(/\/\/.*$/gm, "");
}

Deno.test("every shader is a listed kernel, and every kernel has shader, record and test", () => {
  const stems = [...Deno.readDirSync(new URL("shaders/", root))]
    .map(({ name }) => name.replace(/\.wgsl$/, "")).sort();
  assert.deepEqual(Object.keys(KERNELS).sort(), stems);
  for (const stem of stems) {
    for (const path of [`src/kernels/${stem}.ts`, `tests/kernels/${stem}_test.ts`]) {
      assert.ok(exists(path), `${path} is missing`);
    }
  }
});

for (const [stem, kernel] of Object.entries(KERNELS) as [string, Kernel][]) {
  Deno.test(`${stem}.wgsl and its record agree`, async () => {
    const file = await Deno.readTextFile(new URL(`shaders/${stem}.wgsl`, root));
    assert.equal(kernel.name, stem);
    assert.equal(kernel.wgsl, file);
    const wgsl = withoutComments(file);

    const struct = /struct\s+Params\s*\{([^}]*)\}/.exec(wgsl);
    assert.ok(struct, "no struct Params");
    const fields = [...struct[1].matchAll(/(\w+)\s*:\s*(\w+)/g)].map((
      [, name, type],
    ) => [name, type]);
    assert.deepEqual(fields, Object.entries(kernel.params));

    const bindings = [
      ...wgsl.matchAll(
        /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]+);/g,
      ),
    ].map(([, group, binding, space, name, type]) => ({ group, binding, space, name, type }));
    assert.deepEqual(bindings, [
      { group: "0", binding: "0", space: "uniform", name: "p", type: "Params" },
      ...kernel.buffers.map(({ name, access, type }, i) => ({
        group: "0",
        binding: String(i + 1),
        space: access === "read" ? "storage, read" : "storage, read_write",
        name,
        type: `array<${type}>`,
      })),
    ]);

    assert.equal(/const WG = (\d+)u;/.exec(wgsl)?.[1], String(kernel.workgroup));
    assert.match(wgsl, /@compute @workgroup_size\(WG\)\s*fn main\(/);
    // Every device takes 256 invocations and 16 KiB of workgroup memory.
    assertAtMost(kernel.workgroup, 256);
    assert.ok(
      Number.isInteger(Math.log2(kernel.workgroup)),
      `${kernel.workgroup} is not a power of two`,
    );
    const shared = [...wgsl.matchAll(/var<workgroup>\s*\w+\s*:\s*array<(?:f32|u32), WG>/g)];
    assert.equal(shared.length, wgsl.split("var<workgroup>").length - 1);
    assertAtMost(shared.length * kernel.workgroup * 4, 16384);
  });
}
