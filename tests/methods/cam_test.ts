import assert from "node:assert/strict";
import { sha256 } from "../../src/base/json.ts";
import type { Tensor } from "../../src/base/tensor.ts";
import type { Classifier, ScoreTensor } from "../../src/classifier/classifier.ts";
import { readFloats } from "../../src/classifier/values.ts";
import { openClassifier } from "../../src/classifier/open.ts";
import { networkOf } from "../../src/runtime/network.ts";
import { findClassifier, sourceOf } from "../../src/classifier/source.ts";
import { createCompute } from "../../src/gpu/create_compute.ts";
import { finalMaps, rawMaps } from "../../src/kernels/box_scores.ts";
import { cam } from "../../src/methods/cam.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { createContext, type Method } from "../../src/methods/mod.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { netOn, noise, output, put } from "../onnx/native.ts";
import { mapsOf as referenceMaps, openMobile, withImages } from "./reference_nets.ts";
import { openSmallNet } from "./small_net.ts";
import { assertClose } from "../assert_close.ts";

const HEIGHT = 2, WIDTH = 3, CHANNELS = 4, CLASSES = 3;
const CELLS = HEIGHT * WIDTH;
const LINEAR = noise([CLASSES, CHANNELS], 21), BIAS = noise([CLASSES], 22);

/** x [3, 2, 3] → 1×1 convolution → ReLU ("maps") → global average pooling → fully connected → softmax. */
async function openPooled(): Promise<Classifier> {
  const b = netOn(["N", 3, HEIGHT, WIDTH]);
  put(b, "Relu", [b.op("Conv", ["x", b.initializer(noise([CHANNELS, 3, 1, 1], 23))])], {}, "maps");
  const pooled = b.op("Flatten", [b.op("GlobalAveragePool", ["maps"])]);
  put(b, "Gemm", [pooled, b.initializer(LINEAR), b.initializer(BIAS)], {
    transB: { kind: "int", value: 1 },
  }, "logits");
  put(b, "Softmax", ["logits"], {}, "probabilities");
  const bytes = writeModel(output(b, "probabilities"));
  return await openClassifier(
    sourceOf(networkOf({
      name: "pooled",
      task: "classifier",
      file: "pooled.onnx",
      sha256: sha256(bytes),
      source: "made for tests",
      licence: "as the project",
      input: {
        name: "x",
        width: WIDTH,
        height: HEIGHT,
        channels: "rgb",
        fit: "stretch",
        resize: "pillow-bicubic",
        scale: 1,
        mean: [0],
        std: [1],
      },
      output: {},
      classes: ["a", "b", "c"],
      placement: "half-pixel",
    }, bytes)),
    { backend: "native", batch: 2, layer: "maps" },
  );
}

/** Raw maps [2, h, w] of a batch of two, and the final ones at input size. */
async function mapsOf(classifier: Classifier, method: Method, input: Tensor, classes: number[]) {
  const forward = await classifier.forward(input);
  const context = createContext(classifier, forward, "logit", { seed: 0, keys: [] });
  const attribution = await method.compute(context, classes);
  assert.ok("weights" in attribution, Object.keys(attribution).join());
  const { channels, height, width } = classifier.layer;
  const batch = {
    maps: classes.length,
    height,
    width,
    from: {
      activation: (forward.activation as Tensor).data,
      channels,
      weights: (await readFloats(attribution.weights)).data,
    },
  };
  const compute = await createCompute("cpu");
  const [, h, w] = classifier.inputShape;
  const frame = { width: w, height: h, placement: classifier.placement };
  return {
    forward,
    raw: await rawMaps(compute, { ...batch, rectify: false }),
    final: await finalMaps(compute, { ...batch, rectify: method.rectify }, frame),
  };
}

Deno.test("CAM is Σ W A, and complete: its mean over the cells and the bias are the logit", async () => {
  const classifier = await openPooled();
  const classes = [2, 0];
  const { raw, forward } = await mapsOf(classifier, cam, noise([2, 3, HEIGHT, WIDTH], 9), classes);
  const activation = (forward.activation as Tensor).data;
  classes.forEach((k, row) => {
    let mean = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      let expected = 0;
      for (let c = 0; c < CHANNELS; c++) {
        expected += LINEAR.data[k * CHANNELS + c] *
          activation[(row * CHANNELS + c) * CELLS + cell];
      }
      assertClose(raw[row * CELLS + cell], expected, 1e-6);
      mean += raw[row * CELLS + cell] / CELLS;
    }
    const logit = forward.logits!.data[row * CLASSES + k];
    assertClose(mean + BIAS.data[k], logit, 1e-6);
  });
  await classifier.dispose();
});

Deno.test("after pooling and a linear layer Grad-CAM of the logit is CAM divided by the number of cells, and the same once normalised", async () => {
  const classifier = await openPooled();
  for (let k = 0; k < CLASSES; k++) {
    const input = noise([2, 3, HEIGHT, WIDTH], 30 + k);
    const classes = [k, (k + 1) % CLASSES];
    const a = await mapsOf(classifier, cam, input, classes);
    const b = await mapsOf(classifier, gradCam, input, classes);
    a.raw.forEach((value, i) => assertClose(value / CELLS, b.raw[i], 1e-7));
    assertClose(a.final, b.final, 1e-5);
  }
  await classifier.dispose();
});

Deno.test("where the pooled channels are the logits the map is the class's own channel", async () => {
  const classifier = await openClassifier(await findClassifier("mini-xception"), {
    backend: "native",
    batch: 2,
  });
  const { raw, forward } = await mapsOf(classifier, cam, noise([2, 1, 64, 64], 4), [3, 6]);
  const activation = (forward.activation as Tensor).data;
  assert.deepEqual(raw.slice(0, 64), activation.slice(3 * 64, 4 * 64));
  assert.deepEqual(raw.slice(64), activation.slice((7 + 6) * 64, (7 + 7) * 64));
  await classifier.dispose();
});

Deno.test("CAM refuses a head that is more than pooling and one linear layer, and says why", async () => {
  const classifier = await openSmallNet();
  assert.match(
    cam.unsupported(classifier, "logit")!.reason,
    /^CAM needs a pooling \+ linear head: /,
  );
  const pooled = await openPooled();
  for (const target of ["logit", "probability", "margin"] as const) {
    assert.equal(cam.unsupported(pooled, target), undefined);
  }
  const scores: ScoreTensor = "logits";
  assert.equal(pooled.gradientUnsupported(scores), undefined);
  await pooled.dispose();
  await classifier.dispose();
});

Deno.test("on an exported network too CAM is Grad-CAM of the logit times the number of cells", async () => {
  const net = await openMobile();
  try {
    const found = await referenceMaps(net, cam, "logit");
    const other = await referenceMaps(net, gradCam, "logit");
    const scale = Math.max(...found.data.map(Math.abs));
    found.data.forEach((value, i) => assertClose(value, 63 * other.data[i], 1e-5 * scale));
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("on an exported network too CAM's mean over the map is the logit without its bias", async () => {
  const net = await openMobile();
  try {
    const maps = await referenceMaps(net, cam, "logit");
    await withImages(net, "logit", ({ forward }) => {
      // Two classes of one image have their own biases; of two images the bias is the same, so differences show it.
      const mean = (image: number, slot: number) => {
        const from = (2 * image + slot) * 63;
        return maps.data.subarray(from, from + 63).reduce((a, b) => a + b) / 63;
      };
      [8, 7].forEach((k, slot) => {
        const { data } = forward.logits!;
        const expected = data[k] - data[20 + k];
        assertClose(mean(0, slot) - mean(1, slot), expected, 1e-4);
      });
      return Promise.resolve();
    });
  } finally {
    await net.classifier.dispose();
  }
});
