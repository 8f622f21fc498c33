/**
 * NumPy's `.npy` files, versions 1 to 3, little endian, C order: how maps and tensors go to and from Python.
 *
 * Source: NumPy Enhancement Proposal 1, "A simple file format for NumPy arrays".
 *
 * @module
 */

import { wholeText } from "./number_text.ts";
import { type AnyTensor, ELEMENT_ARRAYS, type ElementType, sizeOf } from "./tensor.ts";

const DESCRIPTIONS: Record<ElementType, string> = {
  float32: "<f4",
  float64: "<f8",
  float16: "<f2",
  int8: "|i1",
  uint8: "|u1",
  int16: "<i2",
  uint16: "<u2",
  int32: "<i4",
  uint32: "<u4",
  int64: "<i8",
  uint64: "<u8",
  bool: "|b1",
};
const TYPES = new Map(
  Object.entries(DESCRIPTIONS).map(([type, text]) => [text, type as ElementType]),
);
/** 0x93 and "NUMPY". */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;

/**
 * Reads a `.npy` file.
 *
 * @throws {SyntaxError} when the bytes are not such a file, are big endian or in Fortran order, hold objects, or are
 * shorter or longer than the header says.
 */
export function readNpy(bytes: Uint8Array): AnyTensor {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new SyntaxError(`Cannot read the .npy file: no NumPy signature in ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const description = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const extents = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (description.startsWith(">")) {
    throw new SyntaxError(
      `Cannot read the .npy file: big-endian ${description}; save it as little-endian float32: array.astype('<f4')`,
    );
  }
  const type = TYPES.get(description.replace(/^=/, "<"));
  if (!type || order === undefined || extents === undefined) {
    throw new SyntaxError(`Cannot read the .npy file: header ${JSON.stringify(header.trim())}`);
  }
  const texts = extents.split(",").map((s) => s.trim()).filter((s) => s !== "");
  const shape = texts.map(Number);
  if (order === "True" && shape.filter((extent) => extent > 1).length > 1) {
    throw new SyntaxError(
      "Cannot read the .npy file: Fortran order; save numpy.ascontiguousarray(x)",
    );
  }
  const Elements = ELEMENT_ARRAYS[type];
  const size = sizeOf(shape) * Elements.BYTES_PER_ELEMENT;
  if (bytes.length - start - length !== size) {
    throw new SyntaxError(
      `Cannot read the .npy file of shape [${texts}]: ${
        bytes.length - start - length
      } bytes of data, not ${wholeText(size)}`,
    );
  }
  const data = new Elements(bytes.slice(start + length).buffer as ArrayBuffer);
  return { type, shape, data } as AnyTensor;
}

/** Writes a `.npy` file, version 1.0, as `numpy.save` does (header padded to a multiple of 64). */
export function writeNpy(value: AnyTensor): Uint8Array {
  const extents = value.shape.length === 1 ? `${value.shape[0]},` : value.shape.join(", ");
  const text = `{'descr': '${
    DESCRIPTIONS[value.type]
  }', 'fortran_order': False, 'shape': (${extents}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const { buffer, byteOffset, byteLength } = value.data;
  const bytes = new Uint8Array(10 + length + byteLength);
  bytes.set(MAGIC);
  bytes[6] = 1;
  new DataView(bytes.buffer).setUint16(8, length, true);
  bytes.set(new TextEncoder().encode(text.padEnd(length - 1) + "\n"), 10);
  bytes.set(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength), 10 + length);
  return bytes;
}
