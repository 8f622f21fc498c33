/**
 * The container of torch.save before PyTorch 1.6: five pickles one after the other (magic number, protocol version,
 * system, the object, the list of storage keys), then for each key an int64 count and the elements.
 *
 * The elements are little endian whatever the third pickle says: PyTorch writes and reads them so.
 *
 * Source: PyTorch, `torch/serialization.py` (`_legacy_save`, `_legacy_load`).
 *
 * @module
 */

import { wholeText } from "../../base/number_text.ts";
import { readPickle } from "./pickle.ts";
import { type ByteSource, Cursor, quoted } from "./source.ts";
import type { TorchBuilder } from "./torch_builder.ts";
import { type Budget, kindOf, PyDict, PyList, type Value } from "./values.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const DAMAGED = "it is cut short or damaged: fetch it again";

/**
 * The object of a legacy file; its storages get their places.
 *
 * @throws {ModelError} when any part is missing, longer, or not what the others say.
 */
export function readLegacy(source: ByteSource, builder: TorchBuilder, budget: Budget): Value {
  const cursor = new Cursor(source, 0, source.length);
  const pickle = () => readPickle(cursor, builder, budget);
  if (pickle() !== MAGIC) {
    source.refuse(
      "it is a pickle, but not one of torch.save",
      "give a .pth file of PyTorch, torch.save(model.state_dict(), FILE)",
    );
  }
  const protocol = pickle();
  if (protocol !== PROTOCOL) {
    source.refuse(`its protocol version is ${kindOf(protocol)}, not ${PROTOCOL}`, DAMAGED);
  }
  const system = pickle();
  if (!(system instanceof PyDict)) {
    source.refuse(`it describes its system by ${kindOf(system)}, not a dict`, DAMAGED);
  }
  const object = pickle();
  placeStorages(source, builder, keysOf(source, pickle()), cursor.position);
  return object;
}

function keysOf(source: ByteSource, value: Value): Set<string> {
  if (!(value instanceof PyList)) {
    source.refuse(`its storage keys are ${kindOf(value)}, not a list`, DAMAGED);
  }
  const keys = new Set<string>();
  for (const key of value.items) {
    if (typeof key !== "string" || keys.has(key)) {
      source.refuse(
        `its storage keys hold ${typeof key === "string" ? `${quoted(key)} twice` : kindOf(key)}`,
        DAMAGED,
      );
    }
    keys.add(key);
  }
  return keys;
}

/** Gives each storage the place of its elements, in the order of the key list, up to the end of the file. */
function placeStorages(
  source: ByteSource,
  builder: TorchBuilder,
  keys: ReadonlySet<string>,
  start: number,
): void {
  let offset = start;
  for (const key of keys) {
    const storage = builder.storages.get(key);
    if (!storage) source.refuse(`storage ${quoted(key)} is not named by its pickle`, DAMAGED);
    const view = new DataView(source.read(offset, 8).buffer);
    const count = view.getBigInt64(0, true);
    if (count !== BigInt(storage.count)) {
      source.refuse(
        `storage ${quoted(key)} has ${count} elements, not the ${
          wholeText(storage.count)
        } announced`,
        DAMAGED,
      );
    }
    offset += 8;
    if (offset + storage.bytes > source.length) {
      source.refuse(
        `storage ${quoted(key)} ends at byte ${
          wholeText(offset + storage.bytes)
        } of ${source.length}`,
        DAMAGED,
      );
    }
    storage.place = { source, offset, bigEndian: false };
    offset += storage.bytes;
  }
  for (const { key, place } of builder.storages.values()) {
    if (!place) source.refuse(`storage ${quoted(key)} is not in its list of storages`, DAMAGED);
  }
  if (offset !== source.length) {
    source.refuse(`${source.length - offset} bytes follow its last storage`, DAMAGED);
  }
}
