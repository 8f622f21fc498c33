/**
 * The benchmarks: `deno task bench` runs all that take seconds, `deno task bench NAME …` one of them.
 *
 * Every number worth quoting is a ratio between contenders that took turns in the same run.
 *
 * @module
 */

import type { Benchmark } from "./benchmark.ts";
import { gradient } from "./gradient.ts";
import { kernels } from "./kernels.ts";
import { ledger } from "./ledger.ts";
import { memory } from "./memory.ts";
import { methods } from "./methods.ts";
import { noise } from "./noise.ts";
import { paper } from "./paper.ts";
import { stages } from "./stages.ts";

const BENCHMARKS: readonly Benchmark[] = [
  stages,
  gradient,
  methods,
  kernels,
  ledger,
  memory,
  noise,
  paper,
];

const [name, ...rest] = Deno.args;
const chosen = name === undefined
  ? BENCHMARKS
  : BENCHMARKS.filter((benchmark) => benchmark.name === name);
if (chosen.length === 0) {
  console.error(
    `Cannot run benchmark ${JSON.stringify(name)}: there are ${
      BENCHMARKS.map((benchmark) => benchmark.name).join(", ")
    }`,
  );
  Deno.exit(2);
}
for (const benchmark of chosen) {
  console.log(`\n${benchmark.name}: ${benchmark.title}`);
  if (benchmark.long && name === undefined) {
    console.log(`skipped: takes minutes; deno task bench:${benchmark.name}`);
  } else await benchmark.run(rest);
}
