/** Damaged files give a model or one line that says why not: nothing else, and nothing is left over. */

import assert from "node:assert/strict";
import { ModelError, UsageError } from "../../../src/base/errors.ts";
import { RECORD_FILE } from "../../../src/base/owned_folder.ts";
import { parseCfg } from "../../../src/importers/darknet/cfg.ts";
import { readNetwork } from "../../../src/importers/darknet/network.ts";
import { readModel } from "../../../src/onnx/model_file.ts";
import { inferShapes } from "../../../src/onnx/shapes.ts";
import { findCard } from "../../../src/runtime/card.ts";
import { importFiles, NETWORKS, withFolder } from "./files.ts";
import { mutant } from "./mutants.ts";
import { madeWeights } from "./twin.ts";

/** How many; a long run sets another number. */
const COUNT = Number(Deno.env.get("EMOCAM_MUTANTS") ?? 400);
const NETS = ["odd", "wide", "mini3", "tiny"];

Deno.test("damaged cfg and weights files give a sound model or one line that says why not", async () => {
  const sources = await Promise.all(NETS.map(async (net) => {
    const cfg = await Deno.readTextFile(new URL(`${net}.cfg`, NETWORKS));
    return { cfg, weights: madeWeights(readNetwork(parseCfg(cfg, net), net), 1) };
  }));
  const seen = { made: 0, refused: 0 };
  let slowest = 0;
  await withFolder(async (folder) => {
    for (let seed = 0; seed < COUNT; seed++) {
      const { cfg, weights } = sources[seed % sources.length];
      const started = performance.now();
      try {
        const model = await importFiles(folder, mutant(cfg, weights, seed));
        const graph = readModel(await Deno.readFile(model.file));
        const known = inferShapes(graph);
        for (const { name, shape } of graph.outputs) {
          assert.deepEqual(known.get(name)!.shape, shape);
        }
        await findCard(model.card);
        seen.made++;
        await Deno.remove(model.file);
        await Deno.remove(model.card);
      } catch (error) {
        assert(
          error instanceof ModelError || error instanceof UsageError,
          `seed ${seed}: ${(error as Error).stack}`,
        );
        assert.match(error.message, /^Cannot [^\n]{10,1000}$/, `seed ${seed}`);
        seen.refused++;
      }
      slowest = Math.max(slowest, performance.now() - started);
    }
    const left = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(left.sort(), [RECORD_FILE, "made.cfg", "made.weights"]);
  });
  // Both kinds must occur, else the mutations have lost their point.
  assert(seen.made > COUNT / 20, JSON.stringify(seen));
  assert(seen.refused > COUNT / 3, JSON.stringify(seen));
  assert(slowest < 5000, `one took ${slowest} ms`);
});
