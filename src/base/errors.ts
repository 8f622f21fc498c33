/**
 * The error vocabulary. Messages have one form: what could not be done, colon, the value met, and what to do.
 *
 * Built-in classes say most things (`RangeError`, `TypeError`, `SyntaxError`); the classes below exist because callers
 * treat them differently.
 *
 * @module
 */

/** The command line or a file named on it cannot be used: exit status 2, before any work. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A model or model card is malformed, missing, or does not fit what is asked of it. */
export class ModelError extends Error {
  override name = "ModelError";
}

/** An ONNX operator has no rule for what is asked (shape inference, gradient …). */
export class UnsupportedOpError extends ModelError {
  override name = "UnsupportedOpError";
  /**
   * @param reason what could not be done, and the value met: the message, but for the advice
   * @param advice what to do
   */
  constructor(
    readonly op: string,
    readonly node: string,
    readonly reason: string,
    readonly advice?: string,
  ) {
    super(advice === undefined ? reason : `${reason}; ${advice}`);
  }
}

/** Why something cannot be used. */
export interface Unsupported {
  readonly reason: string;
  /** What to do, where it is known better than that it can be left out. */
  readonly advice?: string;
}

/** There is no room for a file: exit status 1, and the same command continues once there is. */
export class DiskFullError extends Error {
  override name = "DiskFullError";
  constructor(path: string, options: ErrorOptions = {}) {
    super(
      `Cannot write ${path}: the disk is full, or your share of it; free some space and give the same command again, which continues from here`,
      options,
    );
  }
}

/** The same error, or where a disk has no room for a file, one that says so. */
export function writeProblem(error: unknown, path: string): unknown {
  const { code } = error as { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" ? new DiskFullError(path, { cause: error }) : error;
}

/** The GPU device, a shader or a dispatch failed. */
export class GpuError extends Error {
  override name = "GpuError";
}

/** One image cannot be used; its corpus continues. The message is the reason recorded in the image's row. */
export class ImageError extends Error {
  override name = "ImageError";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  const missing = missingPermission(error);
  if (missing) return `no permission to ${missing.act} (${missing.advice})`;
  return error instanceof Error ? error.message : String(error);
}

/** For an operation that Deno did not permit, what it was and how it can be permitted; undefined for any other error. */
export function permissionLine(error: unknown): string | undefined {
  const missing = missingPermission(error);
  return missing && `Cannot ${missing.act}: permission is missing; ${missing.advice}`;
}

const ACTS: Readonly<Record<string, string>> = {
  read: "read",
  write: "write",
  env: "use the environment variable",
  ffi: "load the native library",
  net: "reach",
  sys: "ask the system for",
  run: "run",
};

/** Reads Deno's message: `Requires KIND access to "NAME", run again with the --allow-KIND flag`. */
function missingPermission(error: unknown): { act: string; advice: string } | undefined {
  if (!(error instanceof Deno.errors.NotCapable)) return undefined;
  const [, kind, name] = /^Requires (\w+) access(?: to "?(.*?)"?)?(?:,|$)/.exec(error.message) ??
    [];
  if (kind === undefined) return undefined;
  const act = `${ACTS[kind] ?? `use ${kind}`} ${name ?? "(any)"}`;
  if (isDenied(kind, name)) {
    return {
      act,
      advice: `--deny-${kind} protects it, as in the tasks for the files of emocam itself`,
    };
  }
  const task = kind === "net" ? "fetch" : "emocam";
  const value = kind === "ffi" ? "=node_modules" : name === undefined ? "" : `=${name}`;
  return { act, advice: `run by deno task ${task}, or with --allow-${kind}${value}` };
}

/** Whether a path was closed to writing or reading by name. */
function isDenied(kind: string, path: string | undefined): boolean {
  return (kind === "read" || kind === "write") && path !== undefined &&
    Deno.permissions.querySync({ name: kind, path }).state === "denied";
}
