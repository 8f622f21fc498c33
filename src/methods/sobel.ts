/**
 * Control: the edges of the picture.
 *
 * @module
 */

import { floats } from "../base/tensor.ts";
import { perContext } from "./_per_sample.ts";
import type { Method } from "./method.ts";

/**
 * Magnitude of the Sobel gradient of the input's mean over channels, √(Gx² + Gy²), at every pixel; the input is continued by
 * its edge. Explains nothing about the model: a method whose maps look like this shows the picture.
 *
 * Source: control of Adebayo et al. 2018 (arXiv 1810.03292), section 5.4; the 3 × 3 operator of Sobel and Feldman (1968).
 */
export const sobel: Method = {
  name: "sobel",
  title: "Sobel edges (control)",
  source: "control; Adebayo et al. 2018, arXiv 1810.03292, sec. 5.4",
  family: "control",
  rectify: false,
  usesTarget: false,
  needsInput: true,
  grid: "input",
  unsupported: () => undefined,
  compute: perContext(({ classifier, input }) => {
    const [channels, height, width] = classifier.inputShape;
    const batch = input.shape[0];
    const map = new Float32Array(batch * height * width);
    for (let row = 0; row < batch; row++) {
      const size = channels * height * width;
      const grey = meanOverChannels(input.data.subarray(row * size, (row + 1) * size), channels);
      map.set(sobelMagnitude(grey, height, width), row * height * width);
    }
    return Promise.resolve({ map: floats([batch, height, width], map) });
  }),
};

function meanOverChannels(values: Float32Array, channels: number): Float32Array {
  const pixels = values.length / channels;
  const mean = new Float32Array(pixels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) mean[i] += values[c * pixels + i] / channels;
  }
  return mean;
}

/** √(Gx² + Gy²) of a picture [height, width], continued by its edge. */
export function sobelMagnitude(grey: Float32Array, height: number, width: number): Float32Array {
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    const up = Math.max(0, y - 1) * width,
      at = y * width,
      down = Math.min(height - 1, y + 1) * width;
    for (let x = 0; x < width; x++) {
      const left = Math.max(0, x - 1), right = Math.min(width - 1, x + 1);
      const gx = grey[up + right] + 2 * grey[at + right] + grey[down + right] -
        grey[up + left] - 2 * grey[at + left] - grey[down + left];
      const gy = grey[down + left] + 2 * grey[down + x] + grey[down + right] -
        grey[up + left] - 2 * grey[up + x] - grey[up + right];
      out[at + x] = Math.hypot(gx, gy);
    }
  }
  return out;
}
