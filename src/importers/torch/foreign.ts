// deno-lint-ignore-file no-control-regex -- the signatures of binary files
/**
 * What a file is that is not a PyTorch file, by its first bytes: so that the message can say what to do.
 *
 * @module
 */

import type { ByteSource } from "./source.ts";

const SAVE = "give a .pth file of PyTorch, torch.save(model.state_dict(), FILE)";

/** First bytes as Latin-1 text, what such a file is, and what to do. */
const SIGNATURES: readonly (readonly [RegExp, string, string])[] = [
  [
    /^\s*<(!doctype|html|\?xml|head|body)/i,
    "it is a web page",
    "the download failed: fetch it again",
  ],
  [
    /^version https:\/\/git-lfs/,
    "it is a pointer of Git LFS, not the file itself",
    "run git lfs pull, or fetch the file itself",
  ],
  [/^\x1f\x8b/, "it is compressed with gzip", "decompress it first (gunzip)"],
  [
    /^BZh/,
    "it is compressed with bzip2",
    "decompress it first; a MATLAB export is given as a folder",
  ],
  [/^\xfd7zXZ/, "it is compressed with xz", "decompress it first (unxz)"],
  [/^7z\xbc\xaf|^Rar!/, "it is a packed archive", "unpack it first"],
  [/^\x89HDF/, "it is an HDF5 file (Keras, MATLAB 7.3)", SAVE],
  [/^MATLAB 5\.0/, "it is a MATLAB .mat file", "give the text export as a folder, or a .pth file"],
  [/^\x93NUMPY/, "it is a NumPy array", SAVE],
  [/^[^]{8}\{/, "it is a safetensors file", SAVE],
  [/^\x08[\x01-\x20]/, "it is an ONNX model", "use models import onnx"],
  [
    /^[^]{257}ustar/,
    "it is a tar archive (PyTorch 0.1 saved so)",
    "save it again with a current PyTorch",
  ],
  [/^PK\x05\x06/, "it is an empty zip archive", SAVE],
  [/^PK/, "it begins like a zip archive and is none", "it is cut short or damaged: fetch it again"],
];

/** @throws {ModelError} always: what the file is, by its first bytes. */
export function refuseForeign(source: ByteSource): never {
  if (source.length === 0) source.refuse("it is empty", "fetch it again");
  const bytes = source.read(0, Math.min(512, source.length));
  const head = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  for (const [pattern, what, advice] of SIGNATURES) {
    if (pattern.test(head)) source.refuse(what, advice);
  }
  const first = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
  return source.refuse(
    `it begins with the bytes ${first.join(" ")}, as no PyTorch file does`,
    SAVE,
  );
}
