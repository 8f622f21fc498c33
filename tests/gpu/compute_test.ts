import assert from "node:assert/strict";
import { GpuError } from "../../src/base/errors.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { openGpu } from "../../src/gpu/device.ts";
import { defineKernel } from "../../src/gpu/kernel.ts";
import { gpuTest, noise, onBoth } from "../kernels/support.ts";

const HEAD = `struct Params { size: u32, add: i32, factor: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
const WG = 4u;
`;

/** output = input · factor + add, with the given body of the shader. */
function scaling(body: string, head = HEAD) {
  return defineKernel({
    name: "scaling",
    wgsl: `${head}
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + group.y * groups.x) * WG + local;
  ${body}
}`,
    params: { size: "u32", add: "i32", factor: "f32" },
    buffers: [
      { name: "input", access: "read", type: "f32" },
      { name: "output", access: "write", type: "f32" },
    ],
    workgroup: 4,
    groups: ({ size }) => Math.ceil(size / 4),
    lengths: ({ size }) => [size, size],
    cpu({ size, add, factor }, input, output) {
      for (let i = 0; i < size; i++) output[i] = input[i] * factor + add;
    },
  });
}
const good = scaling("if (i < p.size) { output[i] = input[i] * p.factor + f32(p.add); }");

for (const maxGroups of [3, 65535]) {
  onBoth(
    `run gives parameters of each type to the kernel, ${maxGroups} workgroups a row`,
    async (compute) => {
      const input = compute.upload(
        Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17),
      );
      const output = compute.alloc(17);
      compute.run(good, { size: 17, add: -2, factor: 0.5 }, [input, output]);
      const expected = Float32Array.from({ length: 17 }, (_, i) => (i + 1) / 2 - 2);
      assert.deepEqual(await compute.read(output), expected);
      compute.free(input, output);
    },
    { maxGroups },
  );
}

onBoth("kernels run in the order of the calls, with their own parameters", async (compute) => {
  const a = compute.upload(Float32Array.of(1, 10)), b = compute.alloc(2), c = compute.alloc(2);
  compute.run(good, { size: 2, add: 1, factor: 2 }, [a, b]);
  compute.run(good, { size: 2, add: 0, factor: 10 }, [b, c]);
  compute.free(a, b);
  assert.deepEqual(await compute.read(c), Float32Array.of(30, 210));
  compute.free(c);
});

onBoth("alloc gives zeros, and nothing to do is left out", async (compute) => {
  const empty = compute.upload(new Float32Array(0)), three = compute.alloc(3);
  compute.run(good, { size: 0, add: 1, factor: 1 }, [empty, three]);
  assert.deepEqual(await compute.read(three), new Float32Array(3));
  assert.deepEqual(await compute.read(empty), new Float32Array(0));
  compute.free(empty, three);
});

onBoth("slice starts at any element", async (compute) => {
  const whole = noise(300, 1);
  const buffer = compute.upload(whole);
  for (const [from, to] of [[0, 300], [0, 7], [64, 128], [1, 2], [63, 200], [299, 300], [5, 5]]) {
    const part = compute.slice(buffer, from, to), copy = compute.alloc(to - from);
    compute.run(good, { size: to - from, add: 0, factor: 1 }, [part, copy]);
    assert.deepEqual(await compute.read(copy), whole.slice(from, to));
    compute.free(part, copy);
  }
  // Giving a part back leaves the whole.
  assert.deepEqual(await compute.read(buffer), whole);
  assert.throws(() => compute.slice(buffer, 290, 301), RangeError);
  compute.free(buffer);
});

onBoth("run refuses what does not fit the kernel", (compute) => {
  const two = compute.alloc(2), whole = compute.alloc(2, "u32");
  assert.throws(
    () => compute.run(good, { size: 3, add: 0, factor: 1 }, [two, two]),
    /kernel scaling: buffer input has 2 elements, 3 are needed/,
  );
  assert.throws(
    () => compute.run(good, { size: 2, add: 0, factor: 1 }, [two, whole]),
    /buffer output holds u32, not f32/,
  );
  assert.throws(() => compute.run(good, { size: -1, add: 0, factor: 1 }, [two, two]), /is -1/);
});

gpuTest("buffers do not pass between GPU and CPU", async () => {
  const [gpu, cpu] = [await createCompute("gpu"), await createCompute("cpu")];
  const params = { size: 1, add: 0, factor: 1 };
  const [here, there] = [cpu.alloc(1), gpu.alloc(1)];
  assert.throws(() => gpu.run(good, params, [here, there]), /Cannot use an array on the GPU/);
  assert.throws(() => cpu.run(good, params, [here, there]), /Cannot use a GPU buffer on the CPU/);
});

gpuTest("adopt wraps a larger buffer and leaves it to its maker", async () => {
  const { device } = (await openGpu())!;
  const compute = await createCompute("gpu");
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const foreign = device.createBuffer({ size: 1024, usage });
  device.queue.writeBuffer(foreign, 0, Float32Array.of(1, 2, 3));
  const adopted = compute.adopt(foreign, 3), output = compute.alloc(3);
  for (let round = 0; round < 2; round++) {
    compute.run(good, { size: 3, add: 1, factor: 1 }, [adopted, output]);
    compute.free(adopted);
    assert.deepEqual(await compute.read(output), Float32Array.of(2, 3, 4));
  }
  assert.throws(() => compute.adopt(foreign, 257), /of 1024 bytes: 257 floats need 1028/);
  foreign.destroy();
  const cpu = await createCompute("cpu");
  assert.throws(() => cpu.adopt(foreign, 3), GpuError);
});

gpuTest("a maker may overwrite an adopted buffer right after run", async () => {
  const { device } = (await openGpu())!;
  const compute = await createCompute("gpu");
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const foreign = device.createBuffer({ size: 4, usage });
  device.queue.writeBuffer(foreign, 0, Float32Array.of(7));
  const output = compute.alloc(1);
  compute.run(good, { size: 1, add: 0, factor: 1 }, [compute.adopt(foreign, 1), output]);
  device.queue.writeBuffer(foreign, 0, Float32Array.of(8));
  foreign.destroy();
  assert.deepEqual(await compute.read(output), Float32Array.of(7));
});

gpuTest("a shader that does not compile is shown with position and numbered source", async () => {
  const compute = await createCompute("gpu");
  const bad = scaling("output[i] = 1u;");
  const input = compute.alloc(1), output = compute.alloc(1);
  for (let round = 0; round < 2; round++) {
    compute.run(bad, { size: 1, add: 0, factor: 1 }, [input, output]);
    await assert.rejects(compute.read(output), (error: Error) => {
      assert.ok(error instanceof GpuError, String(error));
      const [first, ...listing] = error.message.split("\n");
      assert.match(first, /^Cannot compile kernel scaling: \d+:\d+ \S/);
      assert.equal(listing.length, bad.wgsl.split("\n").length);
      assert.match(error.message, /^ 1 \| struct Params/m);
      assert.match(error.message, /^11 \| {3}output\[i\] = 1u;$/m);
      return true;
    });
  }
  // The failure has been thrown; what follows works.
  compute.run(good, { size: 1, add: 5, factor: 1 }, [input, output]);
  assert.deepEqual(await compute.read(output), Float32Array.of(5));
});

gpuTest("a shader whose bindings differ from its record does not run", async () => {
  const compute = await createCompute("gpu");
  const bad = scaling(
    "input[i] = 0; output[i] = p.factor;",
    HEAD.replace("<storage, read> input", "<storage, read_write> input"),
  );
  const input = compute.alloc(1), output = compute.alloc(1);
  compute.run(bad, { size: 1, add: 0, factor: 1 }, [input, output]);
  await assert.rejects(compute.read(output), /^GpuError: Cannot compile kernel scaling: .*\S/);
});

gpuTest("what is larger than the device takes is refused with size and limit", async () => {
  const compute = await createCompute("gpu", { maxLength: 10 });
  const eleven = compute.alloc(11), other = compute.alloc(11);
  assert.throws(
    () => compute.run(good, { size: 2, add: 0, factor: 1 }, [eleven, other]),
    { name: "GpuError", message: /buffer input has 11 elements, the device binds 10/ },
  );
  assert.throws(() => compute.alloc(2 ** 40), /of 4398046511104 bytes: the device takes \d+/);
});
