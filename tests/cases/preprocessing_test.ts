/** Sizes, offsets and pixels of prepared pictures are those of the libraries that networks are trained with. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { type RgbImage, rgbImage } from "../../src/image/image.ts";
import { type InputSpec, parseCard } from "../../src/runtime/card.ts";
import { centreCrop } from "../../src/runtime/centre_crop.ts";
import { inputPlacement, prepare } from "../../src/runtime/preprocess.ts";
import { assertClose } from "../assert_close.ts";
import { assertAtLeast } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { readJson } from "../image/pillow_golden.ts";
import { put } from "./table_runs.ts";

const FOLDER = fileURLToPath(new URL("centre_crop/", import.meta.url));

const spec = (changes: Partial<InputSpec>): InputSpec => ({
  name: "x",
  width: 224,
  height: 224,
  channels: "rgb",
  fit: "centre-crop",
  resize: "pillow-bilinear",
  scale: 1,
  mean: [0],
  std: [1],
  ...changes,
});

Deno.test("case 04: a 4:3 picture has torchvision's probabilities", async () => {
  await withFolder(async (folder) => {
    const boxes = join(folder, "boxes.csv"), out = join(folder, "out");
    await put(boxes, "image,label,confidence,x0,y0,x1,y1\nlandscape.png,thing,1,0,0,16,16\n");
    const { status, err } = await emocam(
      ...["analyze", join(FOLDER, "landscape.png"), "--classifier", join(FOLDER, "card.json")],
      ...["--methods", "grad-cam", "--detector", boxes, "--out", out],
    );
    assert.equal(status, 0, err);
    const text = await Deno.readTextFile(join(out, "predictions.csv"));
    const [row] = parse(text, { columns: true }) as Record<string, string>[];
    // torchvision 0.29 and onnxruntime, to five decimals.
    const wanted = [.43865, .38695, .1744];
    assertClose(["p_a", "p_b", "p_c"].map((name) => Number(row[name])), wanted, 1e-5, text);
  });
});

/** Python's `round(x / 2)` of a whole number: halves to even. */
const roundHalf = (twice: number) => {
  if (twice % 2 === 0) return twice / 2;
  const down = (twice - 1) / 2;
  return down % 2 === 0 ? down : down + 1;
};

/** torchvision 0.29.2, functional.py: `_compute_resized_output_size` and `center_crop`, in integers: [width, height, left, top]. */
function torchvisionTwin(w: number, h: number, size: number, cw: number, ch: number) {
  const short = Math.min(w, h), long = Math.max(w, h);
  // int(size * long / short): exact integer division, which a correctly rounded quotient of such numbers never crosses.
  const whole = (size * long - (size * long) % short) / short;
  const nw = w <= h ? size : whole, nh = w <= h ? whole : size;
  // CenterCrop pads by // 2 on the left where the picture is smaller, and crops nothing there.
  const left = cw > nw ? -((cw - nw) >> 1) : roundHalf(nw - cw);
  const top = ch > nh ? -((ch - nh) >> 1) : roundHalf(nh - ch);
  return [nw, nh, left, top];
}

/** transformers, image_transforms.py: `get_resize_output_image_size` and `center_crop`. */
function transformersTwin(w: number, h: number, size: number, cw: number, ch: number) {
  const [nw, nh] = torchvisionTwin(w, h, size, cw, ch);
  const offset = (orig: number, crop: number) => {
    const start = Math.floor((orig - crop) / 2);
    if (start >= 0 && start + crop <= orig) return start;
    const pad = Math.ceil((Math.max(crop, orig) - orig) / 2);
    return Math.max(0, start + pad) - pad;
  };
  return [nw, nh, offset(nw, cw), offset(nh, ch)];
}

/** Keras 3, `smart_resize`: [width, height, left, top] of what is cut. */
function kerasTwin(w: number, h: number, tw: number, th: number) {
  const ch = Math.max(Math.min(h, Math.floor(w * th / tw)), 1);
  const cw = Math.max(Math.min(w, Math.floor(h * tw / th)), 1);
  return [cw, ch, (w - cw) >> 1, (h - ch) >> 1];
}

const LEAST = 32, MOST = 4096;

/** Asks about every width and height. */
function everySize(
  input: InputSpec,
  twin: (w: number, h: number) => number[],
  given: (crop: ReturnType<typeof centreCrop>) => [number, number, number, number],
) {
  let wrong = 0, example = "";
  for (let width = LEAST; width <= MOST; width++) {
    for (let height = LEAST; height <= MOST; height++) {
      const found = given(centreCrop({ width, height }, input));
      const wanted = twin(width, height);
      if (
        found[0] === wanted[0] && found[1] === wanted[1] && found[2] === wanted[2] &&
        found[3] === wanted[3]
      ) continue;
      if (wrong++ === 0) example = `${width} x ${height}: ${found}, not ${wanted}`;
    }
  }
  assert.equal(wrong, 0, example);
}

const resized = ({ whole, left, top }: ReturnType<typeof centreCrop>) =>
  [whole.width, whole.height, left, top] as [number, number, number, number];
const cut = ({ from }: ReturnType<typeof centreCrop>) =>
  [from.width, from.height, from.left, from.top] as [number, number, number, number];

Deno.test("size and offset are torchvision's for every width and height from 32 to 4,096", () => {
  everySize(spec({ shorterSide: 256 }), (w, h) => torchvisionTwin(w, h, 256, 224, 224), resized);
});

Deno.test("with odd sizes, and pictures smaller than the input, they are torchvision's too", () => {
  const sizes: [number, number, number][] = [[235, 299, 299], [300, 131, 77], [60, 75, 48]];
  for (const [shorterSide, width, height] of sizes) {
    for (let w = LEAST; w <= MOST; w += 7) {
      for (let h = LEAST; h <= MOST; h += 5) {
        const found = resized(
          centreCrop({ width: w, height: h }, spec({ shorterSide, width, height })),
        );
        const wanted = torchvisionTwin(w, h, shorterSide, width, height);
        if (String(found) !== String(wanted)) assert.deepEqual(found, wanted, `${w} x ${h}`);
      }
    }
  }
});

Deno.test("size and offset are transformers' for every width and height from 32 to 4,096", () => {
  const input = spec({ shorterSide: 256, rule: "transformers" });
  everySize(input, (w, h) => transformersTwin(w, h, 256, 224, 224), resized);
  for (const [width, height] of [[48, 48], [61, 75]]) {
    const small = centreCrop({ width, height }, spec({ shorterSide: 201, rule: "transformers" }));
    assert.deepEqual(resized(small), transformersTwin(width, height, 201, 224, 224));
  }
});

Deno.test("what is cut is Keras' for every width and height from 32 to 4,096", () => {
  const input = spec({ width: 224, height: 160, rule: "keras" });
  everySize(input, (w, h) => kerasTwin(w, h, 224, 160), cut);
});

Deno.test("timm's size is torchvision's of floor(size / crop_pct)", () => {
  for (
    const [width, cropPct, shorter] of [[224, 0.875, 256], [224, 0.9, 248], [299, 0.875, 341], [
      240,
      0.95,
      252,
    ]]
  ) {
    const own = spec({ width, height: width, rule: "timm", cropPct });
    for (let w = LEAST; w <= MOST; w += 11) {
      const part = { width: w, height: 1 + (w * 31) % MOST };
      assert.deepEqual(
        resized(centreCrop(part, own)),
        torchvisionTwin(part.width, part.height, shorter, width, width),
      );
    }
  }
});

interface Golden {
  readonly rule: "torchvision" | "timm" | "stretch";
  readonly size: readonly [number, number];
  readonly seed: number;
  readonly resize: InputSpec["resize"];
  readonly width: number;
  readonly height: number;
  readonly shorterSide?: number;
  readonly cropPct?: number;
  readonly sha256: string;
}

/** Noise that the goldens' program makes, too: see tests/golden/image/README.md. */
function picture(width: number, height: number, seed: number): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let n = 0; n < data.length; n++) {
    let v = (Math.imul(n, 2654435761) + Math.imul(seed, 40503)) >>> 0;
    v = Math.imul(v ^ (v >>> 15), 2246822519) >>> 0;
    data[n] = v ^ (v >>> 13);
  }
  return rgbImage(width, height, data);
}

Deno.test("pixels are those of torchvision and timm with Pillow, on 20 sizes and three filters", () => {
  const { cases } = readJson<{ cases: Golden[] }>("crops.json");
  for (const golden of cases) {
    const { rule, size: [w, h], seed, resize, width, height, shorterSide, cropPct } = golden;
    const image = picture(w, h, seed);
    const input = spec({
      ...{ width, height, resize },
      ...rule === "stretch" ? { fit: "stretch" } : { rule },
      ...shorterSide === undefined ? {} : { shorterSide },
      ...cropPct === undefined ? {} : { cropPct },
    });
    const planes = prepare(image, { x0: 0, y0: 0, x1: w, y1: h }, input);
    const pixels = width * height, bytes = new Uint8Array(3 * pixels);
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < 3; c++) bytes[3 * i + c] = planes[c * pixels + i];
    }
    const found = createHash("sha256").update(bytes).digest("hex");
    assert.equal(found, golden.sha256, JSON.stringify(golden));
  }
  assertAtLeast(new Set(cases.map(({ size }) => String(size))).size, 20);
});

Deno.test("a plain bilinear filter holds for a centre crop, and Keras' rule says where its part lies", () => {
  const image = picture(90, 40, 3);
  const whole = { x0: 0, y0: 0, x1: 90, y1: 40 };
  const input = { width: 40, height: 40, resize: "bilinear-half-pixel", shorterSide: 40 } as const;
  // The shorter side stays: nothing is resampled, whatever the filter.
  const bicubic = prepare(image, whole, spec({ ...input, resize: "pillow-bicubic" }));
  assert.deepEqual(prepare(image, whole, spec(input)), bicubic);
  const small = { ...input, width: 20, height: 20, shorterSide: 25 };
  assert.notDeepEqual(
    prepare(image, whole, spec(small)),
    prepare(image, whole, spec({ ...small, resize: "pillow-bicubic" })),
  );
  const { shorterSide: _, ...keras } = { ...small, rule: "keras" as const };
  const placement = inputPlacement(whole, spec(keras));
  // Columns 25 … 64 of 90 become 0 … 19.
  assertClose([25, 65].map((x) => x * placement.x.scale + placement.x.offset), [0, 20], 1e-12, "");
});

Deno.test("pad-centre puts the smaller half before, as Keras' pad_to_aspect_ratio", () => {
  for (const [width, height] of [[33, 20], [20, 33], [64, 64], [101, 50]]) {
    const side = Math.max(width, height);
    const { x, y } = inputPlacement(
      { x0: 0, y0: 0, x1: width, y1: height },
      spec({ fit: "pad-centre", width: side, height: side }),
    );
    const pad = (extent: number) => Math.trunc((side - extent) / 2);
    assert.deepEqual([x.offset, y.offset], [pad(width), pad(height)]);
  }
});

Deno.test("a card that says what its rule does not have is refused", () => {
  const card = (input: Record<string, unknown>) =>
    JSON.stringify({
      ...{ name: "net", task: "classifier", file: "net.onnx", sha256: "0".repeat(64) },
      input: { name: "x", width: 8, height: 8, channels: "rgb", ...input },
      ...{ classes: ["a"], source: "s", licence: "l" },
    });
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ rule: "timm" }, /rule.*only fit "centre-crop" has one/],
    [{ shorterSide: 9 }, /shorterSide.*only fit "centre-crop" has one/],
    [{ fit: "centre-crop", cropPct: 0.9 }, /cropPct.*only the rule "timm" has one/],
    [{ fit: "centre-crop", rule: "timm", cropPct: 0.9, shorterSide: 9 }, /give one of them/],
    [{ fit: "centre-crop", rule: "keras", shorterSide: 9 }, /cuts before it resizes/],
    [{ fit: "centre-crop", rule: "fastai" }, /rule/],
  ];
  for (const [input, message] of wrong) {
    assert.throws(() => parseCard(card(input), "net.json"), message, JSON.stringify(input));
  }
  parseCard(card({ fit: "centre-crop", rule: "timm", cropPct: 0.9 }), "net.json");
});
