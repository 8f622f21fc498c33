/**
 * The files of a published model on disk: fetched, or brought by hand; the same ones ever after.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, UsageError } from "../base/errors.ts";
import { download, type DownloadOptions, type DownloadProgress } from "../download/download.ts";
import type { PublishedFile, PublishedModel } from "./models.ts";
import { isFile, writeWhole } from "../base/files.ts";
import { defined } from "../base/defined.ts";

/** Which file was used first under each name. */
const lockSchema = z.strictObject({
  files: z.record(
    z.string(),
    z.strictObject({
      /** Where it came from; `by hand` for a file that lay there. */
      from: z.string(),
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
type Lock = z.infer<typeof lockSchema>;

const LOCK = "lock.json";
const BY_HAND = "by hand";

/** How files are obtained. */
interface ObtainOptions extends Pick<DownloadOptions, "delays" | "headers" | "signal" | "onWait"> {
  /** Address of a folder on a web server that holds the files under their names, instead of the published addresses. */
  readonly mirror?: string;
  /** A file is about to be fetched, or was found. */
  readonly onFile?: (file: PublishedFile, state: "fetching" | "found") => void;
  readonly onProgress?: (file: PublishedFile, progress: DownloadProgress) => void;
}

/** Where a model's files are, below the folder of imported models. */
export function downloadFolder(modelsFolder: string, model: PublishedModel): string {
  return join(modelsFolder, "downloads", model.name);
}

/** Where a file is fetched from. */
export function addressOf(file: PublishedFile, mirror?: string): string {
  return mirror === undefined
    ? file.url
    : `${mirror.replace(/\/+$/, "")}/${encodeURIComponent(file.name)}`;
}

/** The files that are not in the folder. */
export async function missingFiles(
  model: PublishedModel,
  folder: string,
): Promise<PublishedFile[]> {
  const missing: PublishedFile[] = [];
  for (const file of model.files) {
    if (!await isFile(join(folder, file.name))) missing.push(file);
  }
  return missing;
}

/**
 * Makes sure that all files of a model lie in a folder: those that are there are used without any network, others are fetched. Every file
 * must have its published length and SHA-256, where these are known, and the SHA-256 that was recorded in `lock.json` when the name
 * was used first.
 *
 * @returns the paths of the files by their names.
 * @throws {UsageError} when a file is another than it was, or than was published.
 * @throws {DownloadError} when one cannot be fetched.
 */
export async function obtainFiles(
  model: PublishedModel,
  folder: string,
  options: ObtainOptions = {},
): Promise<Map<string, string>> {
  const { mirror, onFile, onProgress, ...route } = options;
  await makeFolder(folder);
  const lock = await readLock(folder);
  const paths = new Map<string, string>();
  for (const file of model.files) {
    const path = join(folder, file.name);
    const known = lock.files[file.name];
    if (await isFile(path)) {
      onFile?.(file, "found");
      const found = await digest(path);
      check(path, found, file, known, join(folder, LOCK));
      lock.files[file.name] = known ?? { from: BY_HAND, ...found };
    } else {
      onFile?.(file, "fetching");
      const sha256 = file.sha256 ?? known?.sha256;
      const expectedBytes = file.bytes ?? known?.bytes;
      const address = addressOf(file, mirror);
      const fetched = await download(address, path, {
        ...route,
        ...defined({ sha256, expectedBytes }),
        onProgress: (progress) => onProgress?.(file, progress),
      });
      lock.files[file.name] = { from: address, bytes: fetched.bytes, sha256: fetched.sha256 };
    }
    await writeLock(folder, lock);
    paths.set(file.name, path);
  }
  return paths;
}

function check(
  path: string,
  found: { bytes: number; sha256: string },
  file: PublishedFile,
  known: Lock["files"][string] | undefined,
  lock: string,
): void {
  if (file.bytes !== undefined && found.bytes !== file.bytes) {
    throw new UsageError(
      `Cannot use ${path}: it is ${found.bytes} bytes long, the published file ${file.bytes}; remove it and bring or fetch it again`,
    );
  }
  if (file.sha256 !== undefined && found.sha256 !== file.sha256) {
    throw new UsageError(
      `Cannot use ${path}: its SHA-256 is ${found.sha256}, the published file's ${file.sha256}; remove it and bring or fetch it again`,
    );
  }
  if (known && found.sha256 !== known.sha256) {
    throw new UsageError(
      `Cannot use ${path}: its SHA-256 is ${found.sha256}, but ${known.sha256} when it was first used; restore it, or remove its entry from ${lock} if the change is meant`,
    );
  }
}

async function readLock(folder: string): Promise<Lock> {
  const path = join(folder, LOCK);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { files: {} };
    throw new UsageError(`Cannot read ${path}: ${messageOf(error)}`);
  }
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    throw new UsageError(
      `Cannot read ${path}: it is not what emocam wrote there; remove it to trust the files as they are`,
    );
  }
}

async function writeLock(folder: string, lock: Lock): Promise<void> {
  await writeWhole(join(folder, LOCK), JSON.stringify(lock, null, 1) + "\n");
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(
      `Cannot make the folder ${folder}: ${messageOf(error)}; give another with --into`,
    );
  }
}

/** Length and SHA-256 of a file, read piece by piece. */
export async function digest(path: string): Promise<{ bytes: number; sha256: string }> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  let bytes = 0, read: number | null;
  while ((read = await file.read(buffer)) !== null) {
    hash.update(buffer.subarray(0, read));
    bytes += read;
  }
  return { bytes, sha256: hash.digest("hex") };
}
