import assert from "node:assert/strict";
import { checkDarknet, checkLightnet, NETS } from "../detectors/yolo_goldens.ts";
import { goldenTest } from "../shared_goldens.ts";

const PHOTOS = ["astronaut", "coffee", "hopper"];

goldenTest(
  "Darknet's boxes and kept sets follow bit for bit from its logits, for 4 nets and 3 photos",
  (root) => {
    let compared = 0;
    for (const [name, net] of Object.entries(NETS)) {
      for (const photo of PHOTOS) {
        compared += checkDarknet(new URL(`detector/golden/${name}/${photo}/`, root), net);
      }
    }
    assert.equal(compared, 12 * 7);
  },
);

goldenTest(
  "lightnet's boxes and kept sets follow from its logits, for 4 nets and 3 photos",
  (root) => {
    let largest = 0;
    for (const [name, net] of Object.entries(NETS)) {
      for (const photo of PHOTOS) {
        const folder = new URL(`detector/golden/${name}/${photo}/`, root);
        largest = Math.max(largest, checkLightnet(folder, net));
      }
    }
    assert(largest <= 2e-6, `largest difference ${largest}`);
  },
);
