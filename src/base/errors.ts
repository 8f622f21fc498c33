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
  constructor(readonly op: string, readonly node: string, message: string) {
    super(message);
  }
}

/** The GPU device, a shader or a dispatch failed. */
export class GpuError extends Error {
  override name = "GpuError";
}

/** One image cannot be used; its corpus goes on. The message is the reason recorded in the image's row. */
export class ImageError extends Error {
  override name = "ImageError";
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
