/**
 * Matrices as text, as MATLAB's `writematrix` prints them: a row a line, values separated by commas, no header; plain or as
 * bzip2. Read as a stream, because one of EmoNet's has some hundred MB.
 *
 * @module
 */

import { messageOf, ModelError, UsageError } from "../../base/errors.ts";
import { decompressBzip2 } from "./bzip2.ts";

/** What a matrix has to be. */
export interface MatrixSize {
  readonly lines: number;
  /** Values in each line. */
  readonly values: number;
  /** Whether these are the most there may be; otherwise there are exactly as many. */
  readonly atMost?: boolean;
}

/** Longest text of one value: a float64 in full has 309 digits before the point, or some more after it. */
const MAX_FIELD = 512;

const LF = 10, CR = 13, SPACE = 32, PLUS = 43, COMMA = 44, MINUS = 45, POINT = 46;
const ZERO = 48, NINE = 57, UPPER_E = 69, LOWER_E = 101;

/**
 * Opens a text file, or one that ends in `.bz2`, as chunks of bytes. The file is closed when the chunks end or are given up.
 *
 * @throws {UsageError} when the file cannot be opened.
 * @throws {SyntaxError} for damaged bzip2 data, while it is read.
 */
export function* openText(path: string): Generator<Uint8Array> {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
  try {
    const read = (into: Uint8Array) => file.readSync(into) ?? 0;
    yield* path.endsWith(".bz2") ? decompressBzip2(read) : chunksOf(read);
  } finally {
    file.close();
  }
}

function* chunksOf(read: (into: Uint8Array) => number): Generator<Uint8Array> {
  const buffer = new Uint8Array(1 << 16);
  for (let length = read(buffer); length > 0; length = read(buffer)) {
    yield buffer.subarray(0, length);
  }
}

/**
 * Reads the rows of a matrix; each is valid only until the next one is asked for. Values are parsed as float64 and rounded to
 * float32.
 *
 * Lines end in LF or CRLF, the last one may lack it; spaces may surround a value. Reading stops at the first thing that is
 * wrong, so that a line without end costs no memory.
 *
 * @param origin the file's name, for messages
 * @throws {ModelError} for what is not a decimal number or not finite in float32, an empty line, and any number of lines or
 * values other than the matrix has; and for damaged bzip2 data.
 */
export function* readMatrix(
  chunks: Iterable<Uint8Array>,
  origin: string,
  size: MatrixSize,
): Generator<Float32Array> {
  const { lines, values, atMost = false } = size;
  const refuse = (why: string) => {
    const rule = `${lines} ${lines === 1 ? "line" : "lines"} of ${values} ` +
      `${values === 1 ? "value" : "values"}${atMost ? " at most" : ""}, separated by commas`;
    return new ModelError(`Cannot read ${origin}: ${why}; it must hold ${rule}`);
  };
  // Grows with what is read: a size that is only announced costs nothing.
  let row = new Float32Array(Math.min(values, 1 << 12));
  const held = new Uint8Array(MAX_FIELD);
  let line = 0, column = 0, heldLength = 0;

  const take = (bytes: Uint8Array, from: number, to: number, ends: boolean) => {
    if (ends && to > from && bytes[to - 1] === CR) to--;
    if (line === lines) throw refuse(`there is more after line ${lines}`);
    if (ends && column === 0 && to === from) throw refuse(`line ${line + 1} is empty`);
    if (column === values) throw refuse(`line ${line + 1} has more than ${values} values`);
    const value = Math.fround(parseDecimal(bytes, from, to));
    // Infinity and NaN
    if (!(Math.abs(value) < Infinity)) {
      const text = JSON.stringify(latin1(bytes, from, Math.min(to, from + 40)));
      const kind = isDecimal(latin1(bytes, from, to).trim())
        ? "is too large for a float32"
        : "is not a number";
      throw refuse(`line ${line + 1}, value ${column + 1}: ${text} ${kind}`);
    }
    if (column === row.length) {
      const longer = new Float32Array(Math.min(values, 2 * row.length));
      longer.set(row);
      row = longer;
    }
    row[column++] = value;
  };
  const endLine = () => {
    if (column !== values && !atMost) throw refuse(`line ${line + 1} has ${column} values`);
    const done = row.subarray(0, column);
    line++;
    column = 0;
    return done;
  };

  for (const chunk of whole(chunks, origin)) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte !== COMMA && byte !== LF) continue;
      if (heldLength > 0) {
        hold(chunk, from, i);
        take(held, 0, heldLength, byte === LF);
        heldLength = 0;
      } else {
        take(chunk, from, i, byte === LF);
      }
      from = i + 1;
      if (byte === LF) yield endLine();
    }
    hold(chunk, from, chunk.length);
  }
  if (heldLength > 0 || column > 0) {
    take(held, 0, heldLength, true);
    yield endLine();
  }
  if (line === 0 || line !== lines && !atMost) throw refuse(`it has ${line} lines`);

  function hold(bytes: Uint8Array, from: number, to: number): void {
    if (heldLength + to - from > MAX_FIELD) {
      throw refuse(`line ${line + 1}, value ${column + 1} is longer than ${MAX_FIELD} characters`);
    }
    held.set(bytes.subarray(from, to), heldLength);
    heldLength += to - from;
  }
}

/** The chunks, with what is wrong with their compression said of the file. */
function* whole(chunks: Iterable<Uint8Array>, origin: string): Generator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ModelError(`Cannot read ${origin}: ${messageOf(error)}; get the file again`);
  }
}

/** Powers of ten that a float64 holds exactly. */
const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Below this a whole number can take another digit and stay below 2^53. */
const ROOM_FOR_DIGIT = 900_719_925_474_098;

/**
 * A decimal number among bytes, NaN if there is none: Number() would take "", "0x10" and "Infinity" too.
 *
 * Up to fifteen digits and powers to 10^22 are one correctly rounded operation on exact numbers (W. Clinger, "How to read
 * floating point numbers accurately", 1990); the rest is left to Number().
 */
export function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  while (from < to && bytes[from] === SPACE) from++;
  while (from < to && bytes[to - 1] === SPACE) to--;
  let i = from, digits = 0, mantissa = 0, scale = 0, exponent = 0;
  const sign = bytes[i];
  if (i < to && (sign === MINUS || sign === PLUS)) i++;
  let point = false;
  for (; i < to; i++) {
    const byte = bytes[i];
    if (byte === POINT && !point) {
      point = true;
    } else if (byte >= ZERO && byte <= NINE) {
      if (mantissa > ROOM_FOR_DIGIT) return slowDecimal(bytes, from, to);
      mantissa = mantissa * 10 + (byte - ZERO);
      digits++;
      if (point) scale--;
    } else {
      break;
    }
  }
  if (digits === 0) return NaN;
  if (i < to) {
    if (bytes[i] !== UPPER_E && bytes[i] !== LOWER_E) return NaN;
    i++;
    const negative = bytes[i] === MINUS;
    if (i < to && (negative || bytes[i] === PLUS)) i++;
    if (i === to) return NaN;
    for (; i < to; i++) {
      const byte = bytes[i];
      if (byte < ZERO || byte > NINE) return NaN;
      exponent = exponent * 10 + (byte - ZERO);
    }
    if (negative) exponent = -exponent;
  }
  scale += exponent;
  if (mantissa !== 0 && Math.abs(scale) > 22) return slowDecimal(bytes, from, to);
  const size = mantissa === 0
    ? 0
    : scale < 0
    ? mantissa / EXACT_POWERS[-scale]
    : mantissa * EXACT_POWERS[scale];
  return sign === MINUS ? -size : size;
}

function slowDecimal(bytes: Uint8Array, from: number, to: number): number {
  const text = latin1(bytes, from, to);
  return isDecimal(text) ? Number(text) : NaN;
}

function isDecimal(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text);
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
