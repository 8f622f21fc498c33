import { eigenGradCam } from "../../src/methods/eigen_grad_cam.ts";
import { eigenCam } from "../../src/methods/eigen_cam.ts";
import { randomLayer, rawMapsOf } from "./made_layer.ts";
import { assertClose } from "../assert_close.ts";

Deno.test("EigenGradCAM is EigenCAM of gradient times activation", async () => {
  const layer = randomLayer([2, 20, 4, 5], { rectified: true });
  const { activation, gradient } = layer;
  const products = { ...activation, data: activation.data.map((a, i) => a * gradient.data[i]) };
  const maps = await rawMapsOf(eigenGradCam, layer);
  const expected = await rawMapsOf(eigenCam, { activation: products, gradient });
  for (const [row, map] of maps.entries()) assertClose(map, expected[row], { ofRange: 1e-5 });
});
