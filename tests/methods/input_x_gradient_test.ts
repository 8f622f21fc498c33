import { inputXGradient } from "../../src/methods/input_x_gradient.ts";
import { near } from "../rules/doubles.ts";
import { mapOf, withContext } from "./shipped.ts";
import { gradientOf, openSmallNet, overColours, passOf, smallInputs, sum } from "./small_net.ts";

Deno.test("input × gradient adds the signed products up over the channels", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [2, 0, 1];
  const map = await withContext(net, inputs, "logit", (c) => mapOf(inputXGradient, c, classes));
  const expected = each.flatMap((input, row) => {
    const gradient = gradientOf(passOf(input), classes[row]);
    return [...overColours(gradient.map((value, i) => value * input[i]), sum)];
  });
  near(map.data, expected, 1e-6, "the products");
  await net.dispose();
});
