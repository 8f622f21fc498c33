import assert from "node:assert/strict";
import { floats, rows, type Tensor } from "../../src/base/tensor.ts";
import type { Classifier } from "../../src/classifier/classifier.ts";
import { fullGrad, type FullGradTerms, fullGradTerms } from "../../src/methods/full_grad.ts";
import type { Target } from "../../src/classifier/target.ts";
import { int, ints } from "../../src/onnx/graph.ts";
import { makeClassifier } from "../classifier/made_classifier.ts";
import { put } from "../onnx/native.ts";
import { mapDifference, mapsOf, openMobile, withImages } from "./reference_nets.ts";
import { mapOf, miniXception, noiseInputs, withContext } from "./shipped.ts";
import {
  CELLS,
  CHANNELS,
  COLOURS,
  CONV_BIAS,
  CONV_MATRIX,
  HEIGHT,
  HIDDEN,
  openSmallNet,
  passOf,
  pulled,
  smallInputs,
  WEIGHTS,
  WIDTH,
} from "./small_net.ts";
import { assertClose } from "../assert_close.ts";
import { assertLess, assertMore } from "../assert_that.ts";

/** Runs `use` on a classifier and disposes of it. */
async function using<T>(
  opening: Promise<Classifier>,
  use: (c: Classifier) => Promise<T>,
): Promise<T> {
  const classifier = await opening;
  try {
    return await use(classifier);
  } finally {
    await classifier.dispose();
  }
}

function assertComplete({ score, input, biases, implicit }: FullGradTerms, tolerance = 1e-4): void {
  const what = `${input} + ${biases} + ${implicit}`;
  assertClose(input + biases + implicit, score, { relative: tolerance }, what);
}

Deno.test("FullGrad of a net computed by hand", async () => {
  // y_0 = mean ReLU(2x − 1), x = 1 0 / 2 −1: z = 1 −1 / 3 −3, so ∂y/∂z = ¼ 0 / ¼ 0 and ∂y/∂x twice that.
  await using(
    makeClassifier({
      input: ["N", 1, 2, 2],
      layer: "maps",
      net(b) {
        const z = b.op("Conv", ["x", b.floats([1, 1, 1, 1], [2]), b.floats([1], [-1])]);
        put(b, "Relu", [z], {}, "maps");
        const pooled = b.op("Flatten", [b.op("GlobalAveragePool", ["maps"])], { axis: int(1) });
        return put(b, "Gemm", [pooled, b.floats([1, 2], [1, -1])], {}, "logits");
      },
    }),
    (classifier) =>
      withContext(classifier, floats([1, 1, 2, 2], [1, 0, 2, -1]), "logit", async (context) => {
        const { data } = await mapOf(fullGrad, context, [0, 0]);
        // |x ∂y/∂x| = ½ 0 / 1 0, scaled the same; |b ∂y/∂z| = ¼ 0 / ¼ 0, scaled to 1 0 / 1 0.
        assertClose(data.subarray(0, 4), [1.5, 0, 2, 0], 1e-5);
        assert.deepEqual([...data.subarray(4)], [0, 0, 0, 0], "padding");
        const [terms, ...others] = await fullGradTerms(context, [0, 0]);
        assert.equal(others.length, 0);
        assert.deepEqual(terms, { score: 1, input: 1.5, biases: -0.5, implicit: 0 });
      }),
  );
});

Deno.test("biases of windows as samples of a batch have no place in FullGrad's map", async () => {
  const mapFor = async (bias: number) => {
    const opening = makeClassifier({
      input: ["N", 1, 4, 4],
      layer: "maps",
      net(b) {
        put(b, "Conv", ["x", b.floats([1, 1, 1, 1], [2]), b.floats([1], [-1])], {}, "maps");
        const split = b.op("Reshape", ["maps", b.ints([-1, 1, 2, 2, 2, 2])]);
        const moved = b.op("Transpose", [split], { perm: ints([0, 2, 4, 1, 3, 5]) });
        const windows = b.op("Reshape", [moved, b.ints([-1, 1, 2, 2])]);
        const weight = b.floats([1, 1, 1, 1], [3]);
        const conv = b.op("Conv", [windows, weight, b.floats([1], [bias])]);
        const parts = b.op("Reshape", [b.op("Relu", [conv]), b.ints([-1, 2, 2, 1, 2, 2])]);
        const back = b.op("Transpose", [parts], { perm: ints([0, 3, 1, 4, 2, 5]) });
        const map = b.op("Reshape", [back, b.ints([-1, 1, 4, 4])]);
        const pooled = b.op("Flatten", [b.op("GlobalAveragePool", [map])], { axis: int(1) });
        return put(b, "Gemm", [pooled, b.floats([1, 2], [1, -1])], {}, "logits");
      },
    });
    const values = Float32Array.from({ length: 16 }, (_, i) => i % 3);
    let map: number[] = [];
    await using(
      opening,
      (classifier) =>
        withContext(classifier, floats([1, 1, 4, 4], values), "logit", async (context) => {
          map = [...(await mapOf(fullGrad, context, [0, 0])).data.subarray(0, 16)];
        }),
    );
    return map;
  };
  // The bias is too small to switch a ReLU: without a place it changes nothing.
  const without = await mapFor(0);
  assertMore(Math.max(...without), 1);
  assert.deepEqual(await mapFor(.1), without);
});

Deno.test("FullGrad's map and terms equal loops in float64", async () => {
  await using(openSmallNet(), async (classifier) => {
    const { inputs, each } = smallInputs();
    const classes = [0, 1, 2];
    await withContext(classifier, inputs, "logit", async (context) => {
      const maps = await mapOf(fullGrad, context, classes);
      const terms = await fullGradTerms(context, classes);
      each.forEach((x, row) => {
        const { convolved, hidden, logits } = passOf(x);
        const k = classes[row];
        const atHidden = WEIGHTS.second.slice(k * HIDDEN, (k + 1) * HIDDEN)
          .map((value, i) => hidden[i] > 0 ? value : 0);
        const atConvolved = pulled(WEIGHTS.first, atHidden, CHANNELS * CELLS)
          .map((value, i) => convolved[i] > 0 ? value : 0);
        const atInput = pulled(CONV_MATRIX, atConvolved, COLOURS * CELLS);
        const map = new Float64Array(CELLS);
        const add = (values: Float64Array) => {
          for (let from = 0; from < values.length; from += CELLS) {
            const own = values.slice(from, from + CELLS).map(Math.abs);
            const low = Math.min(...own), high = Math.max(...own);
            own.forEach((value, i) => map[i] += (value - low) / (1e-7 + high - low));
          }
        };
        add(atInput.map((value, i) => value * x[i]));
        add(atConvolved.map((value, i) => value * CONV_BIAS[i]));
        map.forEach((value, i) => assertClose(maps.data[row * CELLS + i], value, 1e-4));
        const dot = (a: Float64Array, b: Float64Array) => a.reduce((s, v, i) => s + v * b[i], 0);
        const biases = dot(atConvolved, CONV_BIAS) + dot(atHidden, WEIGHTS.firstBias) +
          WEIGHTS.secondBias[k];
        assertClose(terms[row].input, dot(atInput, x), 1e-5);
        assertClose(terms[row].biases, biases, 1e-5);
        assert.equal(terms[row].implicit, 0);
        assertClose(terms[row].score, logits[k], 1e-5);
      });
      assert.deepEqual(maps.shape, [3, HEIGHT, WIDTH]);
    });
  });
});

Deno.test("FullGrad is complete on the shipped classifier: input and biases give the logit, and nothing is implicit", async () => {
  await using(miniXception(), async (classifier) => {
    for (const target of ["logit", "probability"] as const satisfies readonly Target[]) {
      await withContext(classifier, noiseInputs(classifier, 3), target, async (context) => {
        const terms = await fullGradTerms(context, [0, 3, 6, 0]);
        assert.equal(terms.length, 3);
        for (const term of terms) {
          assertComplete(term);
          assert.equal(term.implicit !== 0, target === "probability");
        }
      });
    }
  });
});

Deno.test("FullGrad is complete through normalisations, products, LRN and constants in the graph", async () => {
  const input: Tensor = floats([1, 1, 4, 4], Array.from({ length: 16 }, (_, i) => Math.sin(i + 1)));
  await using(
    makeClassifier({
      input: ["N", 1, 4, 4],
      layer: "maps",
      net(b) {
        const shifted = b.op("Sub", ["x", b.scalar(0.2)]);
        const z = b.op("Conv", [
          shifted,
          b.floats([3, 1, 2, 2], Array.from({ length: 12 }, (_, i) => Math.cos(i))),
        ]);
        const moved = b.op("Add", [z, b.floats([1, 3, 1, 1], [0.3, -0.2, 0.1])]);
        const normal = b.op("BatchNormalization", [
          moved,
          b.floats([3], [1, 0.5, 2]),
          b.floats([3], [0.1, 0.2, 0.3]),
          b.floats([3], [0.4, -0.1, 0]),
          b.floats([3], [1, 2, 0.5]),
        ]);
        put(b, "LRN", [normal], { size: int(3) }, "maps");
        const gate = b.op("Sigmoid", [b.op("GlobalAveragePool", ["maps"])]);
        const gated = b.op("Mul", ["maps", gate]);
        const pooled = b.op("Flatten", [b.op("GlobalMaxPool", [gated])], { axis: int(1) });
        const weights = b.floats([3, 2], [1, -1, 0.5, 2, -0.3, 0.7]);
        return put(b, "Gemm", [pooled, weights, b.floats([2], [0.4, -0.6])], {}, "logits");
      },
    }),
    async (classifier) => {
      for (const target of ["logit", "probability"] as const) {
        await withContext(classifier, input, target, async (context) => {
          for (const k of [0, 1]) {
            const [terms] = await fullGradTerms(context, [k, k]);
            assertComplete(terms!, 1e-5);
            assertMore(Math.abs(terms!.biases), 1e-3);
            assertMore(Math.abs(terms!.implicit), 1e-3);
          }
        });
      }
    },
  );
});

Deno.test("FullGrad equals pytorch-grad-cam's on a small net, with normalisations folded or not", async () => {
  for (const file of ["mobile.onnx", "mobile_bn.onnx"]) {
    const net = await openMobile(file);
    try {
      const difference = mapDifference(
        await mapsOf(net, fullGrad, "logit"),
        rows(await net.read("pgc/fullgrad_logit_raw.npy"), 0, 2),
      );
      assertLess(difference, 2e-5, file);
      await withImages(net, "logit", async (context) => {
        for (const term of await fullGradTerms(context, [8, 7])) assertComplete(term);
      });
    } finally {
      await net.classifier.dispose();
    }
  }
});
