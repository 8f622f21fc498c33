/** Corners of boxes are pixels of their picture, or what the file or the user says; what contradicts the pictures is refused. */

import assert from "node:assert/strict";
import { assertExcludes } from "../assert_that.ts";
import { analyzeBoxes, type BoxRun, draw, HEADER, withPictures } from "./box_runs.ts";

type Corners = readonly [number, number, number, number];
/** A box by image. */
type Boxes = readonly (readonly [image: string, corners: Corners])[];

const csv = (boxes: Boxes) =>
  HEADER + boxes.map(([image, corners]) => `${image},Dog,0.9,${corners}\n`).join("");

function coco(boxes: Boxes, sizes: Readonly<Record<string, unknown>> = {}): string {
  const names = [...new Set(boxes.map(([image]) => image))];
  return JSON.stringify({
    images: names.map((name, id) => ({ id, file_name: name, ...sizes[name] as object })),
    categories: [{ id: 1, name: "Dog" }],
    annotations: boxes.map(([image, [x0, y0, x1, y1]]) => ({
      image_id: names.indexOf(image),
      category_id: 1,
      bbox: [x0, y0, x1 - x0, y1 - y0],
      score: .9,
    })),
  });
}

/** The importances of boxes by image and corners, in order. */
const results = ({ boxes }: BoxRun) =>
  boxes.map(({ image, x0, y0, x1, y1, importance }) => [image, x0, y0, x1, y1, importance]);

/** Runs of one corpus with several files of boxes. */
async function withFiles(
  pictures: readonly string[],
  files: Readonly<Record<string, string>>,
  use: (
    run: (file: string, ...options: string[]) => Promise<BoxRun>,
    at: (path: string) => string,
  ) => Promise<void>,
): Promise<void> {
  await withPictures(pictures.map((path) => `corpus/${path}`), files, async (at) => {
    let count = 0;
    await use(
      (file, ...options) =>
        analyzeBoxes(at(`out${count++}`), at("corpus"), "--detector", at(file), ...options),
      at,
    );
  });
}

function refused({ status, err }: BoxRun, pattern: RegExp): void {
  assert.equal(status, 2, err);
  assert.match(err, pattern);
  assert.match(err, /^emocam|^Cannot/m);
}

const PIXELS: Boxes = [["a.png", [8, 8, 40, 40]], ["b.png", [0, 0, 64, 64]]];
const FRACTIONS: Boxes = [["a.png", [.125, .125, .625, .625]], ["b.png", [0, 0, 1, 1]]];
const PERCENT: Boxes = [["a.png", [12.5, 12.5, 62.5, 62.5]], ["b.png", [0, 0, 100, 100]]];

Deno.test("fractions are refused by name in every format of pixels, and are read where that is said", async () => {
  await withFiles(["a.png", "b.png"], {
    "pixels.csv": csv(PIXELS),
    "fractions.csv": csv(FRACTIONS),
    "fractions.json": coco(FRACTIONS, { "a.png": { width: 64, height: 64 } }),
    "unclipped.csv": csv([["a.png", [-.02, .1, .5, .5]], ["b.png", [0, .3, 1.03, .9]]]),
    "mixed.csv": csv([["a.png", [.1, 8, .6, 40]], ["b.png", [0, 0, 1, 64]], ["b.png", [
      0,
      1,
      1,
      9,
    ]]]),
  }, async (run) => {
    const expected = results(await run("pixels.csv"));
    for (const name of ["fractions.csv", "fractions.json"]) {
      for (const limit of [[], ["--limit", "1"]]) {
        refused(
          await run(name, ...limit),
          /all corners are within 0\.\.1, .*fractions.*\(a\.png: 0\.125 0\.125 0\.625 0\.625, in 64×64\); give --units fractions, or --units pixels/,
        );
      }
      assert.deepEqual(results(await run(name, "--units", "fractions")), expected);
    }
    refused(await run("unclipped.csv"), /seem to be fractions/);
    refused(await run("mixed.csv"), /all x are within 0\.\.1 and the y are not/);
    refused(
      await run("pixels.csv", "--units", "fractions"),
      /--units fractions is given, and a box of a\.png is 8 8 40 40/,
    );
    const meant = await run("fractions.csv", "--units", "pixels");
    assert.deepEqual(meant.boxes.map(({ x1 }) => x1), ["0.625", "1"]);
  });
});

Deno.test("percent are refused in small and large pictures, and are read where that is said", async () => {
  const names = ["a.png", "b.png", "c.png"];
  const large: Boxes = names.map((name, i) => [name, [10 + i, 5, 95.5, 90]]);
  await withFiles(["a.png", "b.png"], {
    "pixels.csv": csv(PIXELS),
    "percent.csv": csv(PERCENT),
    "percent.json": coco(PERCENT, { "b.png": { width: 64, height: 64 } }),
    "large.csv": csv(large),
    "one.csv": csv(large.slice(0, 1)),
  }, async (run, at) => {
    const expected = results(await run("pixels.csv"));
    for (const name of ["percent.csv", "percent.json"]) {
      refused(
        await run(name),
        /percent instead of pixels \(b\.png: 0 0 100 100, in 64×64\); give --units percent/,
      );
      assert.deepEqual(results(await run(name, "--units", "percent")), expected);
    }
    for (const [i, name] of names.entries()) {
      await draw(at(`corpus/${name}`), i, { width: 640, height: 480 });
    }
    refused(
      await run("large.csv"),
      /all corners are within 0\.\.100, in larger pictures, .*give --units percent/,
    );
    const percent = await run("large.csv", "--units", "percent");
    assert.deepEqual(percent.boxes.map(({ x0, x1, y1 }) => [x0, x1, y1].map(Number)), [
      [64, 611.2, 432],
      [70.4, 611.2, 432],
      [76.8, 611.2, 432],
    ]);
    // One box can well lie in a corner.
    const { status, notes } = await run("one.csv");
    assert.equal(status, 0);
    assert.match(notes.join("\n"), /all corners are within 0\.\.100 .*give --units percent/);
  });
});

Deno.test("no false alarm: tiny boxes, boxes of small pictures, boxes in a corner, boxes over the edge", async () => {
  await withPictures([], {
    "tiny.csv": csv([["a.png", [10, 10, 10.5, 10.25]], ["b.png", [3, 3, 4, 4]]]),
    "small.csv": csv([["a.png", [5, 5, 60, 60]], ["b.png", [50, 20, 100, 90]], ["c.png", [
      0,
      0,
      99,
      89,
    ]]]),
    "corner.csv": csv([["a.png", [1, 2, 40, 30]], ["b.png", [1, 2, 44, 31]], ["c.png", [
      0,
      0,
      45,
      30,
    ]]]),
    "beyond.csv": csv([["a.png", [-3, -1, 60, 50]], ["b.png", [50, 40, 122, 91]], ["c.png", [
      0,
      0,
      121,
      92,
    ]]]),
    "pixel.csv": csv([["a.png", [0, 0, 1, 1]], ["b.png", [5, 5, 80, 80]]]),
    "over.csv": csv([["a.png", [5, 5, 140, 80]], ["b.png", [5, 5, 80, 80]], ["c.png", [
      9,
      9,
      20,
      20,
    ]]]),
  }, async (at) => {
    for (const [i, name] of ["a.png", "b.png", "c.png"].entries()) {
      await draw(at(`corpus/${name}`), i, { width: 120, height: 90 });
    }
    for (const name of ["tiny", "small", "corner", "beyond", "pixel", "over"]) {
      const run = await analyzeBoxes(at("out"), at("corpus"), "--detector", at(`${name}.csv`));
      assert.equal(run.status, 0, run.err);
      const notes = run.notes.filter((note) => !/has boxes for/.test(note)).join("\n");
      // Kept, but told.
      if (name === "pixel") {
        assert.match(notes, /boxes within 0\.\.1 count as pixels.*\(1: a\.png: 0 0 1 1/);
      } else if (name === "over") {
        assert.match(
          notes,
          /reach out of their picture by over a tenth.*\(1: a\.png: 5 5 140 80, in 120×90\)/,
        );
      } else assert.equal(notes, "", name);
    }
  });
});

Deno.test("COCO's width and height: scaled where the shape is the picture's, with a note; refused where it is not", async () => {
  const size = (width: unknown, height: unknown) => ({ "a.png": { width, height } });
  const big: Boxes = [["a.png", [32, 16, 160, 144]]];
  await withFiles([], {
    "pixels.csv": csv([["a.png", [8, 4, 40, 36]]]),
    "resized.json": coco(big, size(256, 192)),
    "text.json": coco(big, size("256", "192")),
    // 64×48 of 101×76 is rounded.
    "rounded.json": coco([["a.png", [0, 0, 101, 76]]], size(101, 76)),
    "none.json": coco([["a.png", [8, 4, 40, 36]]], size(0, null)),
    "shape.json": coco(big, size(256, 256)),
    "size.csv": `${HEADER.trim()},Image_Width,image_height\na.png,Dog,0.9,32,16,160,144,256,192\n`,
    "extent.csv": `${HEADER.trim()},width,height\na.png,Dog,0.9,8,4,40,36,32,32\n`,
    "plain.csv": `${HEADER.trim()},width,height\na.png,Dog,0.9,32,16,160,144,256,192\n`,
  }, async (run, at) => {
    await draw(at("corpus/a.png"), 1, { width: 64, height: 48 });
    const expected = results(await run("pixels.csv"));
    for (const name of ["resized.json", "text.json", "size.csv", "plain.csv"]) {
      const scaled = await run(name);
      assert.deepEqual(results(scaled), expected, name);
      assert.match(scaled.notes.join("\n"), /scaled .*\(a\.png has 64×48, the file says 256×192\)/);
    }
    for (const name of ["none.json", "extent.csv"]) {
      const same = await run(name);
      assert.deepEqual(results(same), expected, name);
      assert.deepEqual(same.notes, []);
    }
    assert.deepEqual((await run("rounded.json")).boxes.map(({ x1, y1 }) => [x1, y1]), [[
      "64",
      "48",
    ]]);
    refused(await run("shape.json"), /another shape .*\(a\.png has 64×48, the file says 256×256\)/);
    const meant = await run("shape.json", "--units", "pixels");
    assert.deepEqual(meant.boxes.map(({ x0, x1 }) => [x0, x1]), [["32", "160"]]);
  });
});

Deno.test("boxes on pictures as stored, which EXIF turns: --orientation stored is named, and right", async () => {
  const boxes: Boxes = [["p.jpg", [0, 0, 20, 20]], ["q.jpg", [60, 5, 80, 40]]];
  const stored = { width: 80, height: 40 };
  const half = boxes.map(([name, c]) => [name, c.map((v) => v / 2) as unknown as Corners] as const);
  await withFiles([], {
    "turned.json": coco(boxes, { "p.jpg": stored, "q.jpg": stored }),
    "half.json": coco(half, {
      "p.jpg": { width: 40, height: 20 },
      "q.jpg": { width: 40, height: 20 },
    }),
    "boxes.csv": csv(boxes),
    "wide.csv": csv([["p.jpg", [10, 0, 80, 39]], ["q.jpg", [60, 5, 80, 40]]]),
    "upright.json": coco([["p.jpg", [0, 0, 20, 60]]], { "p.jpg": { width: 40, height: 80 } }),
  }, async (run, at) => {
    for (const [turn, name] of [[6, "p.jpg"], [8, "q.jpg"]] as const) {
      await draw(at(`corpus/${name}`), turn, { ...stored, turn });
    }
    const expected = results(await run("boxes.csv", "--orientation", "stored"));
    for (const name of ["turned.json", "half.json"]) {
      refused(
        await run(name),
        /as stored, .*2 images \(p\.jpg has 40×80, the file says .*; give --orientation stored/,
      );
      assert.deepEqual(results(await run(name, "--orientation", "stored")), expected);
    }
    refused(await run("wide.csv"), /2 of 2 boxes reach out .*they fit with --orientation stored/);
    refused(
      await run("upright.json", "--orientation", "stored"),
      /turned upright .*give --orientation exif/,
    );
    assert.equal((await run("upright.json")).status, 0);
  });
});

Deno.test("boxes of another picture size that the file does not tell are refused", async () => {
  await withFiles(["a.png", "b.png"], {
    "other.csv": csv([["a.png", [32, 32, 160, 160]], ["b.png", [0, 0, 256, 256]], ["b.png", [
      70,
      80,
      90,
      90,
    ]]]),
    "all.csv": csv([["a.png", [132, 32, 160, 160]]]),
  }, async (run) => {
    refused(
      await run("other.csv"),
      /3 of 3 boxes reach out of their pictures \(a\.png: 32 32 160 160, in 64×64\)/,
    );
    refused(await run("all.csv"), /1 of 1 boxes reach out/);
  });
});

Deno.test("units are for files of boxes whose format leaves them open", async () => {
  await withFiles(["a.png"], {
    "labels/a.txt": "0 0.375 0.375 0.5 0.5\n",
    "labels/classes.txt": "Dog\n",
  }, async (run, at) => {
    refused(await run("labels/", "--units", "pixels"), /its format is in fractions/);
    assert.equal((await run("labels/", "--units", "fractions")).boxes[0]!.x0, "8");
    const { status, err } = await analyzeBoxes(
      at("out"),
      at("corpus"),
      "--detector",
      "face-parts",
      "--units",
      "pixels",
    );
    assert.equal(status, 2);
    assert.match(
      err,
      /Cannot use --units pixels with detector face-parts: only files of boxes have it/,
    );
    assertExcludes(err, "    at ");
  });
});
