/**
 * Backend `native`: onnxruntime-node, the CPU library that ships in its npm package.
 *
 * @module
 */

import "./no_telemetry.ts";
import ort from "onnxruntime-node";
import type { Session, SessionOptions } from "../session.ts";
import { openWith } from "./ort.ts";

/** Package and version. */
export const version = `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`;

/** Loads a model. @throws {ModelError} */
export function open(model: Uint8Array, options: SessionOptions): Promise<Session> {
  return openWith(ort, "native", model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: options.threads ?? 0,
    // Idle threads sleep: spinning would take cores from the decoding of the next images, and every session has threads.
    extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
  });
}
