/**
 * Canonical JSON and content keys: the same settings give the same text and the same fingerprint.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** Anything JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/**
 * JSON text with the keys of every object sorted and no white space. Keys are sorted by UTF-16 code units, as RFC 8785 (JSON
 * Canonicalization Scheme) demands: not by code point, as everything else here is.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    return `{${
      entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(",")
    }}`;
  }
  return JSON.stringify(value);
}

/** SHA-256 of bytes or of UTF-8 text, as 64 hexadecimal digits. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
