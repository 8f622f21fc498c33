/**
 * False and true claims over pictures of noise, through the command line: how many claims `stats` makes where nothing decides the
 * prediction, and whether it finds the one object that does.
 *
 *     deno task bench noise [COUNT] [SEEDS]
 *
 * @module
 */

import { join } from "node:path";
import type { Claims } from "../src/association/claims/claim.ts";
import { textTable } from "../src/commands/terminal.ts";
import type { Benchmark } from "./benchmark.ts";
import { TOKEN, writeNoise } from "./noise_pictures.ts";

export const noise: Benchmark = {
  name: "noise",
  title: "claims over pictures of noise, without and with one object that decides",
  long: true,
  async run([count = "3000", seeds = "5"]) {
    const rows: string[][] = [];
    for (const planted of [false, true]) {
      for (const grain of [16, undefined]) {
        for (let seed = 1; seed <= Number(seeds); seed++) {
          const { methods: [method], claims } = await claimsOver({
            ...{ count: Number(count), seed, planted, grain },
          });
          const supported = claims.filter(({ verdict }) => verdict === "supported");
          rows.push([
            planted ? "noise and a face" : "noise",
            grain === undefined ? "1 to 32" : String(grain),
            String(seed),
            ...[method.testable, method.significant, method.verdicts.artefact].map(String),
            ...[supported.length, supported.filter(({ object }) => object === TOKEN).length]
              .map(String),
            supported.map((claim) => `${claim.object} → ${claim.class}`).join(", "),
          ]);
          console.log(rows.at(-1)!.join("  "));
        }
      }
    }
    const header = ["pictures", "grain", "seed", "cells", "passing", "artefacts", "supported"];
    console.log(textTable([...header, `of them ${TOKEN}`, "which"], rows));
  },
};

/** Makes pictures, analyses them, and gives the claims. @throws {Error} when it fails. */
async function claimsOver(options: Parameters<typeof writeNoise>[1]): Promise<Claims> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-bench-" });
  try {
    const pictures = join(folder, "pictures"), out = join(folder, "run");
    const boxes = await writeNoise(pictures, options);
    await emocam("analyze", pictures, "--detector", boxes, "--samples", "image", "--out", out);
    await emocam("stats", out);
    return JSON.parse(await Deno.readTextFile(join(out, "claims.json")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command in a process. @throws {Error} when it fails. */
async function emocam(...args: string[]): Promise<void> {
  const main = new URL("../main.ts", import.meta.url);
  const permissions = ["read", "write", "env", "ffi", "sys"].map((name) => `--allow-${name}`);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", ...permissions, main.href, ...args],
  }).output();
  if (!success) throw new Error(`Cannot run ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
