/**
 * The zip container of torch.save: stored entries at positions of a file, found through the central directory.
 *
 * Strict where a lenient reader could be led astray: the directory must end where the end record begins, each entry's
 * local header must be there and name the same entry, no two entries may overlap or share a name, and no name may leave its
 * folder. Sizes come from the central directory (torch.save leaves them 0 in the local headers), the start of the data from
 * the local header (its padding to 64 bytes sits in the extra field there). CRCs are not compared: PyTorch does not either,
 * and writes files without them (`torch.serialization.set_crc32_options`).
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
 *
 * @module
 */

import { wholeText } from "../../base/number_text.ts";
import { type ByteSource, quoted } from "./source.ts";

/** A stored entry: where its bytes lie. */
export interface ZipEntry {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
  /** The count as the file has it. */
  readonly announced: string;
}

interface Listed {
  readonly name: string;
  readonly rawName: Uint8Array;
  readonly header: number;
  readonly size: number;
}

const END = 0x06054b50;
const END_SIZE = 22;
const END64 = 0x06064b50;
const END64_SIZE = 56;
const LOCATOR = 0x07064b50;
const LOCATOR_SIZE = 20;
const CENTRAL = 0x02014b50;
const CENTRAL_SIZE = 46;
const LOCAL = 0x04034b50;
const LOCAL_SIZE = 30;
const ALL16 = 0xffff;
const ALL32 = 0xffffffff;
/** More entries than any model has tensors; their records would outgrow a small file. */
const MAX_ENTRIES = 30_000;
const DAMAGED = "it is cut short or damaged: fetch it again";

/**
 * Lists the entries of a zip archive by name, in the order of their data; folders are entries without data.
 *
 * @throws {ModelError} when it is not a well-formed archive of stored entries.
 */
export function readZip(source: ByteSource): Map<string, ZipEntry> {
  const directory = findDirectory(source);
  const listed = readDirectory(source, directory);
  // In the order of the file, so that overlaps show.
  listed.sort((a, b) => a.header - b.header);
  const entries = new Map<string, ZipEntry>();
  let end = 0;
  for (const entry of listed) {
    const { name, header, size } = entry;
    if (entries.has(name)) {
      refuse(source, `entry ${quoted(name)} is there twice`, "it is damaged or hostile");
    }
    if (header < end) refuse(source, `entry ${quoted(name)} overlaps another`);
    const offset = dataStart(source, entry, directory.offset);
    entries.set(name, { name, offset, size });
    end = offset + size;
  }
  return entries;
}

function refuse(source: ByteSource, met: string, advice = DAMAGED): never {
  source.refuse(`as a zip archive, ${met}`, advice);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit field; beyond 2^53 it is rounded, which every bound below refuses all the same, and says so. */
function wide(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** The one end record that closes the file and follows its directory; a comment may look like another. */
function findDirectory(source: ByteSource): Directory {
  const length = Math.min(source.length, END_SIZE + 0xffff);
  const start = source.length - length;
  const view = viewOf(source.read(start, length));
  const found: Directory[] = [];
  for (let at = length - END_SIZE; at >= 0; at--) {
    if (view.getUint32(at, true) !== END) continue;
    if (at + END_SIZE + view.getUint16(at + 20, true) !== length) continue;
    const record = new DataView(view.buffer, view.byteOffset + at, END_SIZE);
    const directory = directoryBefore(source, start + at, record);
    if (directory) found.push(directory);
  }
  if (found.length !== 1) {
    refuse(
      source,
      found.length === 0
        ? "it has no end record that follows its directory and closes the file"
        : "it has two end records",
    );
  }
  const [directory] = found as [Directory];
  if (directory.count > MAX_ENTRIES) refuse(source, `it has ${directory.announced} entries`);
  return directory;
}

/** The directory that an end record at `at` describes, if it lies right before it. */
function directoryBefore(source: ByteSource, at: number, end: DataView): Directory | undefined {
  const [disk, first] = [end.getUint16(4, true), end.getUint16(6, true)];
  const [here, count] = [end.getUint16(8, true), end.getUint16(10, true)];
  const [size, offset] = [end.getUint32(12, true), end.getUint32(16, true)];
  const wider = wideRecord(source, at);
  const directory = wider ? wider.directory : { offset, size, count, announced: String(count) };
  const agrees = (field: number, all: number, value: number) =>
    field === value || wider !== undefined && field === all;
  if (
    !agrees(disk, ALL16, 0) || !agrees(first, ALL16, 0) ||
    !agrees(here, ALL16, directory.count) || !agrees(count, ALL16, directory.count) ||
    !agrees(size, ALL32, directory.size) || !agrees(offset, ALL32, directory.offset)
  ) return undefined;
  return directory.offset + directory.size === (wider?.at ?? at) ? directory : undefined;
}

/** The zip64 end record that a locator right before the end record points at. */
function wideRecord(
  source: ByteSource,
  end: number,
): { readonly at: number; readonly directory: Directory } | undefined {
  const locatorAt = end - LOCATOR_SIZE;
  if (locatorAt < END64_SIZE) return undefined;
  const locator = viewOf(source.read(locatorAt, LOCATOR_SIZE));
  if (locator.getUint32(0, true) !== LOCATOR) return undefined;
  const at = wide(locator, 8);
  if (locator.getUint32(4, true) !== 0 || locator.getUint32(16, true) > 1) return undefined;
  if (!(at <= locatorAt - END64_SIZE)) return undefined;
  const record = viewOf(source.read(at, END64_SIZE));
  if (record.getUint32(0, true) !== END64 || at + 12 + wide(record, 4) !== locatorAt) {
    return undefined;
  }
  if (record.getUint32(16, true) !== 0 || record.getUint32(20, true) !== 0) return undefined;
  const [here, count] = [wide(record, 24), wide(record, 32)];
  if (here !== count) return undefined;
  const announced = String(record.getBigUint64(32, true));
  return { at, directory: { count, announced, size: wide(record, 40), offset: wide(record, 48) } };
}

function readDirectory(source: ByteSource, directory: Directory): Listed[] {
  if (directory.count * CENTRAL_SIZE > directory.size) {
    refuse(
      source,
      `${directory.announced} entries are announced in ${wholeText(directory.size)} bytes`,
    );
  }
  const bytes = source.read(directory.offset, directory.size);
  const view = viewOf(bytes);
  const listed: Listed[] = [];
  let at = 0;
  for (let i = 0; i < directory.count; i++) {
    if (at + CENTRAL_SIZE > bytes.length || view.getUint32(at, true) !== CENTRAL) {
      refuse(
        source,
        `its directory breaks off after ${i} of ${wholeText(directory.count)} entries`,
      );
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + CENTRAL_SIZE + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) {
      refuse(source, `its directory breaks off in entry ${i} of ${wholeText(directory.count)}`);
    }
    const nameEnd = at + CENTRAL_SIZE + nameLength;
    const rawName = bytes.subarray(at + CENTRAL_SIZE, nameEnd);
    const name = nameOf(source, rawName);
    const record = new DataView(view.buffer, view.byteOffset + at, CENTRAL_SIZE);
    const extra = viewOf(bytes.subarray(nameEnd, nameEnd + extraLength));
    listed.push({ name, rawName, ...fieldsOf(source, name, record, extra) });
    at = next;
  }
  if (at !== bytes.length) {
    refuse(source, `its directory has ${bytes.length - at} bytes more than its entries`);
  }
  return listed;
}

/** A name that stays in its folder: "a/b/c", at most one slash at the end. */
function nameOf(source: ByteSource, raw: Uint8Array): string {
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    // Older writers used the machine's own encoding; each byte is then taken as it is.
    name = Array.from(raw, (byte) => String.fromCharCode(byte)).join("");
  }
  const parts = name.replace(/\/$/, "").split("/");
  // deno-lint-ignore no-control-regex
  if (/[\\\u0000-\u001f]/.test(name) || parts.some((p) => p === "" || p === "." || p === "..")) {
    refuse(source, `it has an entry named ${quoted(name)}`, "no such name is in a PyTorch file");
  }
  return name;
}

function fieldsOf(
  source: ByteSource,
  name: string,
  record: DataView,
  extra: DataView,
): { readonly header: number; readonly size: number } {
  const flags = record.getUint16(8, true);
  // Bits 0, 6 and 13: encrypted, strongly encrypted, masked headers.
  if (flags & 0x2041) refuse(source, `entry ${quoted(name)} is encrypted`, "decrypt it first");
  const method = record.getUint16(10, true);
  if (method !== 0) {
    refuse(
      source,
      `entry ${quoted(name)} is compressed (method ${method})`,
      "torch.save stores: pack it again without compression (zip -0), or fetch the original",
    );
  }
  let packed = record.getUint32(20, true);
  let size = record.getUint32(24, true);
  let disk = record.getUint16(34, true);
  let header = record.getUint32(42, true);
  const missing = [size === ALL32, packed === ALL32, header === ALL32, disk === ALL16];
  if (missing.includes(true)) {
    const values = wideFields(source, name, extra, missing);
    [size, packed, header, disk] = [size, packed, header, disk].map((field, i) =>
      missing[i] ? values.shift()! : field
    ) as [number, number, number, number];
  }
  if (disk !== 0) refuse(source, `entry ${quoted(name)} is in another part`, "join the parts");
  if (packed !== size) {
    refuse(
      source,
      `stored entry ${quoted(name)} has two sizes, ${wholeText(packed)} and ${wholeText(size)}`,
    );
  }
  return { header, size };
}

/** The fields of a zip64 extra block: those that are all ones in the record, in this order. */
function wideFields(
  source: ByteSource,
  name: string,
  extra: DataView,
  missing: readonly boolean[],
): number[] {
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const length = extra.getUint16(at + 2, true);
    const end = at + 4 + length;
    if (end > extra.byteLength) break;
    if (extra.getUint16(at, true) === 1) {
      const values: number[] = [];
      let field = at + 4;
      for (const [i, is] of missing.entries()) {
        const bytes = i === 3 ? 4 : 8;
        if (!is) continue;
        if (field + bytes > end) break;
        values.push(bytes === 4 ? extra.getUint32(field, true) : wide(extra, field));
        field += bytes;
      }
      if (values.length === missing.filter((is) => is).length) return values;
    }
    at = end;
  }
  return refuse(source, `entry ${quoted(name)} lacks its zip64 sizes`);
}

/** Where an entry's data starts, after checking its local header and that the data lies before the directory. */
function dataStart(source: ByteSource, entry: Listed, directory: number): number {
  const { header, name, rawName, size } = entry;
  if (!(header + LOCAL_SIZE + rawName.length <= directory)) {
    refuse(source, `entry ${quoted(name)} lies outside, at byte ${wholeText(header)}`);
  }
  const local = source.read(header, LOCAL_SIZE + rawName.length);
  const view = viewOf(local);
  if (view.getUint32(0, true) !== LOCAL) {
    refuse(source, `entry ${quoted(name)} is not at byte ${wholeText(header)}`);
  }
  const sameName = view.getUint16(26, true) === rawName.length &&
    rawName.every((byte, i) => local[LOCAL_SIZE + i] === byte);
  if (!sameName || view.getUint16(8, true) !== 0) {
    refuse(source, `entry ${quoted(name)} is described differently at byte ${wholeText(header)}`);
  }
  const start = header + LOCAL_SIZE + rawName.length + view.getUint16(28, true);
  if (!(start + size <= directory)) {
    refuse(
      source,
      `entry ${quoted(name)} of ${wholeText(size)} bytes at byte ${wholeText(start)} does not fit`,
    );
  }
  return start;
}
