import { saliency } from "../../src/methods/saliency.ts";
import { near } from "../rules/doubles.ts";
import { mapOf, withContext } from "./shipped.ts";
import {
  gradientOf,
  largest,
  openSmallNet,
  overColours,
  passOf,
  smallInputs,
  softmaxOf,
} from "./small_net.ts";

Deno.test("saliency is the gradient's largest magnitude over the channels, for every target", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [0, 1, 2];
  for (const target of ["logit", "probability", "margin"] as const) {
    const map = await withContext(net, inputs, target, (c) => mapOf(saliency, c, classes));
    const expected = each.flatMap((input, row) => {
      const pass = passOf(input);
      const gradients = classes.map((k) => gradientOf(pass, k));
      const k = classes[row];
      const p = softmaxOf(pass.logits);
      const others = classes.filter((other) => other !== k);
      const runnerUp = others.reduce((a, b) => pass.logits[b] > pass.logits[a] ? b : a);
      const total = gradients[k].map((value, i) => {
        if (target === "logit") return value;
        if (target === "margin") return value - gradients[runnerUp][i];
        return p[k] *
          classes.reduce((sum, j) => sum + ((j === k ? 1 : 0) - p[j]) * gradients[j][i], 0);
      });
      return [...overColours(total, largest)];
    });
    near(map.data, expected, 1e-6, target);
  }
  await net.dispose();
});
