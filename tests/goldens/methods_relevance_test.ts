/**
 * LIFT-CAM, LRP-CAM and guided backpropagation against their references, and their conservation, on the three reference networks.
 *
 * LIFT and LRP are compared with `ref_*`, the definitions in float64; captum's own (`full_*`) agrees with them, and the thesis' wiring
 * (`thesis_*`) deviates from the definitions.
 */

import assert from "node:assert/strict";
import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import { GUIDED } from "../../src/methods/guided_backprop.ts";
import { inputGradient } from "../../src/methods/_input_gradient.ts";
import { liftCam, liftContributions } from "../../src/methods/lift_cam.ts";
import { layerRelevance, lrpCam } from "../../src/methods/lrp_cam.ts";
import { type Method, scoreFunction } from "../../src/methods/mod.ts";
import { writeModel } from "../../src/onnx/model_file.ts";
import { liftGraph } from "../../src/rules/lift/contributions.ts";
import { type CompositeName, COMPOSITES } from "../../src/rules/lrp/composites.ts";
import { relevanceGraph } from "../../src/rules/lrp/relevance.ts";
import { toFloats } from "../../src/runtime/session.ts";
import { openSession } from "../../src/runtime/open.ts";
import {
  finalsOf,
  mapDifference,
  mapsOf,
  NETS,
  openReference,
  type ReferenceNet,
  withImages,
} from "../methods/reference_nets.ts";
import { bothClasses, difference } from "../methods/reference_values.ts";
import { goldenTest } from "../shared_goldens.ts";

/** Of the largest expected value, or of the score. */
const TOLERANCE = 1e-4;

function assertSmall(what: string, figure: number): void {
  if (Deno.env.has("SHOW")) console.log(what, figure.toExponential(1));
  assert.ok(figure <= TOLERANCE, `${what}: ${figure.toExponential(1)}`);
}

/** Raw and final maps of both classes; the references' raw maps are after the ReLU. */
async function compareMaps(net: ReferenceNet, method: Method, file: string): Promise<void> {
  const raw = await mapsOf(net, method, "logit");
  const rectified = floats(raw.shape, raw.data.map((value) => Math.max(value, 0)));
  assertSmall(
    `${net.name} ${method.name} raw`,
    mapDifference(rectified, await net.read(`captum/${file}_ref_raw.npy`)),
  );
  const finals = await finalsOf(net, method, raw);
  // The reference normalises without ε: a difference of 1e-7. One that is 0 everywhere has no range.
  const expected = await net.read(`captum/${file}_full_map.npy`);
  const size = sizeOf(expected.shape.slice(2));
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const from = i - i % size;
    const empty = expected.data.subarray(from, from + size).every((value) => value === 0);
    if (!empty) worst = Math.max(worst, Math.abs(finals.data[i] - expected.data[i]));
  }
  assertSmall(`${net.name} ${method.name} final`, worst);
}

for (const name of NETS) {
  goldenTest(
    `LIFT-CAM and LRP-CAM equal their definitions on ${name}, and add up`,
    async (goldens) => {
      const net = await openReference(goldens, name);
      const { classifier } = net;
      await compareMaps(net, liftCam, "liftcam");
      await compareMaps(net, lrpCam, "lrpcam");
      for (const target of ["logit", "probability"] as const) {
        await withImages(net, target, async (context) => {
          const { channels, height, width } = classifier.layer;
          const zeros = floats(
            [1, channels, height, width],
            new Float32Array(channels * height * width),
          );
          const reference = await classifier.evaluateHead(zeros, context.forward, 0);
          const { logits } = context.forward;
          const change = (row: number, k: number) => {
            const score = scoreFunction(context, row, k);
            return score(context.forward, row) - score(reference, 0);
          };
          const lift = await bothClasses(net, context, liftContributions);
          assertSmall(`${name} lift ${target} completeness`, gap(net, lift, change));
          if (target !== "logit") return;
          assertSmall(
            `${name} lift`,
            difference(lift, await net.read("captum/liftcam_ref_contrib.npy")),
          );
          for (const composite of Object.keys(COMPOSITES) as CompositeName[]) {
            const lrp = await bothClasses(
              net,
              context,
              async (c, k) => (await layerRelevance(c, k, composite)).relevance,
            );
            const lost = await bothClasses(
              net,
              context,
              async (c, k) => (await layerRelevance(c, k, composite)).absorbed,
            );
            if (composite === "epsilon") {
              assertSmall(
                `${name} lrp`,
                difference(lrp, await net.read("captum/lrpcam_ref_contrib.npy")),
              );
            }
            const conserved = gap(
              net,
              lrp,
              (row, k, at) => logits!.data[row * 20 + k] - lost.data[at],
              (row, k) => logits!.data[row * 20 + k],
            );
            assertSmall(`${name} lrp ${composite} conservation`, conserved);
          }
        });
      }
      await classifier.dispose();
    },
  );
}

/** The largest gap between a sum of contributions and what it should be, relative to a scale (by default the latter). */
function gap(
  net: ReferenceNet,
  found: Tensor,
  expected: (row: number, k: number, at: number) => number,
  scale = expected,
): number {
  const size = sizeOf(found.shape.slice(2));
  let worst = 0;
  net.classes.forEach((pair, row) =>
    pair.forEach((k, slot) => {
      const at = 2 * row + slot;
      const total = found.data.subarray(at * size, (at + 1) * size).reduce((a, b) => a + b, 0);
      worst = Math.max(worst, Math.abs(total - expected(row, k, at)) / Math.abs(scale(row, k, at)));
    })
  );
  return worst;
}

const EXPORTS = [
  ...["alexish", "alexish_dynamo", "alexish_lrnop", "resish", "resish_dynamo", "resish_bn"],
  ...["mobile", "mobile_dynamo", "mobile_bn"],
];

for (const file of EXPORTS) {
  goldenTest(`LIFT and LRP add up down to the input of ${file}`, async (goldens) => {
    const net = await openReference(goldens, file.split("_")[0], `${file}.onnx`);
    const { classifier, inputs } = net;
    const { graphs } = classifier;
    const ask = { score: graphs.logits!, target: graphs.input };
    const classes = net.classes.map(([k]) => k!);
    const cotangent = floats([4, 20], new Float32Array(80));
    classes.forEach((k, row) => cotangent.data[row * 20 + k] = 1);
    const feeds = { [graphs.input]: inputs, cotangent };
    const { logits } = await classifier.evaluate(inputs);
    const zeros = await classifier.evaluate(
      floats([1, ...classifier.inputShape], new Float32Array(sizeOf(classifier.inputShape))),
    );
    const size = sizeOf(classifier.inputShape);
    const sums = (values: Tensor) =>
      classes.map((_, row) =>
        values.data.subarray(row * size, (row + 1) * size).reduce((a, b) => a + b, 0)
      );
    const worst = (found: readonly number[], expected: readonly number[]) =>
      Math.max(...found.map((value, i) => Math.abs(value - expected[i]) / Math.abs(expected[i])));

    const lift = await openSession(writeModel(liftGraph(graphs.whole, ask)), "native", {
      threads: 1,
    });
    const contributions = await toFloats((await lift.run(feeds)).contributions!);
    await lift.dispose();
    const changes = classes.map((k, row) => logits!.data[row * 20 + k] - zeros.logits!.data[k]);
    assertSmall(`${file} lift to the input`, worst(sums(contributions), changes));
    for (const [name, composite] of Object.entries(COMPOSITES)) {
      const graph = relevanceGraph(graphs.whole, { ...ask, composite, toInput: true });
      const lrp = await openSession(writeModel(graph), "native", { threads: 1 });
      const results = await lrp.run(feeds);
      await lrp.dispose();
      const absorbed = await toFloats(results.absorbed!);
      const found = sums(await toFloats(results.relevance!)).map((total, row) =>
        total + absorbed.data[row]
      );
      assertSmall(
        `${file} lrp ${name} to the input`,
        worst(found, classes.map((k, row) => logits!.data[row * 20 + k])),
      );
    }
    await classifier.dispose();
  });
}

for (const name of ["alexish", "resish"] as const) {
  goldenTest(
    `guided backpropagation equals pytorch-grad-cam's and captum's on ${name}`,
    async (goldens) => {
      const net = await openReference(goldens, name);
      for (const [target, file] of [["logit", "logit"], ["probability", "prob"]] as const) {
        await withImages(net, target, async (context) => {
          const found = await bothClasses(net, context, (c, k) => inputGradient(c, k, GUIDED));
          const expected = channelsFirst(await net.read(`pgc/guided_backprop_${file}.npy`));
          assertSmall(`${name} guided ${file}`, difference(found, expected));
          if (target !== "logit") return;
          const other = await net.read("captum/guided_backprop_logit_captum.npy");
          assertSmall(`${name} guided captum`, difference(found, other));
        });
      }
      await net.classifier.dispose();
    },
  );
}

/** [n, 2, H, W, 3] as [n, 2, 3, H, W]. */
function channelsFirst({ shape, data }: Tensor): Tensor {
  const [n, slots, height, width, colours] = shape as [number, number, number, number, number];
  const cells = height * width;
  const moved = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [map, cell, colour] = [
      Math.floor(i / (cells * colours)),
      Math.floor(i / colours) % cells,
      i % colours,
    ];
    moved[(map * colours + colour) * cells + cell] = data[i];
  }
  return floats([n, slots, colours, height, width], moved);
}
