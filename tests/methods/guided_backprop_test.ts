import assert from "node:assert/strict";
import { guidedBackprop } from "../../src/methods/guided_backprop.ts";
import { near } from "../rules/doubles.ts";
import { openMobile } from "./reference_nets.ts";
import { mapOf, withContext } from "./shipped.ts";
import {
  gradientOf,
  largest,
  openSmallNet,
  overColours,
  passOf,
  smallInputs,
} from "./small_net.ts";

Deno.test("guided backpropagation stops negative values at every ReLU", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 1, 2];
  const map = await withContext(net, inputs, "logit", (c) => mapOf(guidedBackprop, c, classes));
  const guided = (
    input: Float64Array,
    row: number,
    on: boolean,
  ) => [...overColours(gradientOf(passOf(input), classes[row], on), largest)];
  near(map.data, each.flatMap((input, row) => guided(input, row, true)), 1e-6, "the twin");
  assert.throws(() =>
    near(map.data, each.flatMap((input, row) => guided(input, row, false)), 0.1, "the gradient")
  );
  await net.dispose();
});

Deno.test("guided backpropagation is refused for a network without ReLUs", async () => {
  const { classifier } = await openMobile();
  assert.equal(
    guidedBackprop.unsupported(classifier, "logit")?.reason,
    "guided backpropagation changes ReLUs, and the model has none",
  );
  await classifier.dispose();
});
