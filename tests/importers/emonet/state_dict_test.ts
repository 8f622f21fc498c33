import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { ModelError } from "../../../src/base/errors.ts";
import { readMatlabFolder } from "../../../src/importers/emonet/matlab_folder.ts";
import { readStateTensors, type StoredTensor } from "../../../src/importers/emonet/state_dict.ts";
import { GOLDEN } from "./cases.ts";

const tiny = await readMatlabFolder(fileURLToPath(new URL("tiny/", GOLDEN)));

/** The small network as a state dict, some of its tensors changed; undefined takes one out. */
function stateWith(
  changes: Readonly<Record<string, Partial<StoredTensor> | undefined>> = {},
): Map<string, StoredTensor> {
  const state = new Map<string, StoredTensor>();
  for (const [key, { shape, data }] of tiny) {
    state.set(key, { dtype: "float32", shape, read: () => data });
  }
  for (const [key, change] of Object.entries(changes)) {
    if (!change) state.delete(key);
    else {
      const whole = { dtype: "float32", shape: [1], read: () => new Float32Array(1) };
      state.set(key, { ...whole, ...state.get(key), ...change });
    }
  }
  return state;
}

/** A tensor's elements with one of them changed. */
function spoiled(key: string, value: number): Partial<StoredTensor> {
  return { read: () => tiny.get(key)!.data.with(3, value) };
}

Deno.test("a state dict gives its tensors", () => {
  const tensors = readStateTensors(stateWith(), "a.pth");
  assert.deepEqual([...tensors.keys()], [...tiny.keys()]);
  for (const [key, { shape, data }] of tensors) {
    assert.deepEqual(shape, tiny.get(key)!.shape);
    assert.deepEqual(data, tiny.get(key)!.data);
  }
});

Deno.test("state dicts of other networks are refused by what is wrong with them", () => {
  for (
    const [state, pattern] of [
      [stateWith({ "fc3.bias": undefined }), /it lacks key "fc3\.bias"; give/],
      [stateWith({ "fc4.weight": {} }), /it has the unknown key "fc4\.weight"; give/],
      [
        stateWith({ "fc1.bias": undefined, "module.fc1.bias": {} }),
        /it lacks key "fc1\.bias" and it has the unknown key "module\.fc1\.bias"/,
      ],
      [
        new Map([["features.0.weight", stateWith().get("conv1.weight")!]]),
        /it lacks keys "conv1\.weight", "conv1\.bias", "conv2\.weight" and 13 more and it has the unknown key "features\.0\.weight"/,
      ],
      [stateWith({ "x\ny": {} }), /unknown key "x\\ny"/],
      [
        stateWith({ "fc2.weight": { shape: [11, 9] } }),
        /fc2\.weight has shape \[11,9\], expected \[9,11\]/,
      ],
      [
        stateWith({ "conv2.weight": { shape: [12, 8, 5, 5] } }),
        /conv2\.weight has shape \[12,8,5,5\], expected \[12,4,5,5\]/,
      ],
      [
        stateWith({ "conv1.bias": { shape: [8, 1] } }),
        /conv1\.bias has shape \[8,1\], expected \[outputs\]/,
      ],
      [
        stateWith({ "conv1.bias": { shape: [0] } }),
        /conv1\.bias has shape \[0\], expected \[outputs\]/,
      ],
      [stateWith({ "fc3.bias": { shape: [8] } }), /fc3\.bias has shape \[8\], expected \[20\]/],
      [
        stateWith({ "fc2.weight": { dtype: "int64" } }),
        /fc2\.weight has type int64, expected one of float32/,
      ],
      [
        stateWith({ "fc2.weight": spoiled("fc2.weight", NaN) }),
        /fc2\.weight is not finite in 1 of its 99 elements, first NaN at 3/,
      ],
      [
        stateWith({ "fc1.bias": spoiled("fc1.bias", -Infinity) }),
        /fc1\.bias is not finite in 1 of its 11 elements, first -Infinity at 3/,
      ],
    ] as const
  ) {
    assert.throws(() => readStateTensors(state, "a.pth"), (error) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.match(error.message, /^Cannot import EmoNet from a\.pth: [^\n]+$/);
      assert.match(error.message, pattern);
      return true;
    });
  }
});

Deno.test("nothing is read of a state dict whose shapes are wrong", () => {
  const state = stateWith({ "fc3.weight": { shape: [20, 8] } });
  for (const [key, value] of state) {
    state.set(key, { ...value, read: () => assert.fail(key) });
  }
  assert.throws(() => readStateTensors(state, "a.pth"), /fc3\.weight has shape/);
});
