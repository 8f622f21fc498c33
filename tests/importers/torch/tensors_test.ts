import { MemorySource } from "./_files.ts";
import assert from "node:assert/strict";
import { createRng } from "../../../src/base/rng.ts";

import {
  faultOf,
  readView,
  TorchStorage,
  TorchView,
} from "../../../src/importers/torch/tensors.ts";
import { assertMore } from "../../assert_that.ts";

const COUNT = 64;

function storageOf(bigEndian: boolean): TorchStorage {
  const bytes = new Uint8Array(3 + 4 * COUNT);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < COUNT; i++) view.setFloat32(3 + 4 * i, 0.5 + i, !bigEndian);
  const storage = new TorchStorage("0", "float32", COUNT);
  storage.place = { source: new MemorySource("m", bytes), offset: 3, bigEndian };
  return storage;
}

/** The same by definition: every index, one sum each. */
function naive(offset: number, shape: readonly number[], strides: readonly number[]): number[] {
  let places = [offset];
  shape.forEach((extent, axis) => {
    places = places.flatMap((place) =>
      Array.from({ length: extent }, (_, i) => place + i * strides[axis])
    );
  });
  return places.map((place) => 0.5 + place);
}

Deno.test("readView gives the elements that size, stride and offset name, in both byte orders", () => {
  const rng = createRng(5);
  let read = 0;
  for (let n = 0; n < 2000; n++) {
    const rank = rng.below(5);
    const shape = Array.from({ length: rank }, () => rng.below(4));
    const strides = Array.from({ length: rank }, () => rng.below(12));
    const offset = rng.below(20);
    const expected = naive(offset, shape, strides);
    const inside = expected.every((value) => value < COUNT);
    assert.equal(faultOf(COUNT, offset, shape, strides) === undefined, inside);
    if (!inside) continue;
    const storage = storageOf(n % 2 === 0);
    const view = new TorchView(storage, "float32", offset, shape, strides);
    assert.deepEqual([...readView(view)], expected);
    read++;
  }
  assertMore(read, 500);
});

Deno.test("a view of few bytes claims at most a million elements", () => {
  assert.equal(faultOf(12, 0, [1024, 1024], [0, 0]), undefined);
  assert.match(faultOf(12, 0, [1024, 1025], [0, 0])!, /1049600 elements in a storage of 12/);
  assert.equal(faultOf(2 ** 21, 0, [2 ** 21], [1]), undefined);
  assert.match(faultOf(2 ** 21, 0, [2 ** 21, 2], [1, 0])!, /4194304 elements/);
  assert.match(faultOf(1, 0, [2 ** 52, 2 ** 52], [0, 0])!, /elements in a storage of 1/);
  assert.match(faultOf(12, 0, [2, 2], [2 ** 52, 2 ** 52])!, /in a storage of 12/);
});

Deno.test("sizes and strides pair up, in a sane number", () => {
  assert.equal(faultOf(1, 0, [2, 3], [1]), "2 sizes and 1 strides");
  assert.match(faultOf(1, 0, Array(65).fill(1), Array(65).fill(1))!, /65 dimensions/);
  assert.equal(faultOf(0, 7, [3, 0], [9, 9]), undefined, "no elements, none outside");
});
