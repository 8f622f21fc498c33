/**
 * Methods on the gradient at the input against captum 0.9.0 and torch's autograd, value by value before channels become one map, on the
 * three reference networks (images 0 and 1), and the completeness of Integrated Gradients.
 */

import assert from "node:assert/strict";
import { floats, sizeOf, type Tensor } from "../../src/base/tensor.ts";
import {
  inputGradient,
  largestOfChannels,
  sumOfChannels,
} from "../../src/methods/_input_gradient.ts";
import { inputXGradient } from "../../src/methods/input_x_gradient.ts";
import { integratedGradients, integratePieces } from "../../src/methods/integrated_gradients.ts";
import { gaussLegendre, integrateGradients, trapezoid } from "../methods/quadrature.ts";
import { scoreFunction } from "../../src/methods/mod.ts";
import { saliency } from "../../src/methods/saliency.ts";
import { smoothedGradient } from "../../src/methods/smooth_grad.ts";
import {
  mapDifference,
  mapsOf,
  NETS,
  openReference,
  withImages,
} from "../methods/reference_nets.ts";
import { bothClasses, difference } from "../methods/reference_values.ts";
import { goldenTest } from "../shared_goldens.ts";

/** Of the largest expected value. */
const TOLERANCE = 1e-4;

function assertSmall(what: string, figure: number, tolerance = TOLERANCE): void {
  if (Deno.env.has("SHOW")) console.log(what, figure.toExponential(1));
  assert.ok(figure <= tolerance, `${what}: ${figure.toExponential(1)}`);
}

/** A [n, 2, C, H, W] reference made one map by a reduction of [n, C, H, W]. */
function reduced(values: Tensor, by: (values: Tensor) => Tensor): Tensor {
  const [n, slots, ...rest] = values.shape as [number, number, number, number, number];
  const { data } = by(floats([n * slots, ...rest], values.data));
  return floats([n, slots, rest[1], rest[2]], data);
}

for (const name of NETS) {
  goldenTest(
    `gradients at the input, SmoothGrad and Integrated Gradients equal PyTorch's on ${name}`,
    async (goldens) => {
      const net = await openReference(goldens, name);
      const { classifier, inputs } = net;
      const size = sizeOf(classifier.inputShape);
      for (const [target, kind] of [["logit", "logit"], ["probability", "prob"]] as const) {
        const expected = await net.read(`captum/input_grad_${kind}.npy`);
        await withImages(net, target, async (context) => {
          assertSmall(
            `${name} gradient ${kind}`,
            difference(await bothClasses(net, context, (c, k) => inputGradient(c, k)), expected),
          );
        });
        assertSmall(
          `${name} saliency ${kind}`,
          mapDifference(await mapsOf(net, saliency, target), reduced(expected, largestOfChannels)),
        );
        const products = floats(
          expected.shape,
          expected.data.map((value, i) =>
            value * inputs.data[Math.floor(i / (2 * size)) * size + i % size]
          ),
        );
        assertSmall(
          `${name} input × gradient ${kind}`,
          mapDifference(
            await mapsOf(net, inputXGradient, target),
            reduced(products, sumOfChannels),
          ),
        );
      }
      await withImages(net, "logit", async (context) => {
        const noise = await net.read("captum/smoothgrad_noise.npy");
        const samples = noise.shape[1];
        const smoothed = await bothClasses(
          net,
          context,
          (c, classes) =>
            smoothedGradient(c, classes, samples, (row, at, into) => {
              // There is noise for two of the images only.
              if (row < 2) {
                into.set(
                  noise.data.subarray((row * samples + at) * size, (row * samples + at + 1) * size),
                );
              }
            }),
        );
        assertSmall(
          `${name} smooth-grad`,
          difference(smoothed, await net.read("captum/smoothgrad_logit.npy")),
        );

        // At one of alexish's points a ReLU or maximum is so close to its corner that float32 decides it: 2e-4.
        const legendre = await bothClasses(
          net,
          context,
          (c, k) => integrateGradients(c, k, gaussLegendre(32)),
        );
        assertSmall(
          `${name} IG Gauss–Legendre`,
          difference(legendre, await net.read("captum/ig_gausslegendre_32_logit.npy")),
          name === "alexish" ? 3e-4 : TOLERANCE,
        );
        // The first point is an input of zeros, where alexish's pools meet equal values and rounding decides which is the maximum: 143 of
        // 49152 values are off, by up to 3.4e-3 (moving the point by 1e-9 changes them by 1.2e-2).
        // Captum's weights for n points add up to (n − 1)/n: it divides by n where the rule has n − 1 pieces.
        const { points, weights } = trapezoid(32);
        const captum = { points, weights: weights.map((weight) => weight * 31 / 32) };
        const trapezoidal = await bothClasses(
          net,
          context,
          (c, k) => integrateGradients(c, k, captum),
        );
        assertSmall(
          `${name} IG trapezoid`,
          difference(trapezoidal, await net.read("captum/ig_riemann_trapezoid_32_logit.npy")),
          name === "alexish" ? 5e-3 : TOLERANCE,
        );
      });
      for (const target of ["logit", "probability"] as const) {
        await withImages(net, target, async (context) => {
          assert.equal(integratedGradients.unsupported(classifier, target), undefined);
          const zeros = await classifier.evaluate(
            floats([1, ...classifier.inputShape], new Float32Array(size)),
          );
          const classes = net.classes.map(([k]) => k!);
          const { data } = await integratePieces(context, classes, 8);
          const gaps = classes.map((k, row) => {
            const score = scoreFunction(context, row, k);
            const change = score(context.forward, row) - score(zeros, 0);
            const total = data.subarray(row * size, (row + 1) * size).reduce((a, b) => a + b, 0);
            return Math.abs(total - change) / Math.abs(change);
          });
          assertSmall(`${name} IG ${target} completeness`, Math.max(...gaps));
        });
      }
      await classifier.dispose();
    },
  );
}
