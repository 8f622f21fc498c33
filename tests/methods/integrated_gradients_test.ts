import { floats, sizeOf } from "../../src/base/tensor.ts";
import { integratedGradients, integratePieces } from "../../src/methods/integrated_gradients.ts";
import { gaussLegendre, integrateGradients, trapezoid } from "./quadrature.ts";
import { near } from "../rules/doubles.ts";
import { mapOf, miniXception, noiseInputs, withContext } from "./shipped.ts";
import { gradientOf, openSmallNet, overColours, passOf, smallInputs, sum } from "./small_net.ts";
import { assertClose } from "../assert_close.ts";

/** The integral by 5000 points in float64. */
function integral(input: Float64Array, k: number): Float64Array {
  const points = 5000;
  const total = input.map(() => 0);
  for (let i = 0; i < points; i++) {
    const alpha = (i + 0.5) / points;
    gradientOf(passOf(input.map((value) => alpha * value)), k).forEach((value, j) => {
      total[j] += input[j] * value / points;
    });
  }
  return total;
}

Deno.test("Integrated Gradients tend to the integral, and add up to the score's change with few pieces too", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 1, 2];
  const expected = each.map((input, row) => integral(input, classes[row]));
  await withContext(net, inputs, "logit", async (context) => {
    const fine = await integratePieces(context, classes, 2000);
    near(fine.data, expected.flatMap((one) => [...one]), 2e-3, "the integral");
    const map = await mapOf(integratedGradients, context, classes);
    const maps = expected.flatMap((one) => [...overColours(one, sum)]);
    near(map.data, maps, 3e-2, "the map by 32 pieces");
    for (const pieces of [1, 3, 32]) {
      const { data } = await integratePieces(context, classes, pieces);
      const size = data.length / 3;
      each.forEach((input, row) => {
        const k = classes[row];
        const change = passOf(input).logits[k] - passOf(input.map(() => 0)).logits[k];
        const total = data.subarray(row * size, (row + 1) * size).reduce((a, b) => a + b, 0);
        assertClose(total, change, 1e-5 * Math.abs(change));
      });
    }
  });
  await net.dispose();
});

Deno.test("Integrated Gradients by points sum weighted gradients", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [2, 2, 0];
  for (const { points, weights } of [gaussLegendre(5), trapezoid(4)]) {
    const found = await withContext(
      net,
      inputs,
      "logit",
      (context) => integrateGradients(context, classes, { points, weights }),
    );
    const expected = each.flatMap((input, row) => {
      const total = input.map(() => 0);
      points.forEach((alpha, at) => {
        const moved = input.map((value) => Math.fround(alpha * value));
        gradientOf(passOf(moved), classes[row]).forEach((value, i) =>
          total[i] += weights[at] * value * input[i]
        );
      });
      return [...total];
    });
    near(found.data, expected, 1e-6, "the sum");
  }
  await net.dispose();
});

Deno.test("Integrated Gradients add up to the score's change on mini-Xception", async () => {
  const classifier = await miniXception();
  const inputs = noiseInputs(classifier, 2);
  const size = sizeOf(classifier.inputShape);
  const zeros = floats([1, ...classifier.inputShape], new Float32Array(size));
  const reference = await classifier.evaluate(zeros);
  await withContext(classifier, inputs, "logit", async (context) => {
    const { data } = await integratePieces(context, [3, 5, 0, 0], 4);
    for (const [row, k] of [[0, 3], [1, 5]] as const) {
      const change = context.forward.logits!.data[row * 7 + k] - reference.logits!.data[k];
      const total = data.subarray(row * size, (row + 1) * size).reduce((a, b) => a + b, 0);
      assertClose(total, change, 1e-4 * Math.abs(change));
    }
  });
  await classifier.dispose();
});

Deno.test("Gauss–Legendre points integrate polynomials up to their degree exactly", () => {
  for (const n of [1, 2, 7, 32]) {
    const { points, weights } = gaussLegendre(n);
    for (let power = 0; power < 2 * n; power++) {
      const total = points.reduce((sum, x, i) => sum + weights[i] * x ** power, 0);
      assertClose(total, 1 / (power + 1), 1e-14, `n ${n}, power ${power}: ${total}`);
    }
  }
  // Known values for two points: (1 ± 1/√3) / 2.
  near(gaussLegendre(2).points, [(1 - 3 ** -0.5) / 2, (1 + 3 ** -0.5) / 2], 1e-15, "points");
});
