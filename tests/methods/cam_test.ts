import assert from "node:assert/strict";
import { cam } from "../../src/methods/cam.ts";
import { gradCam } from "../../src/methods/grad_cam.ts";
import { mapsOf, openMobile, withImages } from "./reference_nets.ts";
import { openSmallNet } from "./small_net.ts";

Deno.test("CAM is Grad-CAM of the logit times the number of cells, behind pooling and a linear layer", async () => {
  const net = await openMobile();
  try {
    const found = await mapsOf(net, cam, "logit"), other = await mapsOf(net, gradCam, "logit");
    const scale = Math.max(...found.data.map(Math.abs));
    found.data.forEach((value, i) =>
      assert.ok(Math.abs(value - 63 * other.data[i]!) < 1e-5 * scale, `${value} ${other.data[i]}`)
    );
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("CAM's mean over the map is the logit without its bias", async () => {
  const net = await openMobile();
  try {
    const maps = await mapsOf(net, cam, "logit");
    await withImages(net, "logit", ({ forward }) => {
      // Two classes of one image have biases of their own; of two images the bias is the same, so differences show it.
      const mean = (image: number, slot: number) => {
        const from = (2 * image + slot) * 63;
        return maps.data.subarray(from, from + 63).reduce((a, b) => a + b) / 63;
      };
      [8, 7].forEach((k, slot) => {
        const { data } = forward.logits!;
        const expected = data[k]! - data[20 + k]!;
        assert.ok(Math.abs(mean(0, slot) - mean(1, slot) - expected) < 1e-4, String(expected));
      });
      return Promise.resolve();
    });
  } finally {
    await net.classifier.dispose();
  }
});

Deno.test("CAM says why it cannot be used without a pooling + linear head", async () => {
  const classifier = await openSmallNet();
  try {
    assert.match(cam.unsupported(classifier, "logit")!, /^CAM needs a pooling \+ linear head: /);
  } finally {
    await classifier.dispose();
  }
});
