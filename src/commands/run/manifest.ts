/**
 * `run.json`: everything that is needed to say what a run was, and to run it again.
 *
 * @module
 */

import { availableParallelism, cpus } from "node:os";
import { join, relative, resolve } from "node:path";
import manifestOfProject from "../../../deno.json" with { type: "json" };
import type { Ledger } from "../../ledger/ledger.ts";
import { writeWhole } from "../../base/files.ts";
import { hashTables } from "../../outputs/read.ts";
import type { Stages } from "../../corpus/plan.ts";
import { openGpu } from "../../gpu/device.ts";
import { libvipsBuild } from "../../image/libvips.ts";
import { backendVersion } from "../../runtime/open.ts";
import { codeCommit } from "./code_version.ts";
import type { Setup } from "./setup.ts";

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

/** What is known when a run starts. */
export interface Manifest {
  readonly emocam: string;
  /** The commit of the sources, where they are a checkout. */
  readonly commit?: string;
  /** The command line's arguments, options as resolved. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** The folder from which relative paths in the arguments start, seen from the one that holds `run.json`. */
  readonly from: string;
  /** What decides the results beside the models and images: the arguments after defaults, and each method's own settings. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  /** Variables of the environment that were set, of those that matter. */
  readonly environment: Readonly<Record<string, string>>;
  readonly backend: { readonly name: string; readonly reason: string; readonly adapter?: string };
  readonly classifier: Readonly<Record<string, unknown>>;
  readonly detector: Readonly<Record<string, unknown>>;
  /** Fingerprints of the stages: equal ones have equal results. */
  readonly stages: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
}

/** Makes the manifest of a run that is about to start. */
export async function createManifest(
  args: Readonly<Record<string, unknown>>,
  setup: Setup,
  stages: Stages,
): Promise<Manifest> {
  const { backend, classifier, detector } = setup;
  const gpu = backend.backend === "webgpu" ? await openGpu() : undefined;
  const { layer } = classifier;
  const commit = await codeCommit();
  return {
    emocam: VERSION,
    ...(commit ? { commit } : {}),
    arguments: args,
    from: typeof args.out === "string"
      ? relative(resolve(args.out), Deno.cwd()).replaceAll("\\", "/") || "."
      : ".",
    settings: settingsOf(args, setup),
    versions: await versions(setup),
    machine: machine(),
    environment: environment(),
    backend: {
      name: backend.backend,
      reason: backend.reason,
      ...(gpu ? { adapter: gpu.description } : {}),
    },
    classifier: {
      card: classifier.card,
      key: classifier.key,
      layer: { name: layer.name, shape: [layer.channels, layer.height, layer.width] },
      receptiveField: layer.field ?? null,
      placement: classifier.placementRule,
    },
    detector: { name: detector.name, key: detector.key },
    stages: {
      ...(stages.faces ? { faces: stages.faces.fingerprint } : {}),
      detections: stages.detection.fingerprint,
      samples: stages.sampling.fingerprint,
      predictions: stages.forward.fingerprint,
      ...Object.fromEntries(stages.methods.flatMap(({ method: { name }, map, score }) => [
        [`${name} maps`, map.fingerprint],
        [`${name} importances`, score.fingerprint],
      ])),
    },
    notices: setup.notices,
  };
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

/** Arguments that say where and how a run works, not what it computes. */
const NO_SETTINGS = [
  ...["command", "paths", "out", "fresh", "strict", "check", "maps", "json"],
  ...["backend", "activationCache", "cache", "cacheLimit", "limit"],
];

function settingsOf(args: Readonly<Record<string, unknown>>, setup: Setup) {
  const given = Object.entries(args)
    .filter(([name, value]) => value !== undefined && !NO_SETTINGS.includes(name));
  return {
    ...Object.fromEntries(given),
    samples: setup.samples,
    methods: Object.fromEntries(setup.methods.map(({ name, settings }) => [name, settings ?? {}])),
  };
}

/** Writes `run.json`, with the images and their hashes as the ledger has them, and the hashes of the tables beside it. */
export async function writeManifest(
  folder: string,
  ledger: Ledger,
  run: number,
  manifest: Manifest,
  outcome: Readonly<Record<string, unknown>>,
): Promise<void> {
  const images = Array.from(
    ledger.imageRows(run),
    ({ path, sha256, status }) => ({ path, sha256: sha256 ?? null, status }),
  );
  const outputs = await hashTables(folder);
  const text = JSON.stringify({ ...manifest, ...outcome, outputs, images }, null, 1);
  await writeWhole(join(folder, "run.json"), text + "\n");
}
