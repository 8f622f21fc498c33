/**
 * What a benchmark is, and how it measures: contenders take turns in one process, so that a busy machine slows all of them
 * alike and their ratio stays meaningful where their times are not.
 *
 * @module
 */

/** One benchmark. It prints tables and decides nothing: no time is a failure. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** Takes minutes: run by its name only. */
  readonly long?: boolean;
  run(args: readonly string[]): Promise<void>;
}

/** Rounds of a race: stops after `seconds`, but not before `least` rounds. */
export interface Effort {
  readonly seconds: number;
  readonly least?: number;
}

/**
 * Runs each contender once a round and gives the median milliseconds of each. The first round warms up and does not count.
 */
export async function race<Name extends string>(
  contenders: Readonly<Record<Name, () => unknown>>,
  { seconds, least = 3 }: Effort = { seconds: 2 },
): Promise<Record<Name, number>> {
  const names = Object.keys(contenders) as Name[];
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >;
  const end = performance.now() + 1000 * seconds;
  for (let round = 0; round <= least || performance.now() < end; round++) {
    for (const name of names) {
      const started = performance.now();
      await contenders[name]();
      if (round > 0) times[name].push(performance.now() - started);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<
    Name,
    number
  >;
}

/** The middle value; the lower one of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}

/** Three digits that matter, without an exponent. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return "n/a";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-3))));
  return value.toFixed(decimals);
}
