/**
 * A mark in PNG files that says emocam drew them, so that they are not taken for photographs, wherever they are copied to.
 *
 * Source: the chunk tEXt with the keyword Software, PNG (Third Edition) 11.3.3.
 *
 * @module
 */

/** Bytes of the signature and the header, with which every PNG begins. */
const HEAD = 33;

/** The checksum of the chunk's type and text: zlib.crc32(b"tEXtSoftware\0emocam") in Python. */
const CHECKSUM = 0x8eb6a7a1;

/** Length, type, keyword with text, checksum. */
const CHUNK = (() => {
  const body = new TextEncoder().encode("tEXtSoftware\0emocam");
  const chunk = new Uint8Array(body.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, body.length - 4);
  chunk.set(body, 4);
  view.setUint32(body.length + 4, CHECKSUM);
  return chunk;
})();

/** A PNG with the mark after its header. The picture is the same. */
export function stampPng(png: Uint8Array): Uint8Array {
  const stamped = new Uint8Array(png.length + CHUNK.length);
  stamped.set(png.subarray(0, HEAD));
  stamped.set(CHUNK, HEAD);
  stamped.set(png.subarray(HEAD), HEAD + CHUNK.length);
  return stamped;
}

/** Whether a file begins as one that was marked. What cannot be read does not. */
export function isStamped(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(HEAD + CHUNK.length);
    const length = file.readSync(bytes) ?? 0;
    return length === bytes.length && CHUNK.every((byte, i) => bytes[HEAD + i] === byte);
  } catch {
    return false;
  }
}
