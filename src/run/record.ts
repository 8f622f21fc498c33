/**
 * A run that was made before, read from its `run.json`: its arguments as options of today's `analyze`, and its images.
 *
 * @module
 */

import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Json } from "../base/json.ts";
import { messageOf, UsageError } from "../base/errors.ts";
import type { ManifestJson } from "../ledger/manifest.ts";
import { findImages } from "../corpora/find_images.ts";
import type { CorpusImage } from "../image/image_file.ts";
import { readRows } from "../outputs/read.ts";
import { IMAGE_HEADER } from "../outputs/images.ts";
import { MODELS_FOLDER } from "../runtime/card.ts";
import { isFile } from "../base/files.ts";
import { flag } from "../base/flag.ts";
import { type AnalyzeOptions, OPTIONS, optionsOf, type OptionTable } from "./options/mod.ts";

/** What must be in a manifest for a run to be repeated. Everything else is compared where it is there. */
const recordSchema = z.looseObject({
  arguments: z.looseObject({
    command: z.literal("analyze"),
    paths: z.array(z.string()),
    classifier: z.string(),
    detector: z.string(),
  }),
  from: z.string().optional(),
  backend: z.looseObject({ name: z.string() }),
  settings: z.looseObject({ threshold: z.number().optional() }).optional(),
  outputs: z.record(z.string(), z.string()).optional(),
  images: z.array(z.looseObject({
    path: z.string(),
    sha256: z.string().nullable(),
    status: z.string(),
  })),
});

/** A run as recorded. */
export interface RunRecord {
  /** The folder that holds it. */
  readonly folder: string;
  readonly manifest: ManifestJson;
  readonly record: z.infer<typeof recordSchema>;
  /** The folder from which relative paths in its arguments start. */
  readonly from: string;
}

/**
 * Reads a run.
 *
 * @param target its folder, or the path of its `run.json`
 * @throws {UsageError} when there is none, or it cannot be repeated.
 */
export async function readRecord(target: string): Promise<RunRecord> {
  const path = target.endsWith(".json") ? target : join(target, "run.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const runs = await runsBelow(target);
    throw new UsageError(
      error instanceof Deno.errors.NotFound
        ? `Cannot find a run: there is no ${path}; ` +
          (runs.length > 0
            ? `give one of the runs in it: ${runs.join(", ")}`
            : "give the folder of a finished analysis, or its run.json")
        : `Cannot read ${path}: ${messageOf(error)}`,
    );
  }
  let manifest: ManifestJson;
  try {
    manifest = JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `Cannot read ${path}: ${messageOf(error)}; it is not the manifest of a run`,
    );
  }
  const parsed = recordSchema.safeParse(manifest);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(
      `Cannot repeat the run of ${path}: ${issue!.path.join(".") || "the file"}: ${
        issue!.message
      }; only what analyze wrote can be repeated`,
    );
  }
  const folder = dirname(resolve(path));
  return { folder, manifest, record: parsed.data, from: resolve(folder, parsed.data.from ?? ".") };
}

/** Folders below that hold a run each, as `analyze` makes them for several classifiers or corpora. */
async function runsBelow(folder: string): Promise<string[]> {
  const runs: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (!isDirectory) continue;
      const below = join(folder, name);
      if (await isFile(join(below, "run.json"))) runs.push(below);
    }
  } catch {
    // no folder, or not to be looked into: then there is nothing to propose
  }
  return runs.sort();
}

/**
 * The recorded arguments as options of today's `analyze`. An option that the run did not know has its default.
 *
 * @param changes `name=value` each, as on the command line of `analyze` without the dashes
 * @throws {UsageError} when the run has an option that is not known here, or a change cannot be used.
 */
export function recordedOptions(
  { record }: RunRecord,
  changes: readonly string[],
  table: OptionTable = OPTIONS,
): AnalyzeOptions {
  const rows = optionsOf("analyze", table);
  const { command: _, paths: __, ...given } = record.arguments;
  for (const name of Object.keys(given)) {
    if (rows.some((row) => row.name === name)) continue;
    throw new UsageError(
      `Cannot repeat the run: its option ${name} is not known to this version; ` +
        "use the one that made it (versions.emocam in run.json)",
    );
  }
  const options: Record<string, unknown> = {};
  for (const row of rows) {
    const value = given[row.name] ?? row.default;
    if (value !== undefined) options[row.name] = value;
  }
  for (const change of changes) {
    const [, name, value] = /^(?:--)?([\w-]+)=(.*)$/s.exec(change) ?? [];
    const own = rows.find((row) => flag(row.name) === `--${name}`);
    if (!own || value === undefined) {
      throw new UsageError(
        `Cannot use ${flag("set")} ${
          JSON.stringify(change)
        }: give OPTION=VALUE with an option of analyze`,
      );
    }
    const what = own.value.placeholder === undefined ? `${flag("set")} ${name}` : flag(own.name);
    options[own.name] = own.value.parse(what, value);
  }
  return options as unknown as AnalyzeOptions;
}

/** Images of a run that was made before. */
export interface RecordedImages {
  readonly images: readonly CorpusImage[];
  /** All images of its corpus, also those that it did not take. */
  readonly corpus: readonly CorpusImage[];
  /** Paths of images that were there, and are not. */
  readonly missing: readonly string[];
  /** Images of the corpus that the run did not have. */
  readonly added: number;
}

/**
 * The images of a run: exactly those that it had, under their names in it. Their annotations are read again from where they were, or
 * taken from the run's `images.csv` where that is gone.
 *
 * @param base folder that the run was made from, where it is still there
 * @param moved folder that holds the images by their paths in the run, or by their file names
 */
export async function recordedImages(
  run: RunRecord,
  labels: "folders" | undefined,
  { base, moved }: { readonly base?: string | undefined; readonly moved?: string | undefined },
): Promise<RecordedImages> {
  const { paths } = run.record.arguments;
  const found = await findImages(
    paths.length > 0 ? paths : [join(MODELS_FOLDER, "photos")],
    { ...labels ? { labels } : {}, base },
  ).catch((error) => {
    if (error instanceof UsageError) return [];
    throw error;
  });
  const known = new Map(found.map((image) => [image.path, image]));
  const annotations = await recordedAnnotations(run);
  const images: CorpusImage[] = [], missing: string[] = [];
  for (const { path, status, sha256 } of run.record.images) {
    const own = known.get(path);
    const places = moved === undefined
      ? [own?.file ?? join(run.from, path)]
      : [join(moved, path), join(moved, basename(path))];
    const file = await firstFile(places);
    // A file that could not be read then need not be there now.
    if (file === undefined && (status === "ok" || sha256 !== null)) missing.push(path);
    const annotation = own ? own.annotation : annotations.get(path);
    images.push({
      path,
      file: file ?? places[0],
      ...(own?.names ? { names: own.names } : {}),
      ...(annotation ? { annotation } : {}),
    });
  }
  const recorded = new Set(run.record.images.map(({ path }) => path));
  const added = run.record.arguments.limit === undefined && moved === undefined
    ? found.filter(({ path }) => !recorded.has(path)).length
    : 0;
  const rest = moved === undefined ? found.filter(({ path }) => !recorded.has(path)) : [];
  return { images, corpus: [...images, ...rest], missing, added };
}

/** The columns of `images.csv` that came with the corpus, by image. */
async function recordedAnnotations(
  { folder }: RunRecord,
): Promise<Map<string, Record<string, string>>> {
  const annotations = new Map<string, Record<string, string>>();
  for await (const row of readRows(folder, "images.csv")) {
    const own = Object.entries(row).filter(([name]) => !IMAGE_HEADER.includes(name));
    if (own.length === 0) break;
    annotations.set(
      row.path ?? "",
      Object.fromEntries(own.map(([name, value]) => [name.replace(/^annotation\./, ""), value])),
    );
  }
  return annotations;
}

async function firstFile(places: readonly string[]): Promise<string | undefined> {
  for (const place of places) {
    if (await isFile(place)) return place;
  }
  return undefined;
}

/** A part of a manifest as text, for a table of facts. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
