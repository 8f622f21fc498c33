/**
 * Seeded random numbers: a counter-based generator, so that the value for (seed, key, counter) does not depend on
 * the order in which values are drawn, on batches or on shards.
 *
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011) for the idea; the mixing function is
 * the 32-bit finaliser "lowbias32" found by Chris Wellons' hash prospector (public domain), applied in a chain.
 *
 * @module
 */

function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  value = Math.imul(value ^ (value >>> 15), 0x735a2d97);
  return (value ^ (value >>> 15)) >>> 0;
}

/** A stream of random numbers that can be split by key; all state is in its arguments and its counter. */
export interface Rng {
  /** The next 32 random bits, 0 … 2^32−1. */
  bits(): number;
  /** The next number in [0, 1), with 53 random bits. */
  uniform(): number;
  /** The next standard normal number (Box–Muller, one of each pair). */
  normal(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
  /** An independent stream for this key, whatever has been drawn here before. */
  split(key: string | number): Rng;
}

/** Makes the stream of a seed (any whole number; its low 32 bits count). */
export function createRng(seed: number): Rng {
  return stream(mix(seed >>> 0), mix(~seed >>> 0));
}

function stream(high: number, low: number): Rng {
  let counter = 0;
  const bits = () => {
    counter++;
    return mix(mix((high + Math.imul(counter, 0x9e3779b9)) >>> 0) ^ low);
  };
  const uniform = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;
  return {
    bits,
    uniform,
    normal() {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    below: (n) => Math.floor(uniform() * n),
    split(key) {
      let a = high, b = low;
      for (const character of String(key)) {
        const code = character.codePointAt(0)!;
        a = mix((a ^ code) >>> 0);
        b = mix((b + Math.imul(code, 0x85ebca6b)) >>> 0);
      }
      return stream(mix(a ^ 0x5bd1e995), mix(b ^ a));
    },
  };
}

/** Puts the elements of an array into random order, in place (Fisher–Yates). */
export function shuffle(values: { readonly length: number; [at: number]: number }, rng: Rng): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = rng.below(i + 1), kept = values[i];
    values[i] = values[j];
    values[j] = kept;
  }
}
