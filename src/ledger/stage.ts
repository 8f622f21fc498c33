/**
 * Stages: what a stored result was computed with. A stage is a name and the settings that determine its results (including
 * the fingerprints of the stages it builds on), so equal fingerprints mean that a stored result can be used again.
 *
 * @module
 */

import { compareCodePoints } from "../base/code_points.ts";
import { canonicalJson, type Json, sha256 } from "../base/json.ts";

/** The settings that determine a stage's results. A member that is `undefined` counts as absent. */
export interface StageSettings {
  readonly [name: string]: Json | undefined;
}

/**
 * The fingerprint of a stage: sha256, in hexadecimal digits, of its name, a line feed and its settings' canonical JSON.
 *
 * @throws {TypeError} for a setting that JSON cannot say: NaN or an infinity.
 */
export function fingerprintOf(name: string, settings: StageSettings): string {
  return sha256(`${name}\n${settingsJson(settings)}`);
}

/** The canonical JSON of a stage's settings. @throws {TypeError} as {@link fingerprintOf}. */
export function settingsJson(settings: StageSettings): string {
  for (const [path, leaf] of leaves(settings)) {
    if (typeof leaf === "number" && !Number.isFinite(leaf)) {
      throw new TypeError(`Cannot fingerprint the setting ${path}: ${leaf} has no JSON form`);
    }
  }
  const present = Object.entries(settings).filter((entry): entry is [string, Json] =>
    entry[1] !== undefined
  );
  return canonicalJson(Object.fromEntries(present));
}

/**
 * Says in words how settings differ, one entry a changed leaf, in code point order of their dotted paths:
 * `detector.sha256 changed from abc1234… to def5678…`, `threshold is new: 0.3`, `crop was removed: "face"`.
 *
 * @param isStage tells whether a string is the fingerprint of a stage; a change from one stage to another is then said as
 *   `forward was recomputed` instead of two hashes, because that stage gives its own reason.
 */
export function settingChanges(
  from: StageSettings,
  to: StageSettings,
  isStage: (fingerprint: string) => boolean = () => false,
): string[] {
  const before = leaves(from), after = leaves(to);
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort(compareCodePoints);
  return paths.flatMap((path) => {
    const old = before.get(path), now = after.get(path);
    if (old === undefined) return [`${path} is new: ${brief(now!)}`];
    if (now === undefined) return [`${path} was removed: ${brief(old)}`];
    if (canonicalJson(old) === canonicalJson(now)) return [];
    if ([old, now].every((leaf) => typeof leaf === "string" && isStage(leaf))) {
      return [`${path} was recomputed`];
    }
    return [`${path} changed from ${brief(old)} to ${brief(now)}`];
  });
}

/** The leaves of a JSON value: dotted path → value. An empty array or object is a leaf. */
function leaves(
  value: Json | StageSettings,
  path = "",
  found = new Map<string, Json>(),
): Map<string, Json> {
  const members = typeof value === "object" && value !== null
    ? Object.entries<Json | undefined>(value)
    : [];
  if (members.length === 0 && path !== "") return found.set(path, value as Json);
  for (const [key, member] of members) {
    if (member !== undefined) leaves(member, path ? `${path}.${key}` : key, found);
  }
  return found;
}

/** A leaf for people: hashes are cut to 7 digits, other values to 60 characters. */
function brief(leaf: Json): string {
  if (typeof leaf === "string" && /^[0-9a-f]{32,}$/.test(leaf)) return `${leaf.slice(0, 7)}…`;
  const json = canonicalJson(leaf);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
