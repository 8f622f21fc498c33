import assert from "node:assert/strict";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { floats } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { kpcaCam } from "../../src/methods/kpca_cam.ts";
import { assertDefinedBy, madeLayer, randomLayer, rawMapsOf, sum } from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("KPCA-CAM equals its definition on random layers", () =>
  assertDefinedBy(kpcaCam, randomLayer([2, 12, 4, 5], { rectified: true }), (activation) => {
    const centred = activation.map((channel) =>
      channel.map((value) => value - sum(channel) / channel.length)
    );
    const cells = 20;
    const kernel = new Matrix(cells, cells);
    for (let i = 0; i < cells; i++) {
      for (let j = 0; j < cells; j++) {
        kernel.set(
          i,
          j,
          Math.tanh(sum(centred.map((channel) => channel[i] * channel[j])) / 12 + 1),
        );
      }
    }
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
      kernel.center("row").center("column"),
    );
    const best = realEigenvalues.indexOf(Math.max(...realEigenvalues));
    const vector = eigenvectorMatrix.getColumn(best);
    const largest = vector.reduce((a, b) => Math.abs(b) > Math.abs(a) ? b : a);
    return vector.map((v) => Math.sign(largest) * v * Math.sqrt(realEigenvalues[best]));
  }));

Deno.test("KPCA-CAM of a layer without variation is 0", async () => {
  const [map] = await rawMapsOf(kpcaCam, madeLayer([[[2, 2], [2, 2]], [[-1, -1], [-1, -1]]]));
  assertClose(map!, map!.map(() => 0), 1e-7);
});

Deno.test("KPCA-CAM of dead and constant layers is exactly 0, whatever rounding leaves of the kernel", async () => {
  for (const side of [4, 13, 14, 32]) {
    for (const level of [0, 0.1, 1234.5]) {
      const shape = [1, 5, side, side];
      const data = Float32Array.from(
        { length: 5 * side ** 2 },
        (_, i) => level * (1 + 0.37 * Math.floor(i / side ** 2)),
      );
      const activation = floats(shape, data);
      const [map] = await rawMapsOf(kpcaCam, { activation, gradient: activation });
      assert.ok(map!.every((value) => value === 0), `${side} ${level}: ${Math.max(...map!)}`);
    }
  }
});

Deno.test("KPCA-CAM of small activations is not taken for rounding, and a NaN stays one", async () => {
  const layer = randomLayer([2, 12, 4, 5], { rectified: true });
  const data = layer.activation.data.map((value) => 1e-3 * value);
  data[250] = NaN;
  const activation = floats(layer.activation.shape, data);
  const [small, broken] = await rawMapsOf(kpcaCam, { ...layer, activation });
  assert.ok(Math.max(...small!) > 1e-5, String(small));
  assert.ok(broken!.every(Number.isNaN), String(broken));
});

Deno.test("KPCA-CAM is refused for a layer whose kernel matrix would not fit", () => {
  const at = (height: number, width: number) =>
    kpcaCam.unsupported({ layer: { height, width } } as unknown as Classifier, "logit")?.reason;
  assert.equal(at(64, 64), undefined);
  assert.equal(
    at(224, 200),
    "the layer has 224×200 cells, and kernel PCA compares each with each: take a layer of at most 4096 (--layer)",
  );
});
