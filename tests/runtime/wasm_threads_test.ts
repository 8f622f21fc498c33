import assert from "node:assert/strict";
import { floats } from "../../src/base/tensor.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import { netOn, output } from "../onnx/native.ts";
import { assertEvery } from "../assert_that.ts";

// The runtime is started once in a process, with the threads of its first session: keep other WASM tests out of this file.

/** x [N, 256] → 8 x, through three tensors of x's size. */
function model(): { bytes: Uint8Array; y: string } {
  const b = netOn(["N", 256]);
  let y = "x";
  for (let i = 0; i < 3; i++) y = b.op("Add", [y, y]);
  return { bytes: writeModel(output(b, y)), y };
}

/** Counts the calls of a method while `act` runs. */
async function calls(owner: object, name: string, act: () => Promise<void>): Promise<number> {
  const method = Reflect.get(owner, name);
  let count = 0;
  Reflect.set(
    owner,
    name,
    new Proxy(method, {
      apply(target, self, args) {
        count++;
        return Reflect.apply(target, self, args);
      },
    }),
  );
  try {
    await act();
  } finally {
    Reflect.set(owner, name, method);
  }
  return count;
}

Deno.test("wasm: with threads, the memory does not grow, which a waiting thread may learn too late", async () => {
  const { Memory } = WebAssembly;
  const { bytes, y } = model();
  const grown = await calls(Memory.prototype, "grow", async () => {
    const [session, other] = await Promise.all([
      openSession(bytes, "wasm", { threads: 2 }),
      openSession(bytes, "wasm", { threads: 2 }),
    ]);
    // 32 MiB in each tensor: twice what the runtime's memory has at first if no more is reserved.
    const x = floats([32768, 256], new Float32Array(32768 * 256).fill(0.125));
    for (const open of [session, other]) {
      const { data } = await toFloats((await open.run({ x }))[y]);
      assertEvery(data, (value) => value === 1);
      await open.dispose();
    }
  });
  assert.equal(grown, 0);
  assert.equal(WebAssembly.Memory, Memory, "the lent constructor is still in place");
});

Deno.test("wasm: a process whose sessions are disposed of ends by itself, threads or not", async () => {
  const { bytes } = model();
  const main = new URL("../../src/runtime/open.ts", import.meta.url);
  for (const threads of [1, 3]) {
    const code = `
      const { openSession } = await import(${JSON.stringify(main.href)});
      const bytes = new Uint8Array(${JSON.stringify([...bytes])});
      const session = await openSession(bytes, "wasm", { threads: ${threads} });
      const x = { type: "float32", shape: [64, 256], data: new Float32Array(64 * 256).fill(1) };
      console.log(Object.values(await session.run({ x }))[0].data[0]);
      await session.dispose();
    `;
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "--allow-all", "-"],
      cwd: new URL("../../", import.meta.url),
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      // A hang ends here, with a status that the assertion below names.
      signal: AbortSignal.timeout(60_000),
    }).spawn();
    await new Blob([code]).stream().pipeTo(process.stdin);
    const { code: status, stdout } = await process.output();
    assert.deepEqual([status, new TextDecoder().decode(stdout).trim()], [0, "8"]);
  }
});
