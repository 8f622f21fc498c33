import assert from "node:assert/strict";
import { flip, mirror } from "../../../src/experiments/axioms/mirror.ts";
import { occlusion } from "../../../src/experiments/axioms/occlusion.ts";
import { type Axiom, type AxiomContext, checkAxioms } from "../../../src/experiments/axioms/mod.ts";
import { createRng } from "../../../src/base/rng.ts";
import { createCompute } from "../../../src/gpu/create_compute.ts";
import { ints } from "../../../src/onnx/graph.ts";
import { makeClassifier } from "../../classifier/made_classifier.ts";
import { put } from "../../onnx/native.ts";
import { placementBy, type PlacementRule } from "../../../src/classifier/geometry.ts";
import { floats } from "../../../src/base/tensor.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { guidedGradCam } from "../../../src/methods/guided_grad_cam.ts";
import { augSmooth } from "../../../src/methods/modifiers/aug_smooth.ts";
import { sobel } from "../../../src/methods/sobel.ts";
import type { Method } from "../../../src/methods/mod.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertLess, assertMore } from "../../assert_that.ts";

Deno.test("flip() mirrors every row and is its own inverse", () => {
  const inputs = floats([1, 2, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const flipped = flip(inputs);
  assert.deepEqual([...flipped.data], [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
  assert.deepEqual(flip(flipped), inputs);
});

Deno.test("the mirror axiom is 1 for edges, which turn with the picture", async () => {
  const value = await withAxiomContext(async (context) =>
    figure(await mirror.check(context, sobel))
  );
  assertMore(value, 1 - 1e-6);
});

/** A map that does not look at the picture: larger to the right. */
const ramp: Method = {
  ...sobel,
  name: "ramp",
  compute({ classifier }, classes) {
    const [, height, width] = classifier.inputShape;
    const size = classes.length * height * width;
    const map = Float32Array.from({ length: size }, (_, i) => i % width);
    return Promise.resolve({ map: floats([classes.length, height, width], map) });
  },
};

Deno.test("the mirror axiom is −1 for a map that stays where it was, and skips constant maps", async () => {
  await withAxiomContext(async (context) => {
    assertLess(figure(await mirror.check(context, ramp)), -1 + 1e-6);
    const flat: Method = {
      ...ramp,
      compute: ({ classifier }, classes) => {
        const [, height, width] = classifier.inputShape;
        const map = new Float32Array(classes.length * height * width).fill(2);
        return Promise.resolve({ map: floats([classes.length, height, width], map) });
      },
    };
    assert.deepEqual(await mirror.check(context, flat), { skipped: "all maps are constant" });
  });
});

Deno.test("mirror and occlusion note their figure under the other placement: that of a classifier placed so", async () => {
  const findings = async (axiom: Axiom, placement: PlacementRule) =>
    await withAxiomContext(
      async (context) => await axiom.check(context, gradCam),
      (classifier) => ({
        classifier: {
          ...classifier,
          placementRule: placement,
          placement: placementBy(classifier, placement)!,
        },
      }),
    );
  for (const axiom of [mirror, occlusion]) {
    const byField = await findings(axiom, "receptive-field");
    const even = await findings(axiom, "half-pixel");
    assert.ok("value" in byField, Object.keys(byField).join());
    assert.ok("value" in even, Object.keys(even).join());
    assert.notEqual(byField.value, even.value);
    assert.equal(byField.note, `placed by half-pixel: ${even.value.toPrecision(3)}`);
    assert.equal(even.note, `placed by receptive-field: ${byField.value.toPrecision(3)}`);
  }
});

Deno.test("mirror and occlusion are not tested of a layer whose rows and columns may not be the picture's", async () => {
  const findings = async (axiom: Axiom, method: Method, rows: "of the picture" | "assumed") =>
    await withAxiomContext(
      async (context) => await axiom.check(context, method),
      (classifier) => {
        const { field: _, ...layer } = classifier.layer;
        const placement = placementBy(classifier, "half-pixel")!;
        const placed = { placementRule: "half-pixel" as const, placement };
        return { classifier: { ...classifier, ...placed, layer: { ...layer, rows } } };
      },
    );
  for (const axiom of [mirror, occlusion]) {
    const assumed = await findings(axiom, gradCam, "assumed");
    assert.match("skipped" in assumed ? assumed.skipped : "", /whether the rows and columns/);
    const known = await findings(axiom, gradCam, "of the picture");
    assert.deepEqual(Object.keys(known), ["value"]);
    assert.ok("value" in await findings(axiom, sobel, "assumed"), "maps of pixels");
    // Made from the layer, but with the cells of the input in the end.
    for (const method of [guidedGradCam, augSmooth.apply(gradCam)]) {
      assert.deepEqual(await findings(axiom, method, "assumed"), assumed, method.name);
    }
  }
});

Deno.test("maps of pixels lie where they lie: no other placement is noted", async () => {
  await withAxiomContext(async (context) => {
    const finding = await mirror.check(context, sobel);
    assert.ok("value" in finding, Object.keys(finding).join());
    assert.ok(!("note" in finding), Object.keys(finding).join());
  });
});

/** Contexts of a small net: convolution → ReLU (the layer) → mean → linear, with kernels that are their own mirror image or not. */
async function withSmallNet(symmetric: boolean, use: (context: AxiomContext) => Promise<void>) {
  const rng = createRng(4);
  const classifier = await makeClassifier({
    input: ["N", 1, 24, 24],
    layer: "act",
    batch: 3,
    net(b) {
      const kernel = Float32Array.from({ length: 4 * 25 }, () => rng.normal());
      if (symmetric) {
        kernel.forEach((_, i) => {
          const column = i % 5;
          if (column > 2) kernel[i] = kernel[i - column + (4 - column)];
        });
      }
      const conv = b.op("Conv", ["x", b.floats([4, 1, 5, 5], kernel)], {
        pads: ints([2, 2, 2, 2]),
      });
      const act = put(b, "Relu", [conv], {}, "act");
      const weights = Float32Array.from({ length: 4 * 3 }, () => rng.normal());
      return b.op("Gemm", [
        b.op("Flatten", [b.op("GlobalAveragePool", [act])]),
        b.floats([4, 3], weights),
      ]);
    },
  });
  try {
    // Blots on the left: a picture that differs from its mirror image.
    const inputs = floats(
      [3, 1, 24, 24],
      Float32Array.from({ length: 3 * 576 }, (_, i) => {
        const x = i % 24, y = Math.floor(i / 24) % 24;
        return Math.exp(-((x - 7) ** 2 + (y - 12) ** 2) / 12) + 0.02 * rng.normal();
      }),
    );
    await use({
      classifier,
      compute: await createCompute("cpu"),
      inputs,
      keys: ["a", "b", "c"],
      classes: [0, 1, 2],
      target: "logit",
      seed: 1,
      other: () => Promise.resolve(undefined),
    });
  } finally {
    await classifier.dispose();
  }
}

async function verdictOf(context: AxiomContext, method: Method) {
  const results = await Array.fromAsync(checkAxioms(context, [method]));
  return results.find(({ axiom }) => axiom === "mirror")!;
}

Deno.test("a classifier that treats mirrored pictures otherwise is no reason to call a method wrong", async () => {
  await withSmallNet(true, async (context) => {
    assert.equal((await verdictOf(context, gradCam)).verdict, "holds");
    // The classifier is the same on both sides: what stays where it was is the method's.
    assert.equal((await verdictOf(context, ramp)).verdict, "fails");
  });
  await withSmallNet(false, async (context) => {
    const { verdict, reason, value } = await verdictOf(context, ramp);
    assert.equal(verdict, "skipped");
    assert.match(
      reason!,
      /^the classifier itself treats mirrored pictures otherwise: -?[0-9.]+ for/,
    );
    assertLess(value!, -1 + 1e-6);
  });
});
