/** Damaged cfg and weights files, from a seed. */

import { createRng, type Rng } from "../../../src/base/rng.ts";
import type { Files } from "./files.ts";

/** Numbers and texts on which readers stumble. */
const VALUES = [
  ..."0 -1 1 2 3 7 255 65536 2147483647 2147483648 -2147483648 4294967297 999999999999999999999"
    .split(" "),
  ..."1e9 1e999 NaN Infinity -0 .5 0x10 , ,, -1,0 __proto__ leaky linear mish \u{1f600} = [ ] # ;"
    .split(" "),
  "1,".repeat(500),
  "9".repeat(400),
];
const LINES = [
  ..."[net] [convolutional] [shortcut] [route] [upsample] [maxpool] [yolo] [dropout] [".split(" "),
  ..."filters=1000000000 size=1000 stride=0 groups=2 from=-3 layers=-1,-1,-1,-1 classes=100000000 num=9"
    .split(" "),
  ..."width=100000 height=1 batch_normalize=0 pad=1 padding=3 scale=1e38 mask= activation=stair"
    .split(" "),
];

/** One damaged pair of files. */
export function mutant(cfg: string, weights: Uint8Array, seed: number): Files {
  const rng = createRng(seed);
  let made = { cfg: cfg as string | Uint8Array, weights };
  const changes = 1 + below(rng, 3);
  for (let i = 0; i < changes; i++) {
    const text = typeof made.cfg === "string" ? made.cfg : new TextDecoder().decode(made.cfg);
    const kind = below(rng, 8);
    if (kind < 5) made = { ...made, cfg: changeText(rng, text) };
    else if (kind === 5) made = { ...made, cfg: changeBytes(rng, new TextEncoder().encode(text)) };
    else made = { ...made, weights: changeBytes(rng, made.weights) };
  }
  return made;
}

function below(rng: Rng, count: number): number {
  return Math.floor(rng.uniform() * count);
}

function pick<T>(rng: Rng, list: readonly T[]): T {
  return list[below(rng, list.length)];
}

/** A line dropped, doubled, moved, put in, or with another value, or a section doubled. */
function changeText(rng: Rng, text: string): string {
  const lines = text.split("\n");
  const at = below(rng, lines.length);
  switch (below(rng, 7)) {
    case 0:
      lines.splice(at, 1 + below(rng, 6));
      break;
    case 1:
      lines.splice(below(rng, lines.length), 0, ...lines.slice(at, at + 1 + below(rng, 12)));
      break;
    case 2:
      lines.splice(below(rng, lines.length), 0, ...lines.splice(at, 1));
      break;
    case 3:
      lines.splice(at, 0, pick(rng, LINES));
      break;
    default: {
      const keyed = lines.flatMap((line, i) => line.includes("=") ? [i] : []);
      if (keyed.length === 0) break;
      const line = pick(rng, keyed);
      lines[line] = `${lines[line].split("=")[0]}=${pick(rng, VALUES)}`;
    }
  }
  return lines.join("\n");
}

/** Bits turned, a piece cut out, an end cut off, bytes added, or a number of the header or of the floats replaced. */
function changeBytes(rng: Rng, source: Uint8Array): Uint8Array {
  const bytes = source.slice();
  const at = below(rng, bytes.length || 1);
  switch (below(rng, 6)) {
    case 0:
      for (let i = 0; i < 1 + below(rng, 8); i++) {
        bytes[below(rng, bytes.length)] ^= 1 << below(rng, 8);
      }
      return bytes;
    case 1:
      return Uint8Array.from([
        ...bytes.subarray(0, at),
        ...bytes.subarray(at + 1 + below(rng, 64)),
      ]);
    case 2:
      return bytes.subarray(0, at);
    case 3:
      return Uint8Array.from([...bytes, ...bytes.subarray(0, below(rng, 200))]);
    case 4:
      if (bytes.length >= 12) {
        new DataView(bytes.buffer).setInt32(
          4 * below(rng, 3),
          pick(rng, [0, 1, 2, -1, 999, 1000, 1001, 2 ** 31 - 1]),
          true,
        );
      }
      return bytes;
    default: {
      const place = at - at % 4;
      if (place + 4 <= bytes.length) {
        new DataView(bytes.buffer).setFloat32(
          place,
          pick(rng, [NaN, Infinity, -1, 1e38, 1e-40, 0]),
          true,
        );
      }
      return bytes;
    }
  }
}
