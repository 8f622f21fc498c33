/**
 * Why a repeated run could differ from the first: what their manifests (`run.json`) say differently.
 *
 * @module
 */

import type { Json } from "../base/json.ts";
import { nounOf, OPTIONS, type OptionTable } from "../run/options/mod.ts";
import { effectiveSettings } from "../run/options/settings.ts";
import { defined } from "../base/defined.ts";
import { type FinishedManifest, isObject, type ManifestJson } from "../ledger/manifest.ts";

/** What kind of thing is different. */
type CauseKind =
  | "image"
  | "model"
  | "setting"
  | "version"
  | "backend"
  | "adapter"
  | "code"
  | "machine"
  | "environment"
  | "reference"
  | "record";

/** One thing that is not the same in both runs. */
export interface Cause {
  readonly kind: CauseKind;
  /** What it is: an image's path, a setting's name, a package. */
  readonly what: string;
  /** What an option sets, in words. */
  readonly noun?: string;
  readonly before?: string;
  readonly after?: string;
  /**
   * Whether it is an input, as images, models and settings are. With another input it is another run, whatever the numbers say; with
   * another version, backend or machine it should be the same.
   */
  readonly input: boolean;
}

/**
 * How the parts of a manifest are compared: as what is known of a model, each as a kind of cause, or not at all, since they tell how a run
 * went or follow from the rest. A part of another version, which is not known here, is compared like a model.
 */
const PARTS: Readonly<Record<keyof FinishedManifest, "model" | "cause" | "not">> = {
  classifier: "model",
  detector: "model",
  settings: "cause",
  versions: "cause",
  commit: "cause",
  backend: "cause",
  machine: "cause",
  environment: "cause",
  images: "cause",
  emocam: "not",
  command: "not",
  arguments: "not",
  from: "not",
  title: "not",
  methods: "not",
  analysis: "not",
  models: "not",
  credits: "not",
  stages: "not",
  notices: "not",
  ledger: "not",
  summary: "not",
  axioms: "not",
  outputs: "not",
};
/** Causes of one kind that are listed; the others are counted. */
const LISTED = 20;

/**
 * What two manifests say differently, inputs first. Parts that one of them does not have at all are passed over: an older version did
 * not record them.
 *
 * @param altered tables of the first run that are not as it wrote them
 */
export function driftCauses(
  before: ManifestJson,
  after: ManifestJson,
  altered: readonly string[] = [],
  table: OptionTable = OPTIONS,
): Cause[] {
  const causes: Cause[] = altered.map((what) => ({
    kind: "reference",
    what: `${what} of the first run was changed after it was written`,
    input: false,
  }));
  causes.push(...imageCauses(before.images, after.images), ...modelCauses(before, after));
  const part = (kind: CauseKind, name: string) => {
    if (!isObject(before[name]) || !isObject(after[name])) return;
    for (const { path, before: own, after: other } of leaves(before[name], after[name])) {
      causes.push(cause(kind, path, own, other, false));
    }
  };
  causes.push(...settingCauses(before.settings, after.settings, table));
  const [own, other] = [before.backend, after.backend].map((value) => isObject(value) ? value : {});
  for (const [kind, name] of [["backend", "name"], ["adapter", "adapter"]] as const) {
    if (own![name] !== other![name]) {
      causes.push(cause(kind, kind, own![name], other![name], false));
    }
  }
  part("version", "versions");
  if (before.commit !== after.commit && before.commit !== undefined) {
    causes.push(cause("code", "commit", before.commit, after.commit, false));
  }
  part("machine", "machine");
  part("environment", "environment");
  return causes.sort((a, b) => Number(b.input) - Number(a.input));
}

/** A cause in one line. */
export function causeText({ kind, what, noun, before, after }: Cause): string {
  if (kind === "reference") return what;
  const name = {
    image: `image ${what}`,
    model: `model: ${what}`,
    setting: `setting ${noun ?? what}`,
    version: what,
    backend: "backend",
    adapter: "graphics adapter",
    code: "code",
    machine: `machine: ${what}`,
    environment: `environment: ${what}`,
    record: what,
  }[kind];
  if (before === undefined) return `${name} is new: ${after}`;
  if (after === undefined) return `${name} is gone (was ${before})`;
  return `${name} changed from ${before} to ${after}`;
}

/** Settings that are not the same, of those that have an effect. */
function settingCauses(
  before: Json | undefined,
  after: Json | undefined,
  table: OptionTable,
): Cause[] {
  if (!isObject(before) || !isObject(after)) return [];
  const [own, other] = [before, after].map((settings) => effectiveSettings(settings, table));
  return Array.from(leaves(own, other), ({ path, before, after }) => {
    const noun = nounOf(path, table);
    return { ...cause("setting", path, before, after, true), ...noun ? { noun } : {} };
  });
}

/** Images whose files are not the same bytes. Those that only one run has differ, too. */
function imageCauses(before: Json | undefined, after: Json | undefined): Cause[] {
  const [own, other] = [before, after].map((images) =>
    new Map(
      (Array.isArray(images) ? images : []).filter(isObject)
        .map(({ path, sha256 }) => [String(path), sha256]),
    )
  );
  const causes: Cause[] = [];
  for (const path of new Set([...own!.keys(), ...other!.keys()])) {
    const [a, b] = [own!.get(path), other!.get(path)];
    if (a !== b || own!.has(path) !== other!.has(path)) {
      const text = (known: boolean, hash: Json | undefined) =>
        known ? `sha256 ${typeof hash === "string" ? hash : "of no readable file"}` : undefined;
      causes.push(
        cause("image", path, text(own!.has(path), a), text(other!.has(path), b), true),
      );
    }
  }
  return shortened(causes, "images");
}

/** What is different in the classifier's and the detector's cards and files, whatever a manifest calls these parts. */
function modelCauses(before: ManifestJson, after: ManifestJson): Cause[] {
  const causes = new Map<string, Cause>();
  for (const name of Object.keys(before)) {
    const part = Object.entries(PARTS).find(([known]) => known === name)?.[1] ?? "model";
    if (part !== "model" || after[name] === undefined) continue;
    for (const { path, before: own, after: other } of leaves(before[name], after[name], name)) {
      const [last] = path.split(".").slice(-1);
      // They are told on their own.
      if (["backend", "runtime", "batch"].includes(last!)) continue;
      const input = own !== undefined && other !== undefined &&
        (last === "sha256" || path.split(".").includes("key"));
      // A card and the key made of it say the same: once, as the input where one of them is.
      const change = JSON.stringify([own ?? null, other ?? null]);
      if (causes.has(change) && (causes.get(change)!.input || !input)) continue;
      causes.set(change, cause(input ? "model" : "record", path, own, other, input));
    }
  }
  const isHash = ({ what }: Cause) => Number(/\.(sha256|model)$/.test(what));
  return shortened(
    [...causes.values()].sort((a, b) => isHash(b) - isHash(a)),
    "properties of models",
  );
}

/** No more than a bounded number of causes; the last one counts the others. */
function shortened(causes: Cause[], what: string): Cause[] {
  if (causes.length <= LISTED) return causes;
  const [{ kind }] = causes as [Cause];
  const rest = causes.slice(LISTED);
  return [...causes.slice(0, LISTED), {
    kind,
    what: `${rest.length} more ${what}`,
    before: "as recorded",
    after: "something else",
    input: rest.some(({ input }) => input),
  }];
}

function cause(
  kind: CauseKind,
  what: string,
  before: Json | undefined,
  after: Json | undefined,
  input: boolean,
): Cause {
  const text = (value: Json | undefined) =>
    value === undefined || typeof value === "string" ? value : JSON.stringify(value);
  return {
    kind,
    what,
    ...defined({ before: text(before), after: text(after) }),
    input,
  };
}

interface Leaf {
  readonly path: string;
  readonly before?: Json | undefined;
  readonly after?: Json | undefined;
}

/** Values that differ, with the path to each; lists of plain values are one value. */
function* leaves(before: Json, after: Json, path = ""): Generator<Leaf> {
  const nested = (value: Json) =>
    isObject(value) || Array.isArray(value) && value.some((item) => typeof item === "object");
  if (!nested(before) || !nested(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) yield { path, before, after };
    return;
  }
  const [own, other] = [before as ManifestJson, after as ManifestJson];
  for (const key of new Set([...Object.keys(own), ...Object.keys(other)])) {
    const below = path ? `${path}.${key}` : key;
    const [a, b] = [own[key], other[key]];
    if (a === undefined || b === undefined) yield { path: below, before: a, after: b };
    else yield* leaves(a, b, below);
  }
}
