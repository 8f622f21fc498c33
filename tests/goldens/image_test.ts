import assert from "node:assert/strict";
import { readNpy } from "../../src/base/npy.ts";
import type { AnyTensor } from "../../src/base/tensor.ts";
import { ImageError } from "../../src/base/errors.ts";
import { type DecodedImage, decodeImage } from "../../src/image/decode.ts";
import { type FloatMap, floatMap } from "../../src/image/image.ts";
import {
  darknetLetterbox,
  letterbox,
  letterboxDarknet,
  paperLetterbox,
} from "../../src/image/letterbox.ts";
import { letterboxMap, resizeMapBilinear } from "../image/map_oracles.ts";
import { resizePillow } from "../../src/image/pillow.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertAtMost, assertLess, assertSome } from "../assert_that.ts";

const npy = (root: URL, path: string): AnyTensor => readNpy(Deno.readFileSync(new URL(path, root)));
const json = (root: URL, path: string) => JSON.parse(Deno.readTextFileSync(new URL(path, root)));
const decode = (root: URL, path: string): Promise<DecodedImage> =>
  decodeImage(Deno.readFileSync(new URL(path, root)), { orientation: "stored" });

/** Largest and mean absolute difference of two arrays of one length. */
function differences(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>) {
  assert.equal(a.length, b.length);
  let largest = 0, sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(Number(a[i]) - Number(b[i]));
    assert(!Number.isNaN(difference), `NaN at ${i}`);
    largest = Math.max(largest, difference);
    sum += difference;
  }
  return { largest, mean: sum / a.length };
}

const PREPROC = "cam/preproc/";

goldenTest("decoded files equal Pillow's RGB byte for byte", async (root) => {
  const files = [
    "nonsquare.png",
    "portrait.png",
    "exact227.png",
    "upscale.png",
    "onepixel.png",
    "gray.png",
    "rgba.png",
    "palette.png",
    "exif6.jpg",
    "jpeg420.jpg",
    "jpeg444prog.jpg",
  ];
  for (const file of files) {
    const image = await decode(root, PREPROC + file);
    const expected = npy(root, PREPROC + file.replace(/\.\w+$/, "_rgb.npy"));
    assert.deepEqual([image.height, image.width, 3], expected.shape, file);
    assert.deepEqual(image.data, expected.data, file);
  }
});

goldenTest("16-bit grey is cut to its high byte where Pillow clips it", async (root) => {
  const image = await decode(root, PREPROC + "gray16.png");
  const clipped = npy(root, PREPROC + "gray16_rgb.npy").data as Uint8Array;
  // Where Pillow shows less than white the sample is under 256, so the high byte is 0.
  clipped.forEach((value, i) => value < 255 && assert.equal(image.data[i], 0));
  assertSome(image.data, (value) => value > 0);
});

goldenTest("bicubic 227 x 227 equals Pillow 13 bit for bit", async (root) => {
  for (
    const name of [
      "nonsquare",
      "portrait",
      "exact227",
      "upscale",
      "onepixel",
      "gray",
      "rgba",
      "palette",
    ]
  ) {
    const image = await decode(root, `${PREPROC}${name}.png`);
    const resized = resizePillow(image, 227, 227, "bicubic");
    assert.deepEqual(resized.data, npy(root, `${PREPROC}${name}_227.npy`).data, name);
  }
});

goldenTest("EmoNet's input equals the reference: bicubic 227 less the mean image", async (root) => {
  const image = await decode(root, PREPROC + "nonsquare.png");
  const { data } = resizePillow(image, 227, 227, "bicubic");
  const expected = npy(root, PREPROC + "nonsquare_emonet_input.npy").data as Float32Array;
  const rows = Deno.readTextFileSync(new URL(PREPROC + "img_mean.txt", root)).trim().split("\n")
    .map((line) => line.split(",").map(Number));
  const side = 227, input = new Float32Array(3 * side * side);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        input[(c * side + y) * side + x] = data[(y * side + x) * 3 + c] - rows[y][c * side + x];
      }
    }
  }
  assertAtMost(differences(input, expected).largest, 1e-5);
});

goldenTest("the paper's letterbox of a photo equals the reference bit for bit", async (root) => {
  const image = await decode(root, PREPROC + "nonsquare.png");
  const boxed = letterbox(image, 608, 608);
  assert.deepEqual(boxed.data, npy(root, PREPROC + "nonsquare_letterbox608.npy").data);
});

goldenTest("the paper's letterbox sizes equal the reference for 300 image sizes", (root) => {
  const { rows } = json(root, PREPROC + "letterbox_geometry.json") as { rows: number[][] };
  assert.equal(rows.length, 300);
  for (const [width, height, newWidth, newHeight, left, top, right, bottom] of rows) {
    if (newWidth === 0 || newHeight === 0) {
      assert.throws(() => paperLetterbox({ width, height }, 608, 608), ImageError);
      continue;
    }
    const g = paperLetterbox({ width, height }, 608, 608);
    assert.deepEqual(
      [g.width, g.height, g.left, g.top, 608 - g.left - g.width, 608 - g.top - g.height],
      [newWidth, newHeight, left, top, right, bottom],
      `${width} x ${height}`,
    );
  }
});

interface LetterboxCase {
  image: string;
  image_size: [number, number];
  net: [number, number];
  resized?: [number, number];
  offset?: [number, number];
  golden?: string;
  emocam?: string;
  emocam_error?: string;
  tolerance?: number;
}

goldenTest("22 letterboxes equal Darknet and the paper's code bit for bit", async (root) => {
  const cases = json(root, "detector/letterbox/index.json") as LetterboxCase[];
  let darknet = 0, paper = 0;
  for (const { image: file, net: [width, height], ...expected } of cases) {
    const image = await decode(root, `detector/letterbox/${file}`);
    if (expected.golden) {
      const planes = letterboxDarknet(image, width, height);
      const golden = npy(root, `detector/letterbox/${expected.golden}`).data as Float32Array;
      // jpeg.jpg: Darknet has another JPEG decoder; the index states the tolerance.
      const { largest } = differences(planes, golden);
      assertAtMost(largest, expected.tolerance ?? 0, file);
      if (expected.resized) {
        const g = darknetLetterbox(image, width, height);
        assert.deepEqual([g.width, g.height, g.left, g.top], [
          ...expected.resized,
          ...expected.offset!,
        ]);
      }
      darknet++;
    } else assert.throws(() => letterboxDarknet(image, width, height), ImageError, file);
    if (expected.emocam) {
      const { data } = letterbox(image, width, height);
      const golden = npy(root, `detector/letterbox/${expected.emocam}`).data as Float32Array;
      const planes = new Float32Array(data.length);
      const size = width * height;
      for (let i = 0; i < size; i++) {
        for (let c = 0; c < 3; c++) planes[c * size + i] = data[i * 3 + c] / 255;
      }
      assert.equal(differences(planes, golden).largest, 0, file);
      paper++;
    } else assert.throws(() => letterbox(image, width, height), ImageError, file);
  }
  assert.deepEqual([cases.length, darknet, paper], [22, 18, 21]);
});

goldenTest("half-pixel bilinear equals cv2.resize within 2e-7", (root) => {
  for (let i = 0; i < 8; i++) {
    const input = npy(root, `${PREPROC}cv2_${i}_in.npy`);
    const output = npy(root, `${PREPROC}cv2_${i}_out.npy`);
    const map = floatMap(input.shape[1], input.shape[0], input.data as Float32Array);
    const resized = resizeMapBilinear(map, output.shape[1], output.shape[0], "half-pixel");
    assert(differences(resized.data, output.data as Float32Array).largest <= 2e-7, `case ${i}`);
  }
});

/** pytorch_grad_cam's min-max scaling: subtract the minimum, divide by the new maximum + 1e-7. */
function minMax(map: FloatMap): FloatMap {
  const low = map.data.reduce((a, b) => Math.min(a, b));
  const high = map.data.reduce((a, b) => Math.max(a, b)) - low;
  return { ...map, data: map.data.map((value) => (value - low) / (1e-7 + high)) };
}

goldenTest("the paper's box importances follow from the raw maps", (root) => {
  const cams = npy(root, PREPROC + "box_cams13.npy").data as Float32Array;
  const cams227 = npy(root, PREPROC + "box_cams227.npy").data as Float32Array;
  const sizes = npy(root, PREPROC + "box_image_sizes_wh.npy").data as Int32Array;
  const boxes = npy(root, PREPROC + "box_boxes_f64.npy");
  const importance = npy(root, PREPROC + "box_importance_f64.npy").data as Float64Array;
  const rows200 = npy(root, PREPROC + "box_case0_heat608_rows200_260.npy").data as Float32Array;
  const count = boxes.shape[1];
  let compared = 0, leftOut = 0, empty = 0, largest = 0;
  for (let n = 0; n < 6; n++) {
    const raw = floatMap(13, 13, cams.slice(n * 169, (n + 1) * 169).map((v) => Math.max(v, 0)));
    const cam = minMax(resizeMapBilinear(minMax(raw), 227, 227, "half-pixel"));
    if (n < 2) {
      const expected = cams227.subarray(n * 227 * 227, (n + 1) * 227 * 227);
      assertAtMost(differences(cam.data, expected).largest, 5e-7);
    }
    const original = resizeMapBilinear(cam, sizes[2 * n], sizes[2 * n + 1], "half-pixel");
    const heat = letterboxMap(original, 608, 608);
    const sparse = new Float32Array(76 * 76)
      .map((_, i) => heat.data[8 * Math.floor(i / 76) * 608 + 8 * (i % 76)]);
    const golden = npy(root, `${PREPROC}box_case${n}_heat608_s8.npy`).data as Float32Array;
    assertAtMost(differences(sparse, golden).largest, 1e-6);
    if (n === 0) {
      assertAtMost(differences(heat.data.subarray(200 * 608, 260 * 608), rows200).largest, 1e-6);
    }
    for (let i = 0; i < count; i++) {
      const at = (n * count + i) * 4;
      const [x, y, w, h] = (boxes.data as Float64Array).subarray(at, at + 4);
      const corners = [x, y, x + w, y + h].map(Math.trunc);
      // A negative corner counts from the far end in Python: a defect of the reference that is not followed.
      if (corners.some((corner) => corner < 0)) {
        leftOut++;
        continue;
      }
      const [x0, y0, x1, y1] = corners.map((corner) => Math.min(corner, 608));
      let sum = 0;
      for (let row = y0; row < y1; row++) {
        for (let column = x0; column < x1; column++) sum += heat.data[row * 608 + column];
      }
      const mean = x1 > x0 && y1 > y0 ? sum / ((x1 - x0) * (y1 - y0)) : NaN;
      const expected = importance[n * count + i];
      assert.equal(Number.isNaN(mean), Number.isNaN(expected), `image ${n}, box ${i}`);
      if (Number.isNaN(mean)) empty++;
      else largest = Math.max(largest, Math.abs(mean - expected));
      compared++;
    }
  }
  assert(largest <= 1e-6, `largest difference ${largest}`);
  assert.deepEqual([compared, leftOut, empty], [354, 66, 36]);
});

const HOSTILE = "detector/hostile/";

/**
 * What the index of the hostile folder asks of each file: the reason of a refusal, a size, or a picture to be equal to; `within` is
 * the mean difference that a lossy file may have, `most` the largest of a rounded one.
 */
const DEMANDS: Record<
  string,
  RegExp | { like?: string; within?: number; most?: number; size?: number[] }
> = {
  "zero.jpg": /empty/,
  "text.jpg": /unknown format/,
  "truncated.jpg": /truncated JPEG data/,
  "truncated_header.jpg": /truncated JPEG header/,
  "truncated.png": /truncated PNG data/,
  "badcrc.png": /broken PNG data/,
  "bomb.png": /60000 x 60000 pixels are over the limit/,
  "zero_width.png": /broken PNG header/,
  "prog_truncated.jpg": /truncated JPEG data/,
  "src.png": { like: "src.png" },
  "cmyk.jpg": { like: "cmyk_as_rgb.png" },
  "cmyk_as_rgb.png": { size: [120, 90] },
  "rgb16.png": { like: "src.png", most: 1, within: 0.5 },
  "gray16.png": { like: "gray.png" },
  "gray.png": { size: [120, 90] },
  "gray.jpg": { like: "gray.png", within: 2 },
  "rgba.png": { like: "src.png" },
  "palette.png": { like: "palette_as_rgb.png" },
  "palette_as_rgb.png": { size: [120, 90] },
  "interlaced.png": { like: "src.png" },
  "exif3.jpg": { size: [120, 90] },
  "exif6.jpg": { size: [120, 90] },
  "exif8.jpg": { size: [120, 90] },
  "progressive.jpg": { like: "src.png", within: 5 },
  "sub420.jpg": { like: "src.png", within: 7 },
  "webp_named.jpg": { like: "src.png", within: 5 },
  "png_named.jpg": { like: "src.png" },
  "anim.gif": { like: "src.png", within: 3 },
  "trailing.jpg": { like: "src.png", within: 5 },
  "onepx.png": { size: [1, 1] },
  "thin.png": { size: [400, 1] },
  "name with spaces & é中.png": { like: "src.png" },
};

goldenTest("each hostile file is decoded or refused as its index says", async (root) => {
  const index = json(root, HOSTILE + "index.json") as Record<string, unknown>;
  const files = Object.keys(index).filter((name) => !name.startsWith("dir.jpg"));
  assert.deepEqual(files.toSorted(), Object.keys(DEMANDS).toSorted());
  const read = (name: string) => decode(root, HOSTILE + encodeURIComponent(name));
  for (const name of files) {
    const demand = DEMANDS[name];
    if (demand instanceof RegExp) {
      const started = performance.now();
      await assert.rejects(read(name), (error) => {
        assert(error instanceof ImageError, name);
        assert.match(error.message, /^Cannot decode the image: [^\n]+$/);
        assert.match(error.message, demand);
        return true;
      });
      assertLess(performance.now() - started, 1000, name);
      continue;
    }
    const image = await read(name);
    assert.equal(image.data.length, image.width * image.height * 3);
    if (demand.size) assert.deepEqual([image.width, image.height], demand.size, name);
    if (demand.like) {
      const { mean, largest } = differences(image.data, (await read(demand.like)).data);
      assert(mean <= (demand.within ?? 0), `${name}: mean difference ${mean}`);
      assert(largest <= (demand.most ?? 255), `${name}: largest difference ${largest}`);
    }
  }
});

goldenTest(
  "the EXIF orientation of the hostile files is told and applied on demand",
  async (root) => {
    for (const [orientation, width, height] of [[3, 120, 90], [6, 90, 120], [8, 90, 120]]) {
      const bytes = Deno.readFileSync(new URL(`${HOSTILE}exif${orientation}.jpg`, root));
      const stored = await decodeImage(bytes, { orientation: "stored" });
      const upright = await decodeImage(bytes);
      assert.deepEqual([stored.exifOrientation, upright.exifOrientation], [
        orientation,
        orientation,
      ]);
      assert.deepEqual([upright.width, upright.height], [width, height]);
      // The first stored pixel: 3 = turned by 180°, 6 = to be turned 90° clockwise, 8 = 90° counter-clockwise.
      const at = { 3: 120 * 90 - 1, 6: 90 - 1, 8: 90 * 119 }[orientation]!;
      assert.deepEqual(upright.data.slice(at * 3, at * 3 + 3), stored.data.slice(0, 3));
    }
  },
);
