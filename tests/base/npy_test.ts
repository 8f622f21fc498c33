import assert from "node:assert/strict";
import { readNpy, writeNpy } from "../../src/base/npy.ts";
import { type AnyTensor, floats, int64s, tensor } from "../../src/base/tensor.ts";

Deno.test("writeNpy() writes the bytes that numpy.save writes", () => {
  // numpy 2.4.6: np.save(f, np.array([[1.5, -2], [0, 4]], dtype="<f4"))
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
  const bytes = writeNpy(floats([2, 2], [1.5, -2, 0, 4]));
  assert.equal(bytes.length, 128 + 16);
  assert.deepEqual([...bytes.subarray(0, 10)], [0x93, 78, 85, 77, 80, 89, 1, 0, 118, 0]);
  assert.equal(new TextDecoder().decode(bytes.subarray(10, 128)), header.padEnd(117) + "\n");
  assert.deepEqual([...bytes.subarray(128, 136)], [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]);
});

Deno.test("readNpy() reads back what writeNpy() wrote, for every element type", () => {
  const cases: AnyTensor[] = [
    floats([2, 1, 3], [1, NaN, -Infinity, 1e-42, 3, 4]),
    tensor("float64", [1], Float64Array.of(Math.PI)),
    int64s([3], [-1, 0, 2 ** 52]),
    tensor("uint8", [0, 4], new Uint8Array(0)),
    tensor("bool", [2], Uint8Array.of(1, 0)),
    tensor("float16", [2], Uint16Array.of(0x3c00, 0xfc00)),
    tensor("int32", [], Int32Array.of(-7)),
  ];
  for (const value of cases) assert.deepEqual(readNpy(writeNpy(value)), value);
});

Deno.test("readNpy() refuses other files, Fortran order, objects and wrong lengths", () => {
  const good = writeNpy(floats([2, 2], [1, 2, 3, 4]));
  const edited = (from: string, to: string) => {
    const text = Array.from(good, (byte) => String.fromCharCode(byte)).join("").replace(from, to);
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  };
  assert.throws(
    () => readNpy(new TextEncoder().encode("not an array at all")),
    /no NumPy signature/,
  );
  assert.throws(() => readNpy(edited("False", "True ")), /Fortran order/);
  assert.throws(() => readNpy(edited("<f4", "|O8")), /header/);
  assert.throws(
    () => readNpy(edited("<f4", ">f4")),
    /big-endian >f4; save it as little-endian float32: array\.astype\('<f4'\)$/,
  );
  assert.throws(() => readNpy(good.subarray(0, good.length - 1)), /15 bytes of data, not 16/);
  // Counts beyond 2^53 are told as the file has them, or not as if they were known.
  assert.throws(
    () => readNpy(edited("(2, 2), }" + " ".repeat(17), "(9007199254740993, 1), }  ")),
    /of shape \[9007199254740993,1\]: 16 bytes of data, not more than 9007199254740991$/,
  );
});
