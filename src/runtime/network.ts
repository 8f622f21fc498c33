/**
 * A network with its card: read, hashed and parsed once for all who need it.
 *
 * @module
 */

import { sha256 } from "../base/json.ts";
import type { Layout } from "../onnx/channels_first.ts";
import { readModel } from "../onnx/model_file.ts";
import { readCardFile } from "./card.ts";
import { takeGraph, type TakenGraph } from "./taken_graph.ts";

/** What a card says of its network's file. */
export interface FileCard {
  readonly name: string;
  readonly source: string;
  readonly file: string;
  readonly sha256: string;
  readonly input?: { readonly name: string; readonly layout?: Layout | undefined } | undefined;
}

/** A network of a card. */
export interface Network<C extends FileCard = FileCard> {
  readonly card: C;
  /** The ONNX file. */
  readonly bytes: Uint8Array;
  /** Of the bytes. */
  readonly sha256: string;
  /**
   * What the bytes say, parsed when it is first asked for. Its graph is shared: copy before a change.
   *
   * @throws {ModelError} when they are not an ONNX model that can be read, or `takeGraph` refuses it.
   */
  readonly taken: TakenGraph;
}

/**
 * A network whose file is read already.
 *
 * @param known of the bytes already
 */
export function networkOf<C extends FileCard>(
  card: C,
  bytes: Uint8Array,
  known: { readonly sha256?: string; readonly taken?: TakenGraph } = {},
): Network<C> {
  let { taken } = known;
  return {
    card,
    bytes,
    sha256: known.sha256 ?? sha256(bytes),
    get taken() {
      return taken ??= takeGraph(readModel(bytes, card.file), card.input?.layout);
    },
  };
}

/**
 * Reads the network of a card.
 *
 * @throws {ModelError} when its file is missing or its SHA-256 is not the card's.
 */
export async function readNetwork<C extends FileCard>(
  { card, folder }: { readonly card: C; readonly folder: string },
): Promise<Network<C>> {
  return networkOf(card, await readCardFile({ card, folder }), { sha256: card.sha256 });
}
