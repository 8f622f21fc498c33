import { guidedGradCam } from "../../src/methods/guided_grad_cam.ts";
import { near } from "../rules/doubles.ts";
import { mapOf, withContext } from "./shipped.ts";
import {
  CELLS,
  CHANNELS,
  gradientOf,
  HIDDEN,
  largest,
  openSmallNet,
  overColours,
  passOf,
  pulled,
  smallInputs,
  WEIGHTS,
} from "./small_net.ts";

Deno.test("Guided Grad-CAM is guided backpropagation times the rectified Grad-CAM map", async () => {
  const net = await openSmallNet();
  const { inputs, each } = smallInputs();
  const classes = [1, 1, 2];
  const map = await withContext(net, inputs, "logit", (c) => mapOf(guidedGradCam, c, classes));
  // The target layer has the input's extents, so enlarging changes nothing.
  const expected = each.flatMap((input, row) => {
    const k = classes[row];
    const pass = passOf(input);
    const atHidden = WEIGHTS.second.slice(k * HIDDEN, (k + 1) * HIDDEN)
      .map((value, i) => pass.hidden[i] > 0 ? value : 0);
    const gradient = pulled(WEIGHTS.first, atHidden, CHANNELS * CELLS);
    const cam = new Float64Array(CELLS);
    for (let channel = 0; channel < CHANNELS; channel++) {
      const own = gradient.subarray(channel * CELLS, (channel + 1) * CELLS);
      const weight = own.reduce((a, b) => a + b) / CELLS;
      for (let i = 0; i < CELLS; i++) cam[i] += weight * pass.activation[channel * CELLS + i];
    }
    const guided = overColours(gradientOf(pass, k, true), largest);
    return [...guided.map((value, i) => value * Math.max(cam[i], 0))];
  });
  near(map.data, expected, 1e-6, "the product");
  await net.dispose();
});
