/**
 * `run.json`: everything that is needed to say what a run was, and to run it again.
 *
 * @module
 */

import { availableParallelism, cpus } from "node:os";
import { relative, resolve } from "node:path";
import manifestOfProject from "../../deno.json" with { type: "json" };
import type { OwnedFolder } from "../base/owned_folder.ts";
import { openGpu } from "../gpu/device.ts";
import { libvipsBuild } from "../image/libvips.ts";
import { backendVersion } from "../runtime/open.ts";
import { settingsOf } from "./options/settings.ts";
import { codeCommit } from "./code_version.ts";
import type { Setup } from "./open.ts";
import type { FinishedRun } from "../ledger/finished_run.ts";
import {
  type Manifest,
  MANIFEST_FILE,
  type ModelRecord,
  startSchema,
  type VerdictRecord,
} from "../ledger/manifest.ts";
import type { RunSummary } from "../outputs/output.ts";
import { defined } from "../base/defined.ts";
import type { Card } from "../runtime/card.ts";
import type { AnalysisRecord } from "../corpus/analysis_record.ts";

/** Variables that can change what is computed, or with which models. Others are not read, so that a run tells nothing of its user. */
const ENVIRONMENT = [
  "EMOCAM_MODELS",
  "OMP_NUM_THREADS",
  "UV_THREADPOOL_SIZE",
  "VIPS_CONCURRENCY",
  "DENO_WEBGPU_BACKEND",
  "WGPU_BACKEND",
  "VK_ICD_FILENAMES",
  "VK_DRIVER_FILES",
  "LP_NUM_THREADS",
] as const;

/** Version of emocam. */
export const VERSION: string = manifestOfProject.version;

/** What a manifest says of a run beside its models: how it is called, and what was asked. */
export interface RunDescription {
  /** What the results are called in reports. */
  readonly title: string;
  /** The command line that gives the run again. */
  readonly command: string;
  /** The command line's arguments, options as resolved. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The folder from which relative paths in the arguments start, where it is not the working directory. */
  readonly base?: string | undefined;
  /** Credits of the photographs, where they are those that ship. */
  readonly credits: readonly string[];
}

/** Makes the manifest of a run that is about to start. */
export async function createManifest(
  { title, command, arguments: args, base = Deno.cwd(), credits }: RunDescription,
  setup: Setup,
  record: AnalysisRecord,
): Promise<Manifest> {
  const { backend } = setup;
  const gpu = backend.backend === "webgpu" ? await openGpu() : undefined;
  const commit = await codeCommit();
  const manifest = {
    emocam: VERSION,
    ...(commit ? { commit } : {}),
    title,
    command,
    arguments: args,
    from: typeof args.out === "string"
      ? relative(resolve(args.out), base).replaceAll("\\", "/") || "."
      : ".",
    settings: {
      ...settingsOf(args, {
        preset: typeof args.preset === "string" ? args.preset : undefined,
        random: setup.methods.some(({ random }) => random),
      }),
      samples: setup.samples,
      methods: Object.fromEntries(setup.methods.map((own) => [own.name, own.settings ?? {}])),
    },
    versions: await versions(setup),
    machine: machine(),
    environment: environment(),
    backend: {
      name: backend.backend,
      reason: backend.reason,
      ...(gpu ? { adapter: gpu.description } : {}),
    },
    ...record,
    models: modelRecords(setup),
    credits,
    notices: setup.notices,
  };
  // As it will be read: what has no JSON form is left out now, not after the run.
  return startSchema.parse(JSON.parse(JSON.stringify(manifest)));
}

/** The models as their cards state them: the classifier, and those networks of the detector that ship or were imported. */
function modelRecords({ classifier, detector, faceFinder }: Setup): ModelRecord[] {
  const record = (role: string, card: Card, sha256: string): ModelRecord => {
    const { name, licence, source, title, citation, note } = card;
    const bytes = "bytes" in card ? card.bytes : undefined;
    return { role, name, sha256, licence, source, ...defined({ title, bytes, citation, note }) };
  };
  const networks = [detector, ...faceFinder && faceFinder !== detector ? [faceFinder] : []]
    .flatMap(({ cards }) => cards ?? []);
  return [
    record("classifier", classifier.card, String(classifier.key.model)),
    ...networks.flatMap((card) => card.sha256 ? [record(card.task, card, card.sha256)] : []),
  ];
}

/** Programs and packages with their versions. */
export async function versions({ backend }: Setup): Promise<Record<string, string>> {
  const { imports } = manifestOfProject;
  const libvips = await libvipsBuild();
  const version = (specifier: string) => specifier.slice(specifier.lastIndexOf("@") + 1);
  return {
    emocam: VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    runtime: await backendVersion(backend.backend),
    sharp: version(imports.sharp),
    libvips: libvips.kind === "wasm" ? `${libvips.version} wasm` : libvips.version,
    ...Object.fromEntries(
      Object.entries(imports)
        .filter(([name]) => COMPUTING.includes(name))
        .map(([name, specifier]) => [name, version(specifier)]),
    ),
    platform: `${Deno.build.os} ${Deno.build.arch}`,
  };
}

/** Packages that take part in the numbers, beside those that are named on their own. */
const COMPUTING = ["ml-matrix", "onnx-proto"];

/** What of the machine can change the last bits of a sum: the kind of processor and how many threads share the work. */
function machine(): Record<string, string | number> {
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    release: Deno.osRelease(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
  };
}

function environment(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ENVIRONMENT) {
    try {
      const value = Deno.env.get(name);
      if (value) found[name] = value;
    } catch (error) {
      // A variable that may not be read has no part in the run either.
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
    }
  }
  return found;
}

/** What is known of a run when it has ended, beside what its ledger and its folder say. */
export interface RunEnding {
  /** The ledger that holds the run, and its number there. */
  readonly ledger: string;
  readonly run: number;
  readonly summary: RunSummary;
  readonly axioms: readonly VerdictRecord[];
  /** Where the pictures are, by the images' paths; `undefined` for the photographs that ship. */
  readonly files: ReadonlyMap<string, string> | undefined;
}

/** Writes `run.json`, with the images and their hashes as the ledger has them, and the hashes of the tables that were written beside it. */
export async function writeManifest(
  folder: OwnedFolder,
  manifest: Manifest,
  finished: FinishedRun,
  { ledger, run, summary, axioms, files }: RunEnding,
): Promise<void> {
  const seen = (path: string) =>
    relative(resolve(folder.folder), resolve(path)).replaceAll("\\", "/");
  const images = Array.from(finished.images(), ({ path, sha256, status }) => {
    const file = files?.get(path);
    return {
      path,
      ...(file === undefined ? {} : { file: seen(file) }),
      sha256: sha256 ?? null,
      status,
    };
  });
  const outputs = Object.fromEntries(
    Object.entries(folder.written()).filter(([name]) => name.endsWith(".csv")),
  );
  const ended = { ledger: { file: seen(ledger), run }, summary, axioms, outputs, images };
  const text = JSON.stringify({ ...manifest, ...ended }, null, 1);
  await folder.write(MANIFEST_FILE, text + "\n");
}
