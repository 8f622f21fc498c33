/** Reads the Pillow outputs of `tests/golden/image/`; see the README there. */

import { Buffer } from "node:buffer";
import type { RgbImage } from "../../src/image/image.ts";

const FOLDER = new URL("../golden/image/", import.meta.url);

/** A JSON file of the folder. */
export function readJson<T>(name: string): T {
  return JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER)));
}

/** The bytes of a file of the folder. */
export function readBytes(name: string): Uint8Array {
  return Deno.readFileSync(new URL(name, FOLDER));
}

/** Base64 to bytes. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64, "base64"));
}

/** Base64 to little-endian floats. */
export function floatsOf(base64: string): Float32Array {
  return new Float32Array(bytesOf(base64).buffer);
}

interface Packed {
  readonly width: number;
  readonly height: number;
  readonly rgb: string;
}

/** An image stored as base64. */
export function imageOf({ width, height, rgb }: Packed): RgbImage {
  return { width, height, data: bytesOf(rgb) };
}

/** The content of `resize.json`. */
export interface ResizeGoldens {
  readonly sources: Record<string, Packed>;
  readonly resize: (Packed & {
    source: string;
    filter: "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";
    box: [number, number, number, number] | null;
  })[];
  readonly over: (Packed & {
    source: string;
    filter: "bilinear" | "bicubic" | "lanczos";
    rect: [number, number, number, number];
  })[];
  readonly floats: {
    from: [number, number];
    to: [number, number];
    filter: "box" | "bilinear" | "hamming" | "bicubic" | "lanczos";
    data: string;
    out: string;
  }[];
  readonly letterbox: (Packed & { source: string })[];
}

export const resizeGoldens: ResizeGoldens = readJson("resize.json");
