/** A box goes to the image that its file names, whatever else is given beside it. */

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { assertExcludes } from "../assert_that.ts";
import { analyzeBoxes, HEADER, places, withPictures } from "./box_runs.ts";

const box = (image: string, label: string) => `${image},${label},0.9,8,8,40,40\n`;
const BOTH = HEADER + box("joy/1.png", "Dog") + box("sad/1.png", "Cat");
const PLACES = ["joy/1.png: Dog", "sad/1.png: Cat"];

Deno.test("a table of annotations beside its folder changes neither names nor boxes, in either order", async () => {
  await withPictures(["corpus/joy/1.png", "corpus/sad/1.png"], {
    "boxes.csv": BOTH,
    "corpus/table.csv": "path,emotion\njoy/1.png,Joy\nsad/1.png,Sadness\n",
    "above.csv": "path,emotion\ncorpus/joy/1.png,Joy\ncorpus/sad/gone.png,Sadness\n",
    "one.csv": "path,emotion\ncorpus/joy/1.png,Joy\n",
  }, async (at) => {
    const run = (...paths: string[]) =>
      analyzeBoxes(at("out"), ...paths.map(at), "--detector", at("boxes.csv"));
    const alone = await run("corpus");
    assert.deepEqual(places(alone), PLACES);
    assert.deepEqual(alone.notes, []);
    for (
      const paths of [
        ["corpus/table.csv"],
        ["corpus", "corpus/table.csv"],
        ["corpus/table.csv", "corpus"],
        ["corpus", "one.csv"],
        ["one.csv", "corpus"],
        ["corpus", "corpus"],
        ["corpus/sad", "corpus"],
        ["corpus/joy/1.png", "corpus"],
      ]
    ) {
      const beside = await run(...paths);
      assert.deepEqual(beside.boxes, alone.boxes, paths.join());
      assert.deepEqual(beside.notes, [], paths.join());
    }
    // A row without a file is an image by its path in the folder.
    const { status, err, boxes } = await run("corpus", "above.csv");
    assert.equal(status, 0);
    assert.match(err, /sad\/gone\.png/);
    assertExcludes(err, "corpus/sad/gone.png");
    assert.deepEqual(boxes, alone.boxes);
  });
});

Deno.test("another folder beside it, a pattern, or single files: boxes go where they belong", async () => {
  const pictures = ["corpus/joy/1.png", "corpus/sad/1.png", "other/5.png"];
  await withPictures(pictures, { "boxes.csv": BOTH }, async (at) => {
    for (
      const paths of [["corpus", "other"], ["corpus/*/*.png"], [
        "corpus/joy/1.png",
        "corpus/sad/1.png",
      ], ["corpus/joy", "corpus/sad"]]
    ) {
      const { boxes, status, err } = await analyzeBoxes(
        ...[at("out"), ...paths.map(at), "--detector", at("boxes.csv")] as const,
      );
      assert.equal(status, 0, err);
      const ends = boxes.map(({ image, label }) => `${image!.slice(-9)}: ${label}`);
      assert.deepEqual(ends.sort(), PLACES, paths.join());
    }
  });
});

Deno.test("a part of the corpus has the boxes that it has in the whole", async () => {
  const files = {
    // 1.png could be either: alone in a part, it is not sure either.
    "boxes.csv": HEADER + box("1.png", "Dog") + box("z.png", "Cat"),
  };
  await withPictures(
    ["corpus/joy/1.png", "corpus/sad/1.png", "corpus/z/z.png"],
    files,
    async (at) => {
      for (const limit of [["--limit", "1"], ["--limit", "2"], []]) {
        const { boxes, notes } = await analyzeBoxes(
          ...[at("out"), at("corpus"), "--detector", at("boxes.csv"), ...limit] as const,
        );
        assert.deepEqual(
          boxes.map(({ image, label }) => [image, label]),
          limit.length > 0 ? [] : [["z/z.png", "Cat"]],
        );
        assert.match(
          notes.join("\n"),
          /1 of its 2 images could be several .*\(1\.png: joy\/1\.png or sad\/1\.png\)/,
        );
      }
    },
  );
});

Deno.test("composed and decomposed forms are one name, in every format and spelling", async () => {
  const composed = "m\u00fcll", decomposed = "mu\u0308ll";
  const json = (name: string) =>
    JSON.stringify({
      images: [{ id: 1, file_name: `${name}.png` }],
      categories: [{ id: 1, name: "Dog" }],
      annotations: [{ image_id: 1, category_id: 1, bbox: [8, 8, 32, 32] }],
    });
  for (const [disk, table] of [[composed, decomposed], [decomposed, composed]] as const) {
    await withPictures([`corpus/${disk}.png`], {
      "boxes.csv": HEADER + box(`${table}.png`, "Dog"),
      "windows.csv": HEADER + box(`C:\\data\\corpus\\${table}.png`, "Dog"),
      "boxes.json": json(table),
      "oi.csv": `ImageID,LabelName,XMin,XMax,YMin,YMax\n${table},Dog,0.125,0.625,0.125,0.625\n`,
      [`labels/${table}.txt`]: "0 0.375 0.375 0.5 0.5\n",
      "labels/classes.txt": "Dog\n",
    }, async (at) => {
      const rows = [];
      for (const name of ["boxes.csv", "windows.csv", "boxes.json", "oi.csv", "labels/"]) {
        const { boxes } = await analyzeBoxes(at("out"), at("corpus"), "--detector", at(name));
        assert.equal(boxes.length, 1, name);
        assert.equal(boxes[0]!.image, `${disk}.png`, name);
        rows.push(boxes[0]!.importance);
      }
      assert.equal(new Set(rows).size, 1);
    });
  }
});

Deno.test("a name in another folder is another image; what matches nothing is counted and named", async () => {
  await withPictures(["val/1.png", "val/2.png", "val/3.png"], {
    "boxes.csv": HEADER + box("train/1.png", "Dog") + box("val/2.png", "Cat") +
      box("train/3.png", "Dog") + box("test/9.png", "Cow"),
    "train.csv": HEADER + box("train/1.png", "Dog"),
    "sub.csv": HEADER + box("test/1.png", "Dog"),
  }, async (at) => {
    const run = await analyzeBoxes(at("out"), at("val"), "--detector", at("boxes.csv"));
    assert.deepEqual(places(run), ["2.png: Cat"]);
    assert.match(
      run.notes.join("\n"),
      /3 of its 4 images are not in the corpus \(train\/1\.png, train\/3\.png, test\/9\.png\); 2 have the name of an image in another folder/,
    );
    // The folder was only renamed: nothing speaks against it.
    const renamed = await analyzeBoxes(at("out"), at("val"), "--detector", at("train.csv"));
    assert.deepEqual(places(renamed), ["1.png: Dog"]);
    // Both say a folder, and not the same.
    const { status, err } = await analyzeBoxes(
      at("out"),
      dirname(at("val")),
      "--detector",
      at("sub.csv"),
    );
    assert.equal(status, 2);
    assert.match(
      err,
      /none of its 1 images \(test\/1\.png …\) is in the corpus .* \(in another folder: test\/1\.png: val\/1\.png\); write paths/,
    );
  });
});

Deno.test("paths from the file's own folder, absolute paths and paths of another computer", async () => {
  const pictures = ["data/pics/joy/1.png", "data/pics/sad/1.png"];
  await withPictures(pictures, {
    "data/labels/boxes.csv": HEADER + box("../pics/joy/1.png", "Dog") +
      box(".\\..\\pics\\sad\\1.png", "Cat"),
    "moved.csv": HEADER + box("/home/me/pics/joy/1.png", "Dog") +
      box("D:\\set\\sad\\1.png", "Cat"),
  }, async (at) => {
    await Deno.writeTextFile(
      at("absolute.csv"),
      HEADER + box(at(pictures[0]!), "Dog") + box("joy/1.png", "Bird") +
        box(at(pictures[1]!), "Cat"),
    );
    for (const name of ["data/labels/boxes.csv", "moved.csv", "absolute.csv"]) {
      const run = await analyzeBoxes(at("out"), at("data/pics"), "--detector", at(name));
      // Two names of one image are both its.
      const expected = name === "absolute.csv" ? ["joy/1.png: Bird", ...PLACES] : PLACES;
      assert.deepEqual(places(run), expected, name);
      assert.deepEqual(run.notes, [], name);
    }
  });
});

Deno.test("YOLO's labels/ lie beside images/, also with both in each part", async () => {
  const one = "0 0.375 0.375 0.5 0.5\n";
  await withPictures(["set/train/images/a.png", "set/valid/images/a.png"], {
    "set/train/labels/a.txt": one,
    "set/valid/labels/a.txt": `${one}1 0.5 0.5 1 1\n`,
    "set/classes.txt": "Dog\nCat\n",
  }, async (at) => {
    const run = await analyzeBoxes(at("out"), at("set"), "--detector", `${at("set")}/`);
    assert.deepEqual(places(run), [
      "train/images/a.png: Dog",
      "valid/images/a.png: Cat",
      "valid/images/a.png: Dog",
    ]);
    assert.deepEqual(run.notes, []);
  });
});
