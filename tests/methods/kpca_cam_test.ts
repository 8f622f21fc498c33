import assert from "node:assert/strict";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { kpcaCam } from "../../src/methods/kpca_cam.ts";
import {
  channelsOf,
  madeLayer,
  randomLayer,
  rawMapsOf,
  relativeToRange,
  sum,
} from "./made_layer.ts";

Deno.test("KPCA-CAM equals its definition on random layers", async () => {
  const layer = randomLayer([2, 12, 4, 5], { rectified: true });
  const maps = await rawMapsOf(kpcaCam, layer);
  for (const row of [0, 1]) {
    const centred = channelsOf(layer.activation, row).map((channel) =>
      channel.map((value) => value - sum(channel) / channel.length)
    );
    const cells = 20;
    const kernel = new Matrix(cells, cells);
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < cells; j++) {
        kernel.set(
          i,
          j,
          Math.tanh(sum(centred.map((channel) => channel[i]! * channel[j]!)) / 12 + 1),
        );
      }
    }
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
      kernel.center("row").center("column"),
    );
    const best = realEigenvalues.indexOf(Math.max(...realEigenvalues));
    const vector = eigenvectorMatrix.getColumn(best);
    const largest = vector.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    const expected = vector.map((v) => Math.sign(largest) * v * Math.sqrt(realEigenvalues[best]!));
    assert.ok(relativeToRange(maps[row]!, expected) < 1e-6);
  }
});

Deno.test("KPCA-CAM of a layer without variation is 0", async () => {
  const [map] = await rawMapsOf(kpcaCam, madeLayer([[[2, 2], [2, 2]], [[-1, -1], [-1, -1]]]));
  map!.forEach((value) => assert.ok(Math.abs(value) < 1e-7, String(map)));
});
