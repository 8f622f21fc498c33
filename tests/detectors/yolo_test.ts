import assert from "node:assert/strict";
import { ImageError, ModelError, UsageError } from "../../src/base/errors.ts";
import { createRng } from "../../src/base/rng.ts";
import { floats } from "../../src/base/tensor.ts";
import { type Box, openDetector } from "../../src/detectors/mod.ts";
import { openYolo, YOLO_DEFAULTS } from "../../src/detectors/yolo.ts";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import {
  darknetLetterbox,
  letterbox,
  letterboxDarknet,
  letterboxPlacement,
  paperLetterbox,
} from "../../src/image/letterbox.ts";
import type { DetectorCard, Located } from "../../src/runtime/card.ts";
import { suppressClasses } from "../../src/detectors/_nms.ts";
import { decodeDarknet, decodeLightnet } from "../../src/detectors/_yolo_decode.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import {
  constantGraph,
  type Convolution,
  convolutionGraph,
  type SmallCard,
  writeSmallYolo,
} from "./small_yolo.ts";
import { assertNearSet, assertSameSet, NETS, readHeads, readJson } from "./yolo_goldens.ts";
import { assertAtLeast, assertAtMost } from "../assert_that.ts";

const GOLDEN = new URL("../golden/yolo/", import.meta.url);
const names = (count: number) => Array.from({ length: count }, (_, i) => `object ${i}`);

/** The detector whose network always gives the reference's logits. */
function referenceYolo(folder: string, name: string, photo: string, prefix: string) {
  const net = NETS[name];
  const heads = readHeads(new URL(`${name}/${photo}/`, GOLDEN), net, prefix);
  const tensors = heads.map(({ logits, width, height, anchors }) =>
    floats([anchors.length * (5 + net.classes), height, width], logits)
  );
  return writeSmallYolo(folder, constantGraph(net.width, net.height, tensors), {
    ...net,
    classes: names(net.classes),
    heads: net.anchors.map((anchors, k) => ({ output: `yolo${k}`, anchors })),
  });
}

const CASES = [["mini3", "hopper"], ["odd", "coffee"], ["tiny", "astronaut"]] as const;

async function detect(
  located: Located<DetectorCard>,
  image: RgbImage,
  options?: Parameters<typeof openYolo>[2],
): Promise<readonly Box[]> {
  const detector = await openYolo(located, "native", options);
  try {
    const { boxes, faces } = await detector.detect(image, "");
    assert.deepEqual(faces, []);
    return boxes;
  } finally {
    await detector.dispose();
  }
}

Deno.test("openYolo() finds Darknet's set of boxes in image pixels, best first", () =>
  withFolder(async (folder) => {
    for (const [name, photo] of CASES) {
      const located = await referenceYolo(folder, name, photo, "logits");
      const from = new URL(`${name}/${photo}/`, GOLDEN);
      for (const file of ["nms45_t25", "nms45_t005", "nms005_t25"]) {
        if (![...Deno.readDirSync(from)].some((entry) => entry.name === `${file}.json`)) continue;
        const { image_w, image_h, thresh, nms, boxes: expected } = readJson(from, `${file}.json`);
        const boxes = await detect(located, rgbImage(image_w, image_h), {
          confidence: thresh,
          nms,
        });
        // Centre and size come back from the corners a little rounded: to float32 they are the same.
        const rows = boxes.map(({ label, confidence, x0, y0, x1, y1 }) => [
          Number(label.slice(7)),
          confidence,
          (x0 + x1) / 2,
          (y0 + y1) / 2,
          x1 - x0,
          y1 - y0,
        ]);
        assertSameSet(rows, expected, `${name} ${file}`);
        boxes.slice(1).forEach((box, i) => assertAtMost(box.confidence, boxes[i].confidence));
      }
    }
  }));

Deno.test("openYolo() finds lightnet's boxes, moved back from the frame to the image", () =>
  withFolder(async (folder) => {
    for (const [name, photo] of CASES) {
      const located = await referenceYolo(folder, name, photo, "emocam_logits");
      const image = rgbImage(263, 337);
      const expected = readJson(new URL(`${name}/${photo}/`, GOLDEN), "emocam_dets.json");
      const { width, height } = NETS[name];
      const { x, y } = letterboxPlacement(image, paperLetterbox(image, width, height));
      const boxes = await detect(located, image, { profile: "lightnet" });
      const rows = boxes.map(({ label, confidence, x0, y0, x1, y1 }) => [
        Number(label.slice(7)),
        confidence,
        x0 * x.scale + x.offset,
        y0 * y.scale + y.offset,
        (x1 - x0) * x.scale,
        (y1 - y0) * y.scale,
      ]);
      assertNearSet(rows, expected["conf0.005_nms0.005"].boxes, 2e-6, name);
    }
  }));

/** Random pixels. */
function noise(width: number, height: number): RgbImage {
  const rng = createRng(11);
  return rgbImage(
    width,
    height,
    Uint8Array.from({ length: 3 * width * height }, () => rng.below(256)),
  );
}

const SMALL: SmallCard = {
  width: 64,
  height: 48,
  classes: ["cat", "dog"],
  heads: [{ output: "yolo0", anchors: [[20, 30], [14, 8]] }],
};

/** A convolution of 8 × 8 pixels with two of its variances near 0, where it matters where epsilon is added. */
function randomConvolution(): Convolution {
  const rng = createRng(12);
  const channels = 2 * (5 + 2);
  const fill = (length: number, make: () => number) => Float32Array.from({ length }, make);
  const variance = fill(channels, () => .5 + rng.uniform());
  variance[4] = 2e-5;
  variance[11] = 3e-5;
  const weights = fill(channels * 3 * 64, () => .3 * rng.normal());
  for (const c of [4, 11]) {
    weights.subarray(c * 192, (c + 1) * 192).forEach((w, i, of) => of[i] = w / 250);
  }
  return {
    weights: floats([channels, 3, 8, 8], weights),
    scale: fill(channels, () => .5 + rng.uniform()),
    shift: fill(channels, () => rng.normal()),
    mean: fill(channels, () => .2 * rng.normal()),
    variance,
  };
}

/** The convolution and its batch norm in plain loops of double precision. */
function slowLogits(planes: Float32Array, conv: Convolution, darknet: boolean): Float32Array {
  const { width, height } = SMALL, [channels, , side] = conv.weights.shape;
  const logits: number[] = [];
  for (let c = 0; c < channels; c++) {
    const v = conv.variance[c];
    const sigma = darknet ? Math.sqrt(v) + 1e-6 : Math.sqrt(v + 1e-5);
    for (let y = 0; y < height; y += side) {
      for (let x = 0; x < width; x += side) {
        let sum = 0;
        for (let k = 0; k < 3 * side * side; k++) {
          const plane = Math.floor(k / (side * side));
          const dy = Math.floor(k / side) % side, dx = k % side;
          sum += conv.weights.data[c * 3 * side * side + k] *
            planes[(plane * height + y + dy) * width + x + dx];
        }
        logits.push((sum - conv.mean[c]) / sigma * conv.scale[c] + conv.shift[c]);
      }
    }
  }
  return Float32Array.from(logits);
}

Deno.test("each profile has its own letterbox, batch norm, classes and thresholds", () =>
  withFolder(async (folder) => {
    const conv = randomConvolution();
    const located = await writeSmallYolo(folder, convolutionGraph(64, 48, conv), SMALL);
    const image = noise(90, 41), classes = 2;
    const black = letterbox(image, 64, 48).data;
    const planes = {
      darknet: letterboxDarknet(image, 64, 48),
      lightnet: new Float32Array(black.length).map((_, i) =>
        black[3 * (i % (64 * 48)) + Math.floor(i / (64 * 48))] / 255
      ),
    };
    const back = letterboxPlacement(image, paperLetterbox(image, 64, 48));
    for (const profile of ["darknet", "lightnet"] as const) {
      const logits = slowLogits(planes[profile], conv, profile === "darknet");
      const heads = [{ name: "", logits, width: 8, height: 6, anchors: SMALL.heads[0].anchors }];
      const { confidence, nms: threshold } = YOLO_DEFAULTS[profile];
      const geometry = darknetLetterbox(image, 64, 48);
      const rows = profile === "darknet"
        ? decodeDarknet(heads, { classes, confidence, image, geometry })
        : decodeLightnet(heads, { classes, confidence, frame: SMALL });
      const kept = suppressClasses(rows.boxes, rows.classes, {
        threshold,
        single: profile === "darknet",
      });
      const expected = kept.flatMap(({ rows: of, confidence }, c) =>
        of.map((row, i) => {
          const [x, y, w, h] = rows.boxes.subarray(4 * row, 4 * row + 4);
          if (profile === "darknet") return [c, confidence[i], x, y, w, h];
          const { scale: sx, offset: ox } = back.x, { scale: sy, offset: oy } = back.y;
          return [c, confidence[i], (x - ox) / sx, (y - oy) / sy, w / sx, h / sy];
        })
      );
      const boxes = await detect(located, image, { profile });
      const found = boxes.map(({ label, confidence, x0, y0, x1, y1 }) => [
        SMALL.classes.indexOf(label),
        confidence,
        (x0 + x1) / 2,
        (y0 + y1) / 2,
        x1 - x0,
        y1 - y0,
      ]);
      assert(expected.length >= 5, `${profile}: only ${expected.length}`);
      assertNearSet(found, expected, 1e-4, profile);
    }
  }));

Deno.test("the key tells runs with other settings apart; the card's thresholds are those of its profile", () =>
  withFolder(async (folder) => {
    const located = await writeSmallYolo(folder, convolutionGraph(64, 48, randomConvolution()), {
      ...SMALL,
      decoder: { confidence: .4, nms: .6 },
    });
    const keys = new Set<string>();
    const key = async (options?: Parameters<typeof openYolo>[2]) => {
      const detector = await openDetector(located, "native", options);
      await detector.dispose();
      assert.deepEqual(detector.frame, { width: 64, height: 48 });
      assert.deepEqual(detector.labels, ["cat", "dog"]);
      keys.add(JSON.stringify(detector.key));
      const { profile, confidence, nms, sha256 } = detector.key;
      assert.equal(sha256, located.card.sha256);
      return { profile, confidence, nms };
    };
    assert.deepEqual(await key(), { profile: "darknet", confidence: .4, nms: .6 });
    assert.deepEqual(await key({ nms: .2 }), { profile: "darknet", confidence: .4, nms: .2 });
    assert.deepEqual(await key({ profile: "lightnet" }), {
      profile: "lightnet",
      confidence: .005,
      nms: .005,
    });
    assert.deepEqual(await key({ profile: "lightnet", confidence: .1 }), {
      profile: "lightnet",
      confidence: .1,
      nms: .005,
    });
    assert.equal(keys.size, 4);
  }));

Deno.test("a card that does not fit its network is refused, saying where", () =>
  withFolder(async (folder) => {
    const graph = convolutionGraph(64, 48, randomConvolution());
    const refused = async (change: Partial<SmallCard>, reason: RegExp) => {
      const located = await writeSmallYolo(folder, graph, { ...SMALL, ...change });
      await assert.rejects(
        openYolo(located, "native"),
        (error) =>
          error instanceof ModelError && reason.test(error.message) &&
          error.message.startsWith("Cannot use detector small-yolo: "),
        `${reason}`,
      );
    };
    const [{ anchors }] = SMALL.heads;
    await refused({ decoder: { heads: [] } }, /decoder\.heads/);
    await refused({ decoder: { profile: "pytorch" } }, /decoder\.profile/);
    await refused({ decoder: { confidence: 2 } }, /decoder\.confidence/);
    await refused({ decoder: { heads: [{ output: "yolo0", anchors: [[1, 0]] }] } }, /anchors/);
    await refused({ heads: [{ output: "yolo9", anchors }] }, /no output yolo9, only yolo0/);
    await refused(
      { classes: ["cat", "dog", "cow"] },
      /output yolo0 has the shape \[N, 14, 6, 8\]; 2 anchors and 3 classes need 16 = 2 × \(5 \+ 3\)/,
    );
    await refused({ classes: [] }, /no classes/);
    await refused({ top: { file: undefined } }, /no file/);
    await refused({ width: 96 }, /takes \[N, 3, 48, 64\], the card says \[N,3,48,96\]/);
    await refused({ input: { name: "data" } }, /has the inputs input, the card says data/);
    await refused({ input: { fit: "stretch" } }, /input\.fit is stretch/);
    await refused({ input: { scale: 1 } }, /scale 1\/255/);
    const located = await writeSmallYolo(folder, graph, SMALL);
    await assert.rejects(openYolo(located, "native", { nms: 2 }), UsageError);
    await Deno.writeFile(`${folder}/small-yolo.onnx`, new Uint8Array(9));
    await assert.rejects(openYolo(located, "native"), /sha256 of small-yolo\.onnx is/);
  }));

Deno.test("a network that gives NaN, and an image too narrow, are reasons to refuse the image", () =>
  withFolder(async (folder) => {
    const logits = new Float32Array(14).fill(1);
    logits[13] = NaN;
    const graph = constantGraph(64, 48, [floats([14, 1, 1], logits)]);
    const detector = await openYolo(await writeSmallYolo(folder, graph, SMALL), "native");
    try {
      const refused = (reason: RegExp) => (error: unknown) =>
        error instanceof ImageError && reason.test(error.message);
      await assert.rejects(detector.detect(rgbImage(9, 9), ""), refused(/yolo0 .* holds NaN/));
      await assert.rejects(detector.detect(rgbImage(900, 9), ""), refused(/Cannot letterbox/));
    } finally {
      await detector.dispose();
    }
  }));

Deno.test("native and wasm find the same boxes", () =>
  withFolder(async (folder) => {
    const graph = convolutionGraph(64, 48, randomConvolution());
    const located = await writeSmallYolo(folder, graph, SMALL);
    const image = noise(50, 70);
    const find = async (backend: "native" | "wasm") => {
      const detector = await openYolo(located, backend);
      try {
        const { boxes } = await detector.detect(image, "");
        return boxes.map(({ label, confidence, ...corners }) => [
          SMALL.classes.indexOf(label),
          confidence,
          ...Object.values(corners),
        ]);
      } finally {
        await detector.dispose();
      }
    };
    const native = await find("native");
    assertAtLeast(native.length, 5);
    assertNearSet(await find("wasm"), native, 1e-4, "wasm");
  }));
