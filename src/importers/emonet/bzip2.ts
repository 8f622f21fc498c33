/**
 * Decompression of bzip2 data as a stream.
 *
 * Our own, because the packages there are do not serve: `seek-bzip` takes a file for whole that was cut between two blocks and needs
 * a call for every byte; `unbzip2-stream` takes an empty file for whole and holds a block's output as a list of numbers, so that a
 * file of 10 kB can demand half a gigabyte. This one checks everything there is to check and holds one block.
 *
 * Source: the format as bzip2 1.0.8 writes it (J. Seward); there is no other specification.
 *
 * @module
 */

/** Fills a part of the array from its start and says how many bytes; 0 at the end of the data. */
export type ReadBytes = (into: Uint8Array) => number;

/** Bytes of output that are handed on at once. */
const CHUNK = 1 << 16;
const MAX_CODE_LENGTH = 20;
/** Codes up to this length are looked up at once. */
const TABLE_BITS = 10;
/** Symbols for which one Huffman table is used. */
const GROUP_SIZE = 50;
const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;

/**
 * Decompresses bzip2 data: any number of streams one after the other, as bzip2 and Python read them.
 *
 * @returns chunks of at most 64 kB; each is valid only until the next one is asked for.
 * @throws {SyntaxError} when the data are not bzip2, are cut off or damaged (all checksums are compared), go on with something
 * else after the last stream, or use the randomised blocks of bzip2 0.9.
 */
export function* decompressBzip2(read: ReadBytes): Generator<Uint8Array> {
  const input = new BitReader(read);
  const output = new Uint8Array(CHUNK);
  let entries = new Uint32Array(0);
  for (let first = true; first || !input.atEnd(); first = false) {
    const size = readHeader(input, first);
    if (entries.length < size) entries = new Uint32Array(size);
    let streamSum = 0;
    for (;;) {
      const magic = [input.bits(24), input.bits(24)] as const;
      const stored = input.word();
      if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) {
        if (stored !== streamSum) throw damaged("the stream's checksum differs");
        break;
      }
      if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) throw damaged("no block");
      const block = readBlock(input, entries.subarray(0, size));
      let sum = -1;
      for (let length = fill(block, output); length > 0; length = fill(block, output)) {
        sum = checksum(sum, output, length);
        yield output.subarray(0, length);
      }
      if (~sum >>> 0 !== stored) throw damaged("a block's checksum differs");
      streamSum = ((streamSum << 1 | streamSum >>> 31) ^ stored) >>> 0;
    }
  }
}

function damaged(why: string): SyntaxError {
  return new SyntaxError(`Cannot decompress bzip2 data: ${why}`);
}

/** "BZh" and the block size; gives the block size in bytes. */
function readHeader(input: BitReader, first: boolean): number {
  input.align();
  if (input.bits(24) !== 0x425a68) {
    throw damaged(first ? "it does not begin with BZh" : "something else follows the last stream");
  }
  const level = input.bits(8) - 0x30;
  if (level < 1 || level > 9) throw damaged("its block size is not 1 to 9");
  return level * 100_000;
}

/** A stream of bits, the first in the highest place. */
class BitReader {
  readonly #read: ReadBytes;
  readonly #buffer = new Uint8Array(1 << 16);
  #next = 0;
  #end = 0;
  /** The bits that were read ahead, in the low places. */
  #held = 0;
  #count = 0;

  constructor(read: ReadBytes) {
    this.#read = read;
  }

  #refill(): boolean {
    this.#end = this.#read(this.#buffer);
    this.#next = 0;
    return this.#end > 0;
  }

  /** The next bits without passing over them, at most 24. */
  peek(bits: number): number {
    while (this.#count < bits) {
      if (this.#next === this.#end && !this.#refill()) throw damaged("it is cut off");
      this.#held = this.#held << 8 | this.#buffer[this.#next++];
      this.#count += 8;
    }
    return this.#held >>> (this.#count - bits) & ((1 << bits) - 1);
  }

  skip(bits: number): void {
    this.#count -= bits;
  }

  /** The next 0 … 24 bits. */
  bits(bits: number): number {
    const value = this.peek(bits);
    this.#count -= bits;
    return value;
  }

  bit(): boolean {
    return this.bits(1) === 1;
  }

  /** The next 32 bits, unsigned. */
  word(): number {
    const high = this.bits(16);
    return (high << 16 | this.bits(16)) >>> 0;
  }

  /** Passes over the rest of a byte. */
  align(): void {
    this.#count -= this.#count % 8;
  }

  /** Whether no whole byte is left. */
  atEnd(): boolean {
    return this.#count < 8 && this.#next === this.#end && !this.#refill();
  }
}

/** A block whose Burrows–Wheeler transform can be undone, and how far that has got. */
interface Block {
  /** In each entry the byte (low 8 bits) and the place of the next entry. */
  readonly entries: Uint32Array;
  entry: number;
  left: number;
  /** The byte that runs, how often it came, and how often it is still to be repeated. */
  last: number;
  run: number;
  copies: number;
}

function readBlock(input: BitReader, entries: Uint32Array): Block {
  if (input.bit()) {
    throw damaged("it uses randomised blocks, which bzip2 has not written since 1999");
  }
  const origin = input.bits(24);
  const symbols = readSymbols(input);
  const tableCount = input.bits(3);
  if (tableCount < 2 || tableCount > 6) throw damaged("a block has no Huffman tables");
  const selectors = readSelectors(input, tableCount);
  const tables = Array.from({ length: tableCount }, () => readTable(input, symbols.length + 2));
  const counts = new Uint32Array(256);
  const length = readEntries(input, { symbols, selectors, tables }, entries, counts);
  if (origin >= length) throw damaged("a block begins outside itself");
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte];
    counts[byte] = sum;
    sum += count;
  }
  for (let i = 0; i < length; i++) {
    const place = counts[entries[i] & 255]++;
    entries[place] = entries[place] | i << 8;
  }
  return { entries, entry: entries[origin], left: length, last: -1, run: 0, copies: 0 };
}

/** The bytes that occur in a block, in ascending order. */
function readSymbols(input: BitReader): Uint8Array {
  const symbols: number[] = [];
  const parts = input.bits(16);
  for (let part = 0; part < 16; part++) {
    if (!(parts >> (15 - part) & 1)) continue;
    const bytes = input.bits(16);
    for (let i = 0; i < 16; i++) if (bytes >> (15 - i) & 1) symbols.push(part * 16 + i);
  }
  if (symbols.length === 0) throw damaged("a block has no symbols");
  return Uint8Array.from(symbols);
}

/** Which table each group of symbols uses; moved to the front and in unary. */
function readSelectors(input: BitReader, tables: number): Uint8Array {
  const count = input.bits(15);
  if (count === 0) throw damaged("a block uses no Huffman table");
  const order = Uint8Array.from({ length: tables }, (_, i) => i);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let place = 0;
    while (input.bit()) if (++place >= tables) throw damaged("a block names a table it lacks");
    selectors[i] = toFront(order, place);
  }
  return selectors;
}

/** Moves an element to the front and gives it. */
function toFront(order: Uint8Array, place: number): number {
  const value = order[place];
  for (let i = place; i > 0; i--) order[i] = order[i - 1];
  order[0] = value;
  return value;
}

/** A canonical Huffman code. */
interface Table {
  /** By the next bits: symbol and length of its code (low 5 bits); 0 where the code is longer. */
  readonly short: Uint16Array;
  /** For each length: the first code after those of this length (of any greater one: none), and symbol index − code. */
  readonly limit: Int32Array;
  readonly offset: Int32Array;
  readonly longest: number;
  /** Symbols by code. */
  readonly sorted: Uint16Array;
}

function readTable(input: BitReader, symbols: number): Table {
  const lengths = new Uint8Array(symbols);
  const counts = new Uint16Array(MAX_CODE_LENGTH + 1);
  let length = input.bits(5);
  for (let i = 0; i < symbols; i++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_LENGTH) throw damaged("a code's length is not 1 to 20");
      if (!input.bit()) break;
      length += input.bit() ? -1 : 1;
    }
    lengths[i] = length;
    counts[length]++;
  }
  const limit = new Int32Array(MAX_CODE_LENGTH + 1);
  const offset = new Int32Array(MAX_CODE_LENGTH + 1);
  const sorted = new Uint16Array(symbols);
  const short = new Uint16Array(1 << TABLE_BITS);
  let code = 0, index = 0, longest = 1;
  for (let l = 1; l <= MAX_CODE_LENGTH; l++) {
    code <<= 1;
    offset[l] = index - code;
    if (counts[l] > 0) longest = l;
    for (let symbol = 0; symbol < symbols; symbol++) {
      if (lengths[symbol] !== l) continue;
      if (code >= 1 << l) throw damaged("a code has more symbols than bits");
      sorted[index++] = symbol;
      if (l <= TABLE_BITS) {
        const from = code << (TABLE_BITS - l);
        short.fill(symbol << 5 | l, from, from + (1 << (TABLE_BITS - l)));
      }
      code++;
    }
    limit[l] = code;
  }
  return { short, limit, offset, longest, sorted };
}

function readSymbol(input: BitReader, { short, limit, offset, longest, sorted }: Table): number {
  // A block is always followed by 80 bits at least, so reading ahead never meets the end of whole data.
  const bits = input.peek(MAX_CODE_LENGTH);
  const found = short[bits >> (MAX_CODE_LENGTH - TABLE_BITS)];
  if (found !== 0) {
    input.skip(found & 31);
    return found >> 5;
  }
  for (let length = TABLE_BITS + 1; length <= longest; length++) {
    const code = bits >> (MAX_CODE_LENGTH - length);
    if (code >= limit[length]) continue;
    input.skip(length);
    return sorted[code + offset[length]];
  }
  throw damaged("a code has no meaning");
}

/** Undoes the Huffman code, the moving to front and the runs in it; gives the number of bytes. */
function readEntries(
  input: BitReader,
  { symbols, selectors, tables }: {
    symbols: Uint8Array;
    selectors: Uint8Array;
    tables: readonly Table[];
  },
  entries: Uint32Array,
  counts: Uint32Array,
): number {
  const order = symbols.slice();
  const end = symbols.length + 1;
  let length = 0, run = 0, weight = 1;
  for (let group = 0; group < selectors.length; group++) {
    const table = tables[selectors[group]];
    for (let i = 0; i < GROUP_SIZE; i++) {
      const symbol = readSymbol(input, table);
      if (symbol <= 1) {
        // A run's length in digits 1 and 2 of base 2, the lowest first.
        run += weight << symbol;
        weight <<= 1;
        if (run > entries.length) throw damaged("a block is longer than it may be");
        continue;
      }
      if (run > 0) {
        if (length + run > entries.length) throw damaged("a block is longer than it may be");
        entries.fill(order[0], length, length + run);
        counts[order[0]] += run;
        length += run;
        run = 0;
        weight = 1;
      }
      if (symbol === end) return length;
      if (length === entries.length) throw damaged("a block is longer than it may be");
      const byte = toFront(order, symbol - 1);
      entries[length++] = byte;
      counts[byte]++;
    }
  }
  throw damaged("a block does not end");
}

/** Goes on with undoing the transform, and the runs after it, until the output is full or the block ends; gives the length. */
function fill(block: Block, output: Uint8Array): number {
  const { entries } = block;
  let { entry, left, last, run, copies } = block;
  let length = 0;
  while (length < output.length) {
    if (copies > 0) {
      const count = Math.min(copies, output.length - length);
      output.fill(last, length, length + count);
      length += count;
      copies -= count;
      continue;
    }
    if (left === 0) break;
    left--;
    entry = entries[entry >>> 8];
    const byte = entry & 255;
    if (run === 4) {
      // Four of a kind are followed by the number of further ones.
      copies = byte;
      run = 0;
      continue;
    }
    run = byte === last ? run + 1 : 1;
    last = byte;
    output[length++] = byte;
  }
  Object.assign(block, { entry, left, last, run, copies });
  return length;
}

/** CRC-32 with the highest bit first, polynomial 0x04C11DB7. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum < 0 ? sum << 1 ^ 0x04c11db7 : sum << 1;
  return sum;
});

function checksum(sum: number, bytes: Uint8Array, length: number): number {
  for (let i = 0; i < length; i++) sum = sum << 8 ^ CRC_TABLE[(sum >>> 24) ^ bytes[i]];
  return sum;
}
