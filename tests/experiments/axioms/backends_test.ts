import assert from "node:assert/strict";
import { openClassifier } from "../../../src/classifier/open.ts";
import { findClassifier } from "../../../src/classifier/source.ts";
import { backends } from "../../../src/experiments/axioms/backends.ts";
import { checkAxioms } from "../../../src/experiments/axioms/mod.ts";
import { createCompute } from "../../../src/gpu/create_compute.ts";
import { gradCam } from "../../../src/methods/grad_cam.ts";
import { floats, type Tensor } from "../../../src/base/tensor.ts";
import { ablationCam } from "../../../src/methods/ablation_cam.ts";
import type { Method } from "../../../src/methods/mod.ts";
import { toFloats } from "../../../src/runtime/session.ts";
import { figure, withAxiomContext } from "./support.ts";
import { assertEvery, assertLess, assertMore } from "../../assert_that.ts";

Deno.test("native and WebAssembly give the same maps; a broken backend is noticed", async () => {
  const source = await findClassifier("mini-xception");
  const wasm = await openClassifier(source, { backend: "wasm", batch: 4 });
  const compute = await createCompute("cpu");
  try {
    const other = { classifier: wasm, compute };
    const near = await withAxiomContext(
      async (context) => figure(await backends.check(context, gradCam)),
      () => ({ other: () => Promise.resolve(other) }),
    );
    assertLess(near, 1e-4);
    const off = await withAxiomContext(
      async (context) => figure(await backends.check(context, gradCam)),
      () => ({
        other: () =>
          Promise.resolve({
            compute,
            classifier: {
              ...wasm,
              forward: (inputs) =>
                wasm.forward({ ...inputs, data: inputs.data.map((value) => value + 0.01) }),
            },
          }),
      }),
    );
    assertMore(off, 1e-4);
  } finally {
    await wasm.dispose();
  }
});

Deno.test("backends are not blamed for a map that jumps when the last bits of the input change", async () => {
  await withAxiomContext(async (context) => {
    const theirs = { ...context.classifier };
    const withOther = {
      ...context,
      other: () => Promise.resolve({ classifier: theirs, compute: context.compute }),
    };
    /** Grad-CAM with a cell raised by `size` on the other backend, and, if it jumps, for every input but the given one. */
    const raised = (size: number, jumps: boolean): Method => ({
      ...gradCam,
      name: "raised",
      yieldsWeights: false,
      async compute({ classifier, forward, input }) {
        const { height, width } = classifier.layer;
        const map = (await toFloats(forward.activation)).data.slice(0, 64 * height * width);
        const cells = new Float32Array(classifier.batch * height * width);
        cells.set(map.subarray(0, cells.length));
        const same = context.inputs.data.every((value, i) => value === input.data[i]);
        if (classifier === theirs || jumps && !same) cells[0] += size;
        return { map: floats([classifier.batch, height, width], cells) };
      },
    });
    const smooth = await backends.check(withOther, raised(0.1, false));
    assert.ok("value" in smooth, Object.keys(smooth).join());
    assertMore(smooth.value, 1e-4);
    const jumping = await backends.check(withOther, raised(0.1, true));
    assert.ok("skipped" in jumping, Object.keys(jumping).join());
    assert.match(jumping.skipped, /last bits of the input change it/);
  });
});

Deno.test("checkAxioms() gives a verdict or a reason for every axiom that speaks of a method", async () => {
  await withAxiomContext(async (context) => {
    const results = await Array.fromAsync(checkAxioms(context, [gradCam]));
    assert.deepEqual(results.map(({ axiom }) => axiom), [
      "gradient",
      "same as CAM",
      "mirror",
      "occlusion",
      "randomisation",
      "backends",
    ]);
    const last = results.at(-1)!;
    assert.equal(last.verdict, "skipped");
    assert.equal(last.reason, "there is no other backend here");
    assertEvery(results.slice(0, 2), ({ verdict, value }) => verdict === "holds" && value! >= 0);
  });
});

Deno.test("perturbation methods are compared on one sample, others on all", async () => {
  await withAxiomContext(async (context) => {
    const asked: number[] = [];
    const theirs = {
      ...context.classifier,
      forward: (inputs: Tensor) => {
        asked.push(inputs.shape[0]);
        return context.classifier.forward(inputs);
      },
    };
    const withOther = {
      ...context,
      other: () => Promise.resolve({ classifier: theirs, compute: context.compute }),
    };
    assert.equal(figure(await backends.check(withOther, gradCam)), 0);
    assert.equal(figure(await backends.check(withOther, ablationCam)), 0);
    assert.deepEqual(asked, [context.classes.length, 1]);
  });
});
