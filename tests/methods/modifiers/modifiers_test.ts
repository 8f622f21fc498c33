import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { readFloats } from "../../../src/classifier/values.ts";
import { openClassifier } from "../../../src/classifier/open.ts";
import { findClassifier } from "../../../src/classifier/source.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { elementwiseGradCam } from "../../../src/methods/elementwise_grad_cam.ts";
import { kpcaCam } from "../../../src/methods/kpca_cam.ts";
import { layerCam } from "../../../src/methods/layer_cam.ts";
import { hiResCam } from "../../../src/methods/hires_cam.ts";
import {
  augSmooth,
  eigenSmooth,
  findMethods,
  fusedLayers,
  type Method,
  modified,
} from "../../../src/methods/mod.ts";
import { createRng } from "../../../src/base/rng.ts";
import { randomiseWeights } from "../../../src/onnx/randomise.ts";
import { flip } from "../../../src/experiments/axioms/mirror.ts";
import {
  closerMaps,
  finalsOf,
  mapDifference,
  mapsOf,
  openMobile,
  type ReferenceNet,
} from "../reference_nets.ts";
import { assertAtMost, assertEvery, assertMore } from "../../assert_that.ts";
import { assertClose } from "../../assert_close.ts";

/** Runs `use` with the small network that is committed. */
async function withMobile(use: (net: ReferenceNet) => Promise<void>): Promise<void> {
  const net = await openMobile();
  try {
    await use(net);
  } finally {
    await net.classifier.dispose();
  }
}

async function finalOf(net: ReferenceNet, method: Method): Promise<Tensor> {
  return await finalsOf(net, method, await mapsOf(net, method, "logit"));
}

Deno.test("augmentation smoothing equals pytorch-grad-cam's aug_smooth", () =>
  withMobile(async (net) => {
    const expected = await net.read("pgc/gradcam_logit_aug_smooth_map.npy");
    const found = mapDifference(await finalOf(net, augSmooth.apply(gradCam)), expected);
    assertAtMost(found, 1e-4);
  }));

Deno.test("a map smoothed by augmentation is that of the mirrored input, mirrored, whatever the method", () =>
  withMobile(async (net) => {
    for (const method of [gradCam, hiResCam]) {
      const smooth = augSmooth.apply(method);
      const plain = await mapsOf(net, smooth, "logit");
      const mirrored = await mapsOf({ ...net, inputs: flip(net.inputs) }, smooth, "logit");
      const difference = mapDifference(flip(mirrored), plain);
      assertAtMost(difference, 1e-5, method.name);
      // The method by itself is not equivariant on this net, or the test would show nothing.
      const raw = await mapsOf(net, method, "logit");
      const other = await mapsOf({ ...net, inputs: flip(net.inputs) }, method, "logit");
      assertMore(mapDifference(flip(other), raw), 0.05);
    }
  }));

Deno.test("a map smoothed by augmentation is taken as it is: its mean in a box is the box's importance", () =>
  withMobile(async (net) => {
    const smooth = augSmooth.apply(gradCam);
    const raw = await mapsOf(net, smooth, "logit");
    const final = await finalsOf(net, smooth, raw);
    const difference = raw.data.reduce(
      (worst, value, i) => Math.max(worst, Math.abs(value - final.data[i])),
      0,
    );
    assertAtMost(difference, 1e-6);
    assertEvery(raw.data, (value) => value >= 0 && value <= 1);
  }));

Deno.test("first-component smoothing equals pytorch-grad-cam's eigen_smooth, up to sign", () =>
  withMobile(async (net) => {
    const smooth = eigenSmooth.apply(gradCam);
    const raw = await mapsOf(net, smooth, "logit");
    const opposite = floats(raw.shape, raw.data.map((value) => -value));
    const expected = await net.read("pgc/gradcam_logit_eigen_smooth_map.npy");
    const [a, b] = [await finalsOf(net, smooth, raw), await finalsOf(net, smooth, opposite)];
    const found = mapDifference(closerMaps(expected, a, b), expected);
    assertAtMost(found, 1e-3);
  }));

/** The first principal component of terms t(g, A) as pytorch-grad-cam has it: a singular value decomposition of the centred cells. */
function decomposed(method: Method, term: (g: number, a: number) => number): Method {
  return {
    ...method,
    async compute(context, classes) {
      const gradient = await readFloats((await context.gradient(classes)).gradient);
      const activation = await readFloats(context.forward.activation);
      const [batch, channels, height, width] = activation.shape as [number, number, number, number];
      const cells = height * width;
      const map = new Float32Array(batch * cells);
      for (let row = 0; row < context.forward.count; row++) {
        const at = (cell: number, k: number) => (row * channels + k) * cells + cell;
        const x = Matrix.from1DArray(
          cells,
          channels,
          Array.from({ length: cells * channels }, (_, i) => {
            const from = at(Math.floor(i / channels), i % channels);
            return term(gradient.data[from], activation.data[from]);
          }),
        ).center("column");
        const { rightSingularVectors } = new SingularValueDecomposition(x, { autoTranspose: true });
        map.set(
          x.mmul(rightSingularVectors.subMatrix(0, channels - 1, 0, 0)).to1DArray(),
          row * cells,
        );
      }
      return { map: floats([batch, height, width], map) };
    },
  };
}

Deno.test("first-component smoothing of HiResCAM, LayerCAM and element-wise Grad-CAM is that of their terms, up to sign", () =>
  withMobile(async (net) => {
    for (
      const [method, term] of [
        [hiResCam, (g, a) => g * a],
        [layerCam, (g, a) => Math.max(0, g) * a],
        [elementwiseGradCam, (g, a) => Math.max(0, g * a)],
      ] as [Method, (g: number, a: number) => number][]
    ) {
      const smooth = await mapsOf(net, eigenSmooth.apply(method), "logit");
      const expected = await mapsOf(net, decomposed(method, term), "logit");
      const opposite = floats(smooth.shape, smooth.data.map((value) => -value));
      const found = mapDifference(closerMaps(expected, smooth, opposite), expected);
      assertAtMost(found, 1e-5, method.name);
    }
  }));

Deno.test("with one weighted channel its first component is the channel without its mean", () =>
  withMobile(async (net) => {
    const { channels, height, width } = net.classifier.layer;
    const channel = 7, weight = 3;
    const one: Method = {
      ...gradCam,
      compute: (_, classes) => {
        const weights = new Float32Array(classes.length * channels);
        for (let row = 0; row < classes.length; row++) weights[row * channels + channel] = weight;
        return Promise.resolve({ weights: floats([classes.length, channels], weights) });
      },
    };
    const smooth = (await mapsOf(net, eigenSmooth.apply(one), "logit")).data;
    const plain = (await mapsOf(net, one, "logit")).data;
    const cells = height * width;
    for (let from = 0; from < plain.length; from += cells) {
      const map = plain.subarray(from, from + cells);
      const mean = map.reduce((a, b) => a + b, 0) / cells;
      const sign = Math.sign(map.reduce((sum, value, i) => sum + value * smooth[from + i], 0));
      const scale = Math.max(...map.map(Math.abs));
      map.forEach((value, i) => assertClose(sign * (value - mean), smooth[from + i], 1e-5 * scale));
      // The sign is the one that agrees with the plain map.
      assert.equal(sign, 1);
    }
  }));

Deno.test("fused layers equal pytorch-grad-cam's several target layers", () =>
  withMobile(async (net) => {
    const file = fileURLToPath(new URL("../../golden/onnx/mobile.onnx", import.meta.url));
    const source = await findClassifier(file);
    const others = await Promise.all(
      ["/b2/Add_output_0", "/b3/pw2/Conv_output_0"].map((layer) =>
        openClassifier(source, { backend: "native", batch: net.classifier.batch, layer })
      ),
    );
    try {
      const expected = await net.read("pgc/gradcam_logit_multilayer_map.npy");
      const fused = fusedLayers(others).apply(gradCam);
      const found = mapDifference(await finalOf(net, fused), expected);
      assertAtMost(found, 1e-4);
      assert.deepEqual(fused.settings?.layers, others.map(({ layer }) => layer.name));
    } finally {
      for (const other of others) await other.dispose();
    }
  }));

Deno.test("a layer fused with itself gives the plain map", () =>
  withMobile(async (net) => {
    const fused = fusedLayers([net.classifier]).apply(gradCam);
    const found = mapDifference(await finalOf(net, fused), await finalOf(net, gradCam));
    assertAtMost(found, 1e-5);
  }));

Deno.test("fused layers are those of the context's classifier, also of one with other weights", () =>
  withMobile(async (net) => {
    const fused = fusedLayers([await net.classifier.cutAt(net.classifier.layer.name)])
      .apply(gradCam);
    const random = await net.classifier.derive(
      "random",
      (graph) => randomiseWeights(graph, createRng(1)),
    );
    const other = { ...net, classifier: random };
    // Twice the same layer is that layer.
    const found = mapDifference(await finalOf(other, fused), await finalOf(other, gradCam));
    assertAtMost(found, 1e-5);
  }));

Deno.test("modifiers act in their order, leave controls alone, and say what they cannot change", () => {
  const control = findMethods(["eigen-cam"])[0].method;
  assert.deepEqual(modified(control, [augSmooth]), { method: control });
  const both = modified(gradCam, [eigenSmooth, augSmooth]);
  assert.ok("method" in both, Object.keys(both).join());
  assert.equal(both.method.name, "grad-cam+eigen-smooth+aug-smooth");
  assert.deepEqual(both.method.settings?.modifiers, ["eigen-smooth", "aug-smooth"]);
  assert.deepEqual(modified(kpcaCam, [eigenSmooth]), {
    modifier: "eigen-smooth",
    reason: "its maps are not sums over the channels of the target layer",
  });
});
