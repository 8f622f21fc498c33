/**
 * Fetching one file: streamed to disk, continued where it broke off, checked, and only then given its name.
 *
 * @module
 */

import { dirname } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import { DiskError, Part } from "./part.ts";
import { type Answer, ask, closeBody, type Route, shown } from "./request.ts";
import { defined } from "../base/defined.ts";

/** A file could not be fetched. The message is one line: which address, what happened, what to do. */
export class DownloadError extends UsageError {
  override name = "DownloadError";
  /**
   * @param kind `transient`: another time it may work (also where no connection was made); `permanent`: the address does not hold it.
   * @param status of the HTTP answer, where there was one.
   * @param reached whether anything answered at all.
   */
  constructor(
    url: string,
    /** What happened, without the address. */
    readonly reason: string,
    whatToDo: string,
    readonly kind: "transient" | "permanent",
    readonly status?: number,
    readonly reached = true,
  ) {
    super(`Cannot fetch ${shown(url)}: ${reason}; ${whatToDo}`);
  }
}

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes on disk, those of an earlier attempt included. */
  readonly received: number;
  /** Bytes of the whole file, where they are known. */
  readonly total?: number;
}

/** How to fetch. */
export interface DownloadOptions extends Route {
  /** The file's exact length. */
  readonly expectedBytes?: number;
  /** Its SHA-256, as 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Longer files are refused. Default: no limit. */
  readonly maxBytes?: number;
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Looks at the whole file before it gets its name; what it throws is the reason why it does not. */
  readonly verify?: (file: string) => Promise<void>;
  /**
   * Milliseconds to wait before each further attempt after a transient failure; their number is the number of attempts.
   * A mebibyte of progress starts them over. Default: 1, 4, 15 and 30 s.
   */
  readonly delays?: readonly number[];
  /** A transient failure, and how many milliseconds are waited before the next attempt. */
  readonly onWait?: (reason: string, milliseconds: number) => void;
  /** A server that asks for a longer pause (`Retry-After`) is given up, milliseconds. Default: two minutes. */
  readonly maxPause?: number;
}

/** A file that was fetched. */
export interface Downloaded {
  readonly bytes: number;
  readonly sha256: string;
  /** Where it came from in the end, after redirects. */
  readonly url: string;
}

/** Progress that makes a server trustworthy again. */
const MEBIBYTE = 1 << 20;
/**
 * Fetches a file.
 *
 * What has arrived lies in `FILE.part`, with `FILE.part.json` saying what it is a part of; a later call continues there by a range
 * request, if the server says that the file is still the same. A server that ignores the range, or answers with another one, is
 * asked for the whole file. The file gets its name only when its length (the expected one, or the one that the server states) and
 * its SHA-256 (where given) are right, it is not a web page, and `verify` accepts it: a wrong file never has the name.
 *
 * Transient failures (no connection, connection lost or silent, status 408, 425, 429, 5xx) are repeated after `delays`, or what
 * `Retry-After` asks for.
 *
 * @throws {DownloadError} with the reason.
 * @throws the signal's reason when it is aborted.
 */
export async function download(
  url: string,
  file: string,
  options: DownloadOptions = {},
): Promise<Downloaded> {
  const { delays = [1000, 4000, 15000, 30000], maxPause = 120_000, signal } = options;
  await Deno.mkdir(dirname(file), { recursive: true });
  const part = new Part(file, url);
  await part.open();
  try {
    let attempt = 0, mark = part.length;
    while (true) {
      try {
        const last = await fetchRest(url, part, options);
        await finish(url, file, part, options);
        return { bytes: part.length, sha256: part.hash.copy().digest("hex"), url: last };
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof Broken)) throw error;
        if (part.length >= mark + MEBIBYTE) attempt = 0;
        mark = Math.max(mark, part.length);
        if (attempt >= delays.length || (error.pause ?? 0) > maxPause) {
          const wait = error.pause === undefined
            ? "try again later; what has arrived is kept"
            : `it asks to wait ${Math.ceil(error.pause / 1000)} s; try again then`;
          throw new DownloadError(
            url,
            error.message,
            wait,
            "transient",
            error.status,
            error.reached,
          );
        }
        const wait = Math.max(delays[attempt++], error.pause ?? 0);
        options.onWait?.(error.message, wait);
        await pause(wait, signal);
      }
    }
  } finally {
    await part.close();
  }
}

/** A transient failure. */
class Broken extends Error {
  constructor(
    message: string,
    readonly status?: number,
    readonly reached = true,
    readonly pause?: number,
  ) {
    super(message);
  }
}

/** One attempt: asks for what is missing and writes it. @returns the address after redirects. */
async function fetchRest(url: string, part: Part, options: DownloadOptions): Promise<string> {
  let answer = await request(url, options, part.rangeHeaders());
  if (part.length > 0 && answer.response.status === 200) await part.restart();
  else if (part.length > 0 && !continues(answer, part.length)) {
    await closeBody(answer.response);
    answer.end();
    if (isComplete(answer.response, part.length)) return answer.url;
    await part.restart();
    answer = await request(url, options, {});
  }
  const { response } = answer;
  try {
    if (response.status !== 200 && !(response.status === 206 && part.length > 0)) {
      refuseStatus(url, response);
    }
    const type = response.headers.get("content-type") ?? "";
    if (/^\s*(text\/html|application\/xhtml)/i.test(type)) {
      throw permanent(url, `a web page (${type.split(";")[0]}) came instead of the file`);
    }
    const total = totalLength(response, part.length);
    checkLength(url, total, options);
    if (packing(response)) await part.forget();
    else await part.remember(url, response);
    await receive(url, part, answer, total, options);
    return answer.url;
  } finally {
    await closeBody(response);
    answer.end();
  }
}

async function request(
  url: string,
  options: DownloadOptions,
  range: Record<string, string>,
): Promise<Answer> {
  const answer = await ask(url, options, range);
  if ("refused" in answer) throw permanent(url, answer.refused);
  if ("failed" in answer) throw new Broken(answer.failed, undefined, false);
  return answer;
}

/** Whether an answer begins where the part ends, or is a failure after which another may. */
function continues({ response }: Answer, length: number): boolean {
  if (response.status !== 206) return response.status !== 416;
  return contentRange(response)?.start === length && !packing(response);
}

/** Whether the server says that nothing is missing: an earlier call ended between the last byte and the renaming. */
function isComplete({ status, headers }: Response, length: number): boolean {
  const match = /^\s*bytes\s+\*\/(\d+)\s*$/i.exec(headers.get("content-range") ?? "");
  return status === 416 && Number(match?.[1]) === length;
}

/** How the content is packed, although it was asked for unpacked. */
function packing({ headers }: Response): string | undefined {
  const text = headers.get("content-encoding")?.trim().toLowerCase();
  return text && text !== "identity" ? text : undefined;
}

/** The file's own bytes. */
function unpacked(url: string, response: Response): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  const format = packing(response);
  if (format === undefined || response.body === null) return response.body;
  if (format !== "gzip" && format !== "deflate") {
    throw permanent(url, `it comes packed as ${JSON.stringify(format)}`);
  }
  return response.body.pipeThrough(new DecompressionStream(format));
}

function contentRange(response: Response): { start: number; total?: number } | undefined {
  const match = /^\s*bytes\s+(\d+)-(\d+)\/(\d+|\*)\s*$/i
    .exec(response.headers.get("content-range") ?? "");
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  const total = match[3] === "*" ? undefined : Number(match[3]);
  if (end < start || (total !== undefined && end >= total)) return undefined;
  return { start, ...defined({ total }) };
}

/** The length of the whole file as the server states it. */
function totalLength(response: Response, have: number): number | undefined {
  if (response.status === 206) return contentRange(response)?.total;
  // The length of packed content is not the file's; it comes unpacked.
  if (packing(response)) return undefined;
  const text = response.headers.get("content-length");
  return text !== null && /^\d+$/.test(text) ? have + Number(text) : undefined;
}

function checkLength(url: string, total: number | undefined, options: DownloadOptions): void {
  const { expectedBytes, maxBytes } = options;
  if (total === undefined) return;
  if (expectedBytes !== undefined && total !== expectedBytes) {
    throw permanent(url, `it is ${total} bytes long, not ${expectedBytes}`);
  }
  if (maxBytes !== undefined && total > maxBytes) {
    throw permanent(url, `it is ${total} bytes long, over the limit of ${maxBytes}`);
  }
}

async function receive(
  url: string,
  part: Part,
  answer: Answer,
  total: number | undefined,
  options: DownloadOptions,
): Promise<void> {
  const limit = options.expectedBytes ?? total ?? options.maxBytes ?? Infinity;
  const all = options.expectedBytes ?? total;
  const progress = () =>
    options.onProgress?.({ received: part.length, ...defined({ total: all }) });
  progress();
  const body = unpacked(url, answer.response);
  try {
    for await (const chunk of body ?? []) {
      answer.alive();
      if (part.length + chunk.length > limit) {
        await part.restart();
        throw permanent(url, `more than ${limit} bytes came`);
      }
      await part.append(chunk);
      progress();
    }
  } catch (error) {
    if (error instanceof DownloadError || error instanceof DiskError) throw error;
    throw new Broken(
      `${answer.silent() ?? "the connection broke"} after ${part.length}${
        all === undefined ? "" : ` of ${all}`
      } bytes`,
    );
  }
  if (total !== undefined && part.length < total) {
    throw new Broken(`the connection was closed after ${part.length} of ${total} bytes`);
  }
}

function refuseStatus(url: string, response: Response): never {
  const { status } = response;
  const said = `the server answers ${status}${
    response.statusText ? ` ${response.statusText}` : ""
  }`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw new Broken(said, status, true, retryAfter(response));
  }
  throw permanent(url, said, status);
}

/** What `Retry-After` asks for, in milliseconds: seconds or a date. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get("retry-after")?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

function permanent(url: string, what: string, status?: number): DownloadError {
  return new DownloadError(
    url,
    what,
    "check the address, or copy the file there by hand",
    "permanent",
    status,
  );
}

/** Checks the whole file and gives it its name. A wrong one is removed. */
async function finish(
  url: string,
  file: string,
  part: Part,
  options: DownloadOptions,
): Promise<void> {
  const { expectedBytes, sha256, verify } = options;
  const wrong = async (what: string) => {
    await part.restart();
    return permanent(url, what);
  };
  if (expectedBytes !== undefined && part.length !== expectedBytes) {
    throw await wrong(`it is ${part.length} bytes long, not ${expectedBytes}`);
  }
  if (/^\s*(<!doctype\s+html|<html[\s>])/i.test(await part.head())) {
    throw await wrong("a web page came instead of the file");
  }
  const digest = part.hash.copy().digest("hex");
  if (sha256 !== undefined && digest !== sha256.toLowerCase()) {
    throw await wrong(`its SHA-256 is ${digest}, not ${sha256}`);
  }
  try {
    await verify?.(part.path);
  } catch (error) {
    throw await wrong(messageOf(error));
  }
  await part.moveTo(file);
}

/** Waits. @throws the signal's reason when it is aborted. */
function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}
