/**
 * The parts of a TensorFlow.js model that the importer reads.
 *
 * @module
 */

import type { ManifestGroup, TfjsWeight } from "./weights.ts";
import type { Shape, Value } from "../../../src/onnx/graph.ts";

/** An attribute of a TFJS node; strings are base64 of UTF-8. */
export interface TfjsAttribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number;
  readonly b?: boolean;
  readonly list?: { readonly s?: readonly string[]; readonly i?: readonly (string | number)[] };
  readonly shape?: { readonly dim?: readonly { readonly size: string | number }[] };
}

/** One operation of the model. */
export interface TfjsNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfjsAttribute>>;
}

/** The parts of `model.json` that are read. */
export interface TfjsModel {
  readonly format?: string;
  readonly modelTopology: { readonly node: readonly TfjsNode[] };
  readonly weightsManifest: readonly ManifestGroup[];
}

/** What a TFJS tensor has become: a weight as stored (TensorFlow's axes), or a value of the graph. */
export type Operand =
  | { readonly kind: "weight"; readonly weight: TfjsWeight }
  /** `shape` is in TensorFlow's order of axes (NHWC for rank 4). */
  | { readonly kind: "value"; readonly value: Value; readonly shape: Shape };
