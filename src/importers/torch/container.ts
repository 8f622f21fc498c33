/**
 * The two containers of torch.save, read up to the object they hold and the places of its storages.
 *
 * @module
 */

import { readLegacy } from "./legacy.ts";
import { readPickle } from "./pickle.ts";
import { refuseForeign } from "./foreign.ts";
import { type ByteSource, Cursor, quoted } from "./source.ts";
import { TorchBuilder } from "./torch_builder.ts";
import { Budget, type Value } from "./values.ts";
import { readZip, type ZipEntry } from "./zip_archive.ts";

/**
 * What the description of a checkpoint may take in memory beyond the file's own length: enough for a quarter of a
 * million numbers of a training history.
 */
const DESCRIPTION_BYTES = 16 << 20;
const MAX_RECORD = 32;
/** PyTorch's kMaxSupportedFileFormatVersion. */
const MAX_VERSION = 10;

/**
 * The object in a file of torch.save; the storages it names have been found in the file, with the length they should have.
 *
 * @throws {ModelError} for anything that is not such a file, or a malformed or hostile one.
 */
export function readObject(source: ByteSource): Value {
  const budget = new Budget(
    DESCRIPTION_BYTES + source.length,
    (limit) =>
      source.refuse(
        `what its pickle builds needs more than ${limit} bytes`,
        "it is hostile, or has a long history beside the weights: save the state dict alone",
      ),
  );
  const builder = new TorchBuilder(source, budget);
  const head = source.read(0, Math.min(4, source.length));
  if (head.length === 4 && head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4) {
    return readArchive(source, builder, budget);
  }
  if (head[0] === 0x80) return readLegacy(source, builder, budget);
  return refuseForeign(source);
}

function readArchive(source: ByteSource, builder: TorchBuilder, budget: Budget): Value {
  const entries = readZip(source);
  const root = rootOf(source, entries);
  checkVersion(source, entries.get(`${root}version`));
  const bigEndian = isBigEndian(source, entries.get(`${root}byteorder`));
  const pickle = entries.get(`${root}data.pkl`)!;
  const cursor = new Cursor(source, pickle.offset, pickle.offset + pickle.size);
  const object = readPickle(cursor, builder, budget);
  if (cursor.left > 0) {
    source.refuse(
      `${cursor.left} bytes follow the end of its pickle`,
      "it is damaged or hostile: fetch it again from its source",
    );
  }
  for (const storage of builder.storages.values()) {
    const entry = entries.get(`${root}data/${storage.key}`);
    if (!entry) {
      source.refuse(
        `its pickle names storage ${quoted(storage.key)}, which is not in the archive`,
        "it is damaged: fetch it again",
      );
    }
    if (entry.size !== storage.bytes) {
      source.refuse(
        `storage ${
          quoted(storage.key)
        } has ${entry.size} bytes, not the ${storage.bytes} announced`,
        "it is damaged: fetch it again",
      );
    }
    storage.place = { source, offset: entry.offset, bigEndian };
  }
  return object;
}

/** The one folder that everything lies in, with its slash: it must hold the pickle. */
function rootOf(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [first] = pickles;
  if (first === undefined) {
    source.refuse(
      "it is a zip archive without the data.pkl of torch.save",
      "give a .pth file of PyTorch, torch.save(model.state_dict(), FILE)",
    );
  }
  const root = first.slice(0, -"data.pkl".length);
  const stranger = [...entries.keys()].find((name) => !name.startsWith(root));
  if (stranger !== undefined) {
    source.refuse(
      `entry ${quoted(stranger)} lies outside its folder ${quoted(root)}`,
      "one file holds one checkpoint: pack it again without other files",
    );
  }
  if (entries.has(`${root}constants.pkl`)) {
    source.refuse(
      "it is a TorchScript archive, not a state dict",
      "load it with torch.jit.load and save its state_dict()",
    );
  }
  return root;
}

function checkVersion(source: ByteSource, entry: ZipEntry | undefined): void {
  if (!entry) return;
  const text = recordOf(source, entry).trim();
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1 || Number(text) > MAX_VERSION) {
    source.refuse(
      `its format version is ${quoted(text)}, not a number from 1 to ${MAX_VERSION}`,
      "save it again with a current PyTorch",
    );
  }
}

function isBigEndian(source: ByteSource, entry: ZipEntry | undefined): boolean {
  const text = entry ? recordOf(source, entry) : "little";
  if (text !== "little" && text !== "big") {
    source.refuse(
      `its byte order is ${quoted(text)}, neither little nor big`,
      "it is damaged: fetch it again",
    );
  }
  return text === "big";
}

/** The text of a short record. */
function recordOf(source: ByteSource, { name, offset, size }: ZipEntry): string {
  if (size > MAX_RECORD) {
    source.refuse(`record ${quoted(name)} has ${size} bytes`, "it is damaged: fetch it again");
  }
  return new TextDecoder("latin1").decode(source.read(offset, size));
}
