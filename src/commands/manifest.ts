/**
 * `run.json`: everything that is needed to say what a run was, and to run it again.
 *
 * @module
 */

import { join } from "node:path";
import manifestOfProject from "../../deno.json" with { type: "json" };
import type { Ledger } from "../corpus/ledger.ts";
import { writeWhole } from "../corpus/outputs.ts";
import type { Stages } from "../corpus/plan.ts";
import { openGpu } from "../gpu/device.ts";
import { backendVersion } from "../runtime/session.ts";
import type { Setup } from "./setup.ts";

/** Version of emocam. */
export const VERSION: string = manifestOfProject.version;

/** What is known when a run starts. */
export interface Manifest {
  readonly emocam: string;
  /** The command line's arguments, options as resolved. */
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
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
  return {
    emocam: VERSION,
    arguments: args,
    versions: await versions(setup),
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
      ...Object.fromEntries(setup.methods.flatMap(({ name }, m) => [
        [`${name} maps`, stages.methods[m]!.map.fingerprint],
        [`${name} importances`, stages.methods[m]!.score.fingerprint],
      ])),
    },
    notices: setup.notices,
  };
}

/** Programs and packages with their versions. */
export async function versions({ backend }: Setup): Promise<Record<string, string>> {
  const { imports } = manifestOfProject;
  const version = (specifier: string) => specifier.slice(specifier.lastIndexOf("@") + 1);
  return {
    emocam: VERSION,
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    runtime: await backendVersion(backend.backend),
    sharp: version(imports.sharp),
    platform: `${Deno.build.os} ${Deno.build.arch}`,
  };
}

/** Writes `run.json`, with the images and their hashes as the ledger has them. */
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
  const text = JSON.stringify({ ...manifest, ...outcome, images }, null, 1);
  await writeWhole(join(folder, "run.json"), text + "\n");
}
