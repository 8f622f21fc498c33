/**
 * Darknet's `.weights` files, read piece by piece and checked against the network.
 *
 * Layout, little-endian: int32 major, minor, revision; images seen, of 8 bytes where 10·major + minor ≥ 2 and both are under
 * 1000, else of 4; then float32 for each convolutional layer in the order of the cfg: biases [n], with batch normalization
 * scales [n], means [n], variances [n], and weights [n][c/groups][size][size]. Nothing marks the end.
 *
 * Source: Darknet, `load_weights` and `load_convolutional_weights` (commit f6afaab).
 *
 * Departs from the source: Darknet takes what it finds and keeps random values for what is missing. Here the number of
 * floats must be exactly the network's, which is checked before anything of its size is allocated.
 *
 * @module
 */

import { basename } from "node:path";
import { messageOf, ModelError, UsageError } from "../../base/errors.ts";
import { type DarknetLayer, weightCounts } from "./layer.ts";

/** What comes before the floats. */
export interface WeightsHeader {
  readonly major: number;
  readonly minor: number;
  readonly revision: number;
  /** Images seen in training. */
  readonly seen: bigint;
  readonly bytes: number;
}

/** The parameters of one convolutional layer. */
export interface ConvolutionWeights {
  readonly biases: Float32Array;
  /** With batch normalization. */
  readonly norm?: {
    readonly scales: Float32Array;
    readonly means: Float32Array;
    readonly variances: Float32Array;
  };
  /** [n][c/groups][size][size]. */
  readonly weights: Float32Array;
}

/** A weights file's contents. */
interface DarknetWeights {
  readonly header: WeightsHeader;
  /** By index of the layer. */
  readonly layers: ReadonlyMap<number, ConvolutionWeights>;
}

/** Bytes of a file, by place. */
interface Source {
  readonly bytes: number;
  /** The next bytes; fewer only at the end of the file. */
  read(into: Uint8Array): Promise<number>;
}

/**
 * Reads the weights of a network.
 *
 * @throws {UsageError} when there is no such file.
 * @throws {ModelError} when the header is incomplete, the floats are not exactly those of the network, one of them is not
 * finite, or a variance is negative.
 */
export async function readWeights(
  path: string,
  layers: readonly DarknetLayer[],
): Promise<DarknetWeights> {
  const origin = basename(path);
  try {
    // A pipe would block when it is opened.
    if (!(await Deno.stat(path)).isFile) throw new Error("it is not a file");
    using file = await Deno.open(path);
    const { size } = await file.stat();
    return await readAll({ bytes: size, read: (into) => fill(file, into) }, origin, layers);
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new UsageError(
      `Cannot read weights ${path}: ${messageOf(error)}; give a Darknet .weights file`,
    );
  }
}

async function fill(file: Deno.FsFile, into: Uint8Array): Promise<number> {
  let done = 0;
  while (done < into.length) {
    const count = await file.read(into.subarray(done));
    if (count === null) break;
    done += count;
  }
  return done;
}

async function readAll(
  source: Source,
  origin: string,
  layers: readonly DarknetLayer[],
): Promise<DarknetWeights> {
  const header = await readHeader(source, origin);
  checkLength(source.bytes - header.bytes, origin, layers);
  const found = new Map<number, ConvolutionWeights>();
  for (const layer of layers) {
    const counts = weightCounts(layer);
    if (!counts || layer.operation.kind !== "convolutional") continue;
    const where = `layer ${layer.index} [convolutional]`;
    const next = (name: string, count: number) => readFloats(source, origin, where, name, count);
    const biases = await next("biases", counts.filters);
    const norm = layer.operation.batchNormalize
      ? {
        scales: await next("scales", counts.filters),
        means: await next("means", counts.filters),
        variances: await next("variances", counts.filters),
      }
      : undefined;
    const negative = norm?.variances.findIndex((value) => value < 0) ?? -1;
    if (norm && negative >= 0) {
      throw new ModelError(
        `Cannot use weights ${origin}: ${where} has the negative variance ${
          norm.variances[negative]
        } at filter ${negative}; the file is damaged or belongs to another cfg`,
      );
    }
    const weights = await next("weights", counts.weights);
    found.set(layer.index, norm ? { biases, norm, weights } : { biases, weights });
  }
  return { header, layers: found };
}

async function readHeader(source: Source, origin: string): Promise<WeightsHeader> {
  const refuse = (): never => {
    throw new ModelError(
      `Cannot use weights ${origin}: its ${source.bytes} bytes do not hold the header of 16 or 20; get the file again`,
    );
  };
  const version = new Uint8Array(12);
  if (await source.read(version) < version.length) refuse();
  const [major, minor, revision] = new Int32Array(version.buffer);
  if (major < 0 || minor < 0) {
    throw new ModelError(
      `Cannot use weights ${origin}: it begins with version ${major}.${minor}; give a Darknet .weights file`,
    );
  }
  const wide = major * 10 + minor >= 2 && major < 1000 && minor < 1000;
  const seen = new Uint8Array(wide ? 8 : 4);
  if (await source.read(seen) < seen.length) refuse();
  const view = new DataView(seen.buffer);
  return {
    major,
    minor,
    revision,
    seen: wide ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true)),
    bytes: version.length + seen.length,
  };
}

/** The bytes after the header must be the network's floats, all of them and nothing else. */
function checkLength(bytes: number, origin: string, layers: readonly DarknetLayer[]): void {
  const needed = layers.reduce((sum, layer) => sum + (weightCounts(layer)?.total ?? 0), 0);
  if (bytes === 4 * needed) return;
  const floats = Math.floor(bytes / 4);
  const ragged = bytes % 4 === 0 ? "" : ` and ${bytes % 4} bytes that are not a whole float32`;
  if (floats >= needed) {
    throw new ModelError(
      `Cannot use weights ${origin}: it has ${floats} floats${ragged}, the cfg needs ${needed}: ${
        bytes - 4 * needed
      } bytes too many; use the cfg that belongs to these weights, or get the file again`,
    );
  }
  let before = 0;
  for (const layer of layers) {
    const { total } = weightCounts(layer) ?? { total: 0 };
    if (before + total <= floats) {
      before += total;
      continue;
    }
    throw new ModelError(
      `Cannot use weights ${origin}: it ends in layer ${layer.index} [convolutional] (line ${layer.line} of the cfg), which needs ` +
        `${total} floats and has ${
          floats - before
        }${ragged}; the cfg needs ${needed} in all, the file has ${floats}; get the whole ` +
        "file, or the cfg that belongs to it",
    );
  }
}

async function readFloats(
  source: Source,
  origin: string,
  where: string,
  name: string,
  count: number,
): Promise<Float32Array> {
  // Every machine that Deno runs on is little-endian, as the file is.
  const values = new Float32Array(count);
  const bytes = new Uint8Array(values.buffer);
  if (await source.read(bytes) < bytes.length) {
    throw new ModelError(
      `Cannot use weights ${origin}: it became shorter while it was read (${where}, ${name}); try again`,
    );
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new ModelError(
      `Cannot use weights ${origin}: ${where} has ${
        values[wrong]
      } among its ${name} (at ${wrong}); the file is damaged or belongs to another cfg`,
    );
  }
  return values;
}
