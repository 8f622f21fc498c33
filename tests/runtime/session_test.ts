import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { floats, int64s, type Tensor } from "../../src/base/tensor.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { type Backend, BACKENDS, toFloats } from "../../src/runtime/session.ts";
import { backendVersion, chooseBackend, openSession } from "../../src/runtime/open.ts";
import { netOn, output } from "../onnx/native.ts";

const gpu = await openGpu() !== undefined;

/** Tests one backend; webgpu is skipped, saying so, where there is no adapter. */
function backendTest(backend: Backend, name: string, fn: () => Promise<void>): void {
  const ignore = backend === "webgpu" && !gpu;
  Deno.test({
    name: `${backend}: ${name}${ignore ? " (skipped: no GPU adapter here)" : ""}`,
    ignore,
    // Their runtimes and drivers keep threads and handles for the whole process.
    sanitizeOps: backend === "native",
    sanitizeResources: backend === "native",
    fn,
  });
}

/** x [N, 2] → twice x, x squared. */
function model(): { bytes: Uint8Array; twice: string; squared: string } {
  const b = netOn(["N", 2]);
  const twice = b.op("Mul", ["x", b.scalar(2)]), squared = b.op("Mul", ["x", "x"]);
  return { bytes: writeModel(output(b, twice, squared)), twice, squared };
}

for (const backend of BACKENDS) {
  backendTest(
    backend,
    "a session runs, for any batch, and gives only what is asked for",
    async () => {
      const { bytes, twice, squared } = model();
      const session = await openSession(bytes, backend, { threads: 1 });
      assert.deepEqual([session.backend, session.inputs, session.outputs], [
        backend,
        ["x"],
        [twice, squared],
      ]);
      for (const rows of [1, 3]) {
        const x = floats([rows, 2], Float32Array.from({ length: 2 * rows }, (_, i) => i - 1));
        const results = await session.run({ x });
        assert.deepEqual(Object.keys(results), [twice, squared]);
        const [a, b] = [await toFloats(results[twice]), await toFloats(results[squared])];
        assert.deepEqual([a.shape, [...a.data]], [
          [rows, 2],
          [...x.data].map((value) => 2 * value),
        ]);
        assert.deepEqual([...b.data], [...x.data].map((value) => value * value));
        const only = await session.run({ x }, [squared]);
        assert.deepEqual(Object.keys(only), [squared]);
        assert.deepEqual((await toFloats(only[squared])).data, b.data);
      }
      await session.dispose();
    },
  );

  backendTest(
    backend,
    "a model or input that cannot be used is a ModelError of one line",
    async () => {
      const refused = (error: unknown) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.match(
          error.message,
          new RegExp(`^Cannot (load|run) the model on backend ${backend}: .+$`),
        );
        return true;
      };
      await assert.rejects(openSession(new TextEncoder().encode("no model"), backend), refused);
      const session = await openSession(model().bytes, backend, { threads: 1 });
      await assert.rejects(session.run({ y: floats([1, 2], [1, 2]) }), refused);
      await assert.rejects(session.run({ x: floats([1, 3], [1, 2, 3]) }), refused);
      await session.dispose();
    },
  );

  backendTest(backend, "it names its package and version", async () => {
    assert.match(await backendVersion(backend), /^onnxruntime-(node|web) \d+\.\d+\.\d+/);
  });
}

backendTest(
  "webgpu",
  "an output that stays on the device goes into the next session as it is",
  async () => {
    const { bytes, twice } = model();
    const session = await openSession(bytes, "webgpu", { onDevice: [twice] });
    const x = floats([2, 2], [1, 2, 3, 4]);
    const { [twice]: first } = await session.run({ x });
    assert.ok("buffer" in first!, "it came back to the CPU");
    const { [twice]: second } = await session.run({ x: first });
    assert.deepEqual([...(await toFloats(second!)).data], [4, 8, 12, 16]);
    first.dispose();
    await session.dispose();
  },
);

Deno.test("an output of another type than float32 is refused where numbers are needed", async () => {
  await assert.rejects(toFloats(int64s([1], [3])), /its type is int64/);
  const value: Tensor = floats([1], [3]);
  assert.equal(await toFloats(value), value);
});

Deno.test("a backend that is asked for by name is taken, and auto says why it takes one", async () => {
  for (const backend of ["native", "wasm"] as const) {
    assert.deepEqual(await chooseBackend(backend), { backend, reason: "asked for" });
  }
  const { backend, reason } = await chooseBackend("auto");
  const found = await openGpu();
  if (!found) assert.deepEqual([backend, reason], ["native", "no GPU adapter"]);
  else if (found.software) {
    assert.equal(backend, "native");
    assert.match(reason, /^only a software GPU \(.+\)$/);
  } else assert.equal(backend, "webgpu");
});
