/**
 * Fetching the images of a corpus from the places where they were found: many hosts, many dead links, never finished in one go.
 *
 * @module
 */

import { join } from "node:path";
import { messageOf, UsageError } from "../base/errors.ts";
import { mapConcurrently } from "../base/concurrency.ts";
import { download, type Downloaded, DownloadError } from "../download/download.ts";
import { Hosts } from "../download/hosts.ts";
import { decodeImage } from "../image/decode.ts";
import { type Failure, FetchLog } from "./fetch_log.ts";
import type { ImageAddresses } from "./image_addresses.ts";
import { isFile } from "../base/files.ts";
import { defined } from "../base/defined.ts";

/** How to fetch. */
export interface FetchImagesOptions {
  /** The corpus's folder. */
  readonly out: string;
  /** Images in progress at a time. */
  readonly concurrency: number;
  /** Requests to one host at a time. */
  readonly perHost: number;
  /** Milliseconds between the beginnings of two requests to one host. */
  readonly pace: number;
  /** Milliseconds before each further attempt after a transient failure. */
  readonly delays: readonly number[];
  /** Whether to ask again for images that were gone at an earlier call. */
  readonly retry?: boolean;
  /** Whether the Internet Archive is asked where all addresses of an image fail. */
  readonly archive?: boolean;
  readonly userAgent: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (counts: FetchCounts) => void;
  /** Milliseconds of silence after which a connection is given up. Default: 30 s. */
  readonly silence?: number;
}

/** How far it is. */
export interface FetchCounts {
  readonly total: number;
  /** Were there already. */
  readonly present: number;
  readonly fetched: number;
  /** Failed now. */
  readonly failed: number;
  /** Gone at an earlier call and not asked for again. */
  readonly skipped: number;
}

/** Longest file that is taken for a photograph. */
const MAX_BYTES = 200e6;
/** Pictures with a side under this are place holders. */
const MIN_SIDE = 16;
/** So many images without any answer from anywhere: there is no network. */
const HOPELESS = 24;
/** Near the date of the list. */
const ARCHIVE = "https://web.archive.org/web/20230901if_/";

/**
 * Fetches images into a folder, each from the first of its addresses that gives a picture. Files that are there are not fetched again.
 *
 * Writes beside them, as it goes and in order at the end, `manifest.csv` (path, bytes, sha256, url of every image of the list that is there)
 * and `failures.csv` (path, url, kind, status, reason: each address of every image that is not). A picture must decode to its end;
 * web pages, place holders and truncated files are failures.
 *
 * @throws {UsageError} when nothing answers at all, or the folder cannot be written; the signal's reason when it is aborted: what was
 *   fetched and recorded so far stays.
 */
export async function fetchImages(
  images: readonly ImageAddresses[],
  options: FetchImagesOptions,
): Promise<FetchCounts> {
  const { out, concurrency, perHost, pace, retry = false, onProgress } = options;
  const log = await FetchLog.open(out);
  const hosts = new Hosts(perHost, pace);
  const counts = { total: images.length, present: 0, fetched: 0, failed: 0, skipped: 0 };
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let answered = false;
  const one = async (image: ImageAddresses) => {
    signal.throwIfAborted();
    const urls = addresses(image, options.archive ?? false);
    if (await isFile(join(out, image.path))) counts.present++;
    else if (!retry && log.isGone(image.path, urls)) counts.skipped++;
    else {
      const { got, failures, reached } = await fetchImage(image.path, urls, hosts, options, signal);
      answered ||= reached;
      if (got) {
        log.fetched(image.path, got);
        counts.fetched++;
      } else {
        log.failed(image.path, failures);
        counts.failed++;
      }
      if (!answered && counts.failed >= HOPELESS) {
        throw new UsageError(
          `Cannot fetch the images: nothing answers for the first ${counts.failed}; check the network (proxies: HTTPS_PROXY, HTTP_PROXY)`,
        );
      }
    }
    onProgress?.(counts);
  };
  const atWork = new Set<Promise<void>>();
  try {
    await mapConcurrently(images, concurrency, async (image) => {
      const work = one(image);
      atWork.add(work);
      try {
        await work;
      } finally {
        atWork.delete(work);
      }
    });
    await log.finish(images);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(atWork);
    throw error;
  } finally {
    log.close();
  }
  return counts;
}

/** Where an image is asked for, in turn. */
function addresses({ urls }: ImageAddresses, archive: boolean): string[] {
  const first = archive ? urls.find((url) => /^https?:\/\//i.test(url)) : undefined;
  return first === undefined ? [...urls] : [...urls, ARCHIVE + first];
}

/** Tries the addresses of one image in turn. */
async function fetchImage(
  path: string,
  urls: readonly string[],
  hosts: Hosts,
  options: FetchImagesOptions,
  signal: AbortSignal,
): Promise<{ got?: Downloaded; failures: Failure[]; reached: boolean }> {
  const failures: Failure[] = [];
  let reached = false;
  for (const url of urls) {
    try {
      const got = await hosts.visit(
        URL.parse(url)?.host ?? "",
        () =>
          download(url, join(options.out, path), {
            headers: { "user-agent": options.userAgent, accept: "image/*,*/*;q=0.5" },
            signal,
            silence: options.silence ?? 30_000,
            delays: options.delays,
            maxBytes: MAX_BYTES,
            verify: checkImage,
            before: ({ host }) => hosts.pace(host),
          }),
      );
      return { got, failures, reached: true };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof DownloadError)) {
        // The network may not be used, or the disk is full: no other address will help.
        if (error instanceof UsageError) throw error;
        failures.push({ url, kind: "transient", reason: messageOf(error) });
        continue;
      }
      reached ||= error.reached;
      failures.push({
        url,
        kind: error.kind,
        ...defined({ status: error.status }),
        reason: error.reason,
      });
    }
  }
  return { failures, reached };
}

/** @throws {ImageError} when the file is not a picture, broken, or a place holder. */
async function checkImage(file: string): Promise<void> {
  const { width, height } = await decodeImage(await Deno.readFile(file));
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new Error(`the picture is ${width} x ${height} pixels: a place holder`);
  }
}
