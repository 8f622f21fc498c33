import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { sha256 } from "../../../src/base/json.ts";
import { readStateDict } from "../../../src/importers/torch/mod.ts";
import {
  checkpoint,
  dict,
  floatBytes,
  int,
  pickle,
  type Piece,
  readStateDictBytes,
  storage,
  tensor,
  text,
} from "./_files.ts";
import { assertLess } from "../../assert_that.ts";

interface Index {
  readonly control: Readonly<Record<string, readonly number[]>>;
  readonly files: readonly {
    readonly file: string;
    readonly at: readonly string[];
    readonly prefix: string;
    readonly tensors: readonly {
      readonly key: string;
      readonly dtype: string;
      readonly shape: readonly number[];
      readonly sha256: string;
    }[];
  }[];
}

const folder = new URL("../../golden/torch/", import.meta.url);
const index: Index = JSON.parse(await Deno.readTextFile(new URL("index.json", folder)));

Deno.test("checkpoints of PyTorch are read exactly: both containers, types, views, keys", async () => {
  for (const { file, at, prefix, tensors } of index.files) {
    const dict = await readStateDict(new URL(file, folder).pathname);
    assert.deepEqual([dict.at, dict.prefix], [at, prefix], file);
    assert.deepEqual([...dict.keys()], tensors.map(({ key }) => key), file);
    for (const { key, dtype, shape, sha256: expected } of tensors) {
      const tensor = dict.get(key)!;
      assert.deepEqual([tensor.dtype, tensor.shape], [dtype, shape], `${file} ${key}`);
      const values = tensor.read();
      assert.equal(sha256(new Uint8Array(values.buffer)), expected, `${file} ${key}`);
    }
  }
  assert.equal(index.files.length, 15);
  for (const file of ["ok_control.pth", "ok_control_legacy.pth"]) {
    const dict = await readStateDict(new URL(file, folder).pathname);
    const values = Object.fromEntries(Array.from(dict, ([key, t]) => [key, [...t.read()]]));
    assert.deepEqual(values, index.control, file);
  }
});

const W = tensor(storage("0", 1), [1], [1]);
const weights = (...keys: string[]) => dict(...keys.map((key) => [text(key), W] as const));
const read = (object: Piece) =>
  readStateDictBytes(checkpoint(pickle(object), { "0": floatBytes([1]) }), "f");

function refused(object: Piece, message: RegExp): void {
  assert.throws(() => read(object), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("the weights are found where training scripts put them", () => {
  const at = (object: Piece) => read(object).at;
  assert.deepEqual(at(weights("a")), []);
  // Tensors beside the wrapper, such as a best loss, are not the weights.
  assert.deepEqual(at(dict([text("loss"), W], [text("state_dict"), weights("a")])), ["state_dict"]);
  assert.deepEqual(at(dict([text("model"), dict([text("net"), weights("a")])])), ["model", "net"]);
  const both = dict([text("model"), weights("a")], [text("state_dict"), weights("b")]);
  assert.deepEqual([...read(both).keys()], ["b"]);
  const named = dict([text("model"), dict([text("name"), text("x")])], [text("ema"), weights("a")]);
  assert.deepEqual(at(named), ["ema"]);
  const optimizer = dict([text("state"), dict([int(0), weights("exp_avg")])]);
  assert.deepEqual(at(dict([text("optimizer"), optimizer], [text("generator"), weights("a")])), [
    "generator",
  ]);
  // What is not a tensor is passed over; a repeated key keeps its place and its last value.
  const mixed = dict([text("a"), int(5)], [text("b"), W], [text("a"), W], [int(3), text("x")]);
  assert.deepEqual([...read(mixed).keys()], ["a", "b"]);
});

Deno.test("an object without one dict of weights is refused", () => {
  refused(W, /it holds a tensor, not a state dict/);
  refused("]", /it holds a list/);
  refused("}", /no tensors under names/);
  refused(dict([int(0), W]), /no tensors under names/);
  refused(dict([int(0), W], [text("a"), W]), /no tensors under names/);
  refused(
    dict([text("generator"), weights("a")], [text("critic"), weights("a")]),
    /several dicts of tensors: "generator", "critic"/,
  );
});

Deno.test("cycles, sharing and depth cost one look at each dict", () => {
  const started = performance.now();
  refused(["}q\x00", text("state_dict"), "h\x00s"], /no tensors/);
  const names = ["state_dict", "model", "net", "module"];
  let doubling: Piece = "}q\x00";
  for (let i = 0; i < 100; i++) {
    doubling = [doubling, "0}", names.map((name) => [text(name), "h\x00s"]), "q\x00"];
  }
  refused(doubling, /no tensors/);
  // One dict of 5000 numbers under 5000 names.
  const wide = dict(...Array.from({ length: 5000 }, (_, i) => [int(i), "N"] as const));
  const many = Array.from({ length: 5000 }, (_, i) => [text(`k${i}`), "h\x01s"]);
  refused([wide, "q\x010}", many], /no tensors/);
  assertLess(performance.now() - started, 1000);
});

Deno.test("a prefix that all keys share is taken off, one that some lack is not", () => {
  const keys = (...given: string[]) => {
    const dict = read(weights(...given));
    return [dict.prefix, ...dict.keys()];
  };
  assert.deepEqual(keys("module.a", "module.b"), ["module.", "a", "b"]);
  assert.deepEqual(keys("module._orig_mod.a"), ["module._orig_mod.", "a"]);
  assert.deepEqual(keys("model.a", "model.b.c"), ["model.", "a", "b.c"]);
  assert.deepEqual(keys("module.a", "b"), ["", "module.a", "b"]);
  assert.deepEqual(keys("module.", "module.b"), ["", "module.", "module.b"]);
  assert.deepEqual(keys("conv.a", "conv.b"), ["", "conv.a", "conv.b"]);
});

Deno.test("a file is read when a tensor is asked for, and not if it was changed since", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pth" });
  try {
    const bytes = checkpoint(pickle(weights("a")), { "0": floatBytes([7]) });
    await Deno.writeFile(path, bytes);
    const dict = await readStateDict(path);
    assert.deepEqual([...dict.get("a")!.read()], [7]);
    await Deno.writeFile(path, bytes.slice(1));
    assert.throws(() => dict.get("a")!.read(), (error) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.match(error.message, /changed while it was being read/);
      return true;
    });
    await Deno.remove(path);
    assert.throws(() => dict.get("a")!.read(), UsageError);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
  await assert.rejects(readStateDict(path), UsageError);
  await assert.rejects(readStateDict(new URL(".", import.meta.url).pathname), UsageError);
});
