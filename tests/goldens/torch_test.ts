/** All checkpoints of the shared set: 34 that PyTorch wrote, every tensor exact; 258 spoiled or hostile ones. */

import { readStateDictBytes } from "../importers/torch/_files.ts";
import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import { readStateDict, type TorchStateDict } from "../../src/importers/torch/mod.ts";
import { goldenTest } from "../shared_goldens.ts";

interface GoodFile {
  readonly file: string;
  readonly state_dict_at: readonly string[];
  readonly strip_prefix: string;
  readonly keys: readonly string[];
  readonly tensors: readonly {
    readonly path: readonly (string | number)[];
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly sha256_float32_le: string;
  }[];
}

interface BadFile {
  readonly file: string;
  readonly expect: "accept" | "refuse" | "accept_or_refuse";
  readonly stage: string;
  readonly max_extra_memory_mb: number;
  readonly values_if_accepted?: string;
  readonly expected?: Readonly<Record<string, readonly number[]>>;
}

async function json<T>(url: URL): Promise<T> {
  return JSON.parse(await Deno.readTextFile(url));
}

function hashOf(values: Float32Array): string {
  return sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

goldenTest("every checkpoint of PyTorch is read exactly, keys in order", async (goldens) => {
  const folder = new URL("emonet/", goldens);
  const { files } = await json<{ files: GoodFile[] }>(new URL("pth/index.json", folder));
  let tensors = 0;
  for (const { file, state_dict_at, strip_prefix, keys, tensors: expected } of files) {
    const dict = await readStateDict(new URL(file, folder).pathname);
    assert.deepEqual(dict.at, state_dict_at, file);
    assert.equal(dict.prefix, strip_prefix, file);
    assert.deepEqual([...dict.keys()], keys.map((key) => key.slice(strip_prefix.length)), file);
    const bytes = readStateDictBytes(await Deno.readFile(new URL(file, folder)));
    for (const { path, dtype, shape, sha256_float32_le } of expected) {
      // Tensors beside the weights, such as the optimizer's, are not read.
      if (path.length !== state_dict_at.length + 1) continue;
      const key = String(path.at(-1)).slice(strip_prefix.length);
      const tensor = dict.get(key)!;
      assert.equal(tensor.dtype, dtype, `${file} ${key}`);
      assert.deepEqual(tensor.shape, shape, `${file} ${key}`);
      assert.equal(hashOf(tensor.read()), sha256_float32_le, `${file} ${key}`);
      assert.equal(hashOf(bytes.get(key)!.read()), sha256_float32_le, `${file} ${key}`);
      tensors++;
    }
  }
  assert.equal(files.length, 34);
  assert.ok(tensors > 420, `${tensors} tensors`);
});

/** Reads everything in a file, or gives the refusal. */
async function outcome(path: string): Promise<TorchStateDict | ModelError> {
  try {
    const dict = await readStateDict(path);
    for (const tensor of dict.values()) tensor.read();
    return dict;
  } catch (error) {
    assert.ok(error instanceof ModelError, `${path}: ${error}`);
    assert.match(error.message, /^Cannot read [^\n]+: [^\n]+; [^\n]+$/, path);
    return error;
  }
}

goldenTest(
  "every spoiled or hostile checkpoint has the outcome that is asked for",
  async (goldens) => {
    const folder = new URL("emonet/pth_bad/", goldens);
    const { cases } = await json<{ cases: BadFile[] }>(new URL("index.json", folder));
    const control = cases.find(({ file }) => file === "ok_control.pth")!.expected!;
    const problems: string[] = [];
    for (const bad of cases) {
      const path = new URL(bad.file, folder).pathname;
      const started = performance.now();
      const before = Deno.memoryUsage().rss;
      const result = await outcome(path);
      const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
      const took = performance.now() - started;
      const accepted = !(result instanceof ModelError);
      if (took > 2000) problems.push(`${bad.file}: ${took} ms`);
      if (grown > bad.max_extra_memory_mb) problems.push(`${bad.file}: ${grown} MiB`);
      // Shapes, missing keys and NaN are the matter of the importer that knows the network.
      const ours = bad.stage !== "model" || bad.file.startsWith("toplevel_");
      if (!ours && !accepted) problems.push(`${bad.file}: ${result.message}`);
      if (ours && bad.expect === "refuse" && accepted) problems.push(`${bad.file}: accepted`);
      if (bad.expect === "accept" && !accepted) problems.push(`${bad.file}: ${result.message}`);
      if (accepted && (bad.values_if_accepted || bad.expected)) {
        const values = Object.fromEntries(Array.from(result, ([k, t]) => [k, [...t.read()]]));
        assert.deepEqual(values, control, bad.file);
      }
    }
    assert.deepEqual(problems, []);
    assert.equal(cases.length, 258);
  },
);
