import assert from "node:assert/strict";
import { flip, mirror } from "../../../src/experiments/axioms/mirror.ts";
import { occlusion } from "../../../src/experiments/axioms/occlusion.ts";
import type { Axiom } from "../../../src/experiments/axioms/mod.ts";
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
