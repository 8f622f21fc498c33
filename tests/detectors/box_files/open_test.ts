import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { openBoxes } from "../../../src/detectors/box_files/open.ts";
import { findImages } from "../../../src/corpora/find_images.ts";
import { decodeImage, imageSize } from "../../../src/image/decode.ts";
import { withFolder } from "../../corpus/face_corpus.ts";
import type { CorpusImage } from "../../../src/image/image_file.ts";
import type { OpenedDetector } from "../../../src/detectors/detector.ts";

/** A picture of 60 x 40 pixels, marked as one to be turned. */
function turned(orientation: number): Promise<Uint8Array> {
  return sharp({ create: { width: 60, height: 40, channels: 3, background: "#345" } })
    .withMetadata({ orientation }).jpeg().toBuffer();
}

Deno.test("the size that a header tells is that of the decoded picture, for every orientation", async () => {
  for (let tag = 1; tag <= 8; tag++) {
    const bytes = await turned(tag);
    for (const orientation of ["exif", "stored"] as const) {
      const { width, height } = await decodeImage(bytes, { orientation });
      assert.deepEqual(await imageSize(bytes, orientation), { width, height });
    }
  }
});

async function withCorpus(
  files: Record<string, string>,
  use: (folder: string, images: Awaited<ReturnType<typeof findImages>>) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "images"));
    await Deno.writeFile(join(folder, "images/a.jpg"), await turned(1));
    await Deno.writeFile(join(folder, "images/b.jpg"), await turned(6));
    await Deno.writeTextFile(join(folder, "images/broken.jpg"), "no picture");
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
      await Deno.writeTextFile(join(folder, path), text);
    }
    await use(folder, await findImages([join(folder, "images")]));
  });
}

/** Opens boxes and matches them with images; all notices together. */
async function openFor(
  name: string,
  images: readonly CorpusImage[],
  orientation: "exif" | "stored" = "exif",
): Promise<OpenedDetector> {
  const { detector, notices } = (await openBoxes(name))!;
  const matched = await detector.match!(images, orientation);
  return { ...matched, notices: [...notices, ...matched.notices] };
}

Deno.test("boxes in fractions become pixels of the picture as it is taken", async () => {
  const header = "ImageID,LabelName,XMin,XMax,YMin,YMax\n";
  await withCorpus({
    "oi.csv": `${header}a,/m/1,0,0.5,0,0.5\nb,/m/1,0,0.5,0,0.5\nbroken,/m/1,0,1,0,1\n`,
    "labels/a.txt": "0 0.25 0.25 0.5 0.5\n",
    "labels/b.txt": "0 0.25 0.25 0.5 0.5\n",
    "labels/classes.txt": "cat\n",
  }, async (folder, images) => {
    for (const [name, label] of [["oi.csv", "/m/1"], ["labels/", "cat"]] as const) {
      const { detector, notices } = await openFor(join(folder, name), images);
      const corner = async (path: string, from = detector) => {
        const [box] = from.lookUp!(path).boxes;
        const size = rgb();
        assert.deepEqual((await from.detect(size, path)).boxes, from.lookUp!(path).boxes);
        return box && [box.label, box.x1, box.y1];
      };
      assert.deepEqual(await corner("a.jpg"), [label, 30, 20]);
      assert.deepEqual(await corner("b.jpg"), [label, 20, 30]);
      assert.equal(await corner("broken.jpg"), undefined);
      const { detector: stored } = await openFor(join(folder, name), images, "stored");
      assert.deepEqual(await corner("b.jpg", stored), [label, 30, 20]);
      if (name === "oi.csv") assert.match(notices.join(), /labels are Open Images' codes/);
      else assert.match(notices.join(), /has boxes for 2 of 3 images/);
    }
    await Deno.writeTextFile(join(folder, "class-descriptions-boxable.csv"), "/m/1,Person\n");
    const { detector: named } = await openFor(join(folder, "oi.csv"), images);
    assert.deepEqual(named.labels, ["Person"]);
    const { detector: plain } = await openFor(join(folder, "labels/"), images);
    assert.notEqual(named.key.sha256, plain.key.sha256);
  });
});

Deno.test("names of detectors and cards are not boxes; boxes of other images are refused", async () => {
  await withCorpus({
    "card.json": '{"task": "detector"}',
    "other.csv": "image,label,confidence,x0,y0,x1,y1\nz.jpg,cat,1,0,0,1,1\n",
  }, async (folder, images) => {
    assert.equal(await openBoxes("face-parts"), undefined);
    assert.equal(await openBoxes(join(folder, "card.json")), undefined);
    await assert.rejects(
      openFor(join(folder, "other.csv"), images),
      /none of its 1 images \(z\.jpg …\) is in the corpus \(a\.jpg …\)/,
    );
    await assert.rejects(
      openBoxes("none.csv"),
      /Cannot read detector none\.csv/,
    );
  });
});

function rgb() {
  return { width: 1, height: 1, data: new Uint8Array(3) };
}

Deno.test("boxes that are left out are told", async () => {
  const annotations = [[1, 1, 0, 9], [1, 1, 9, 9]].map((bbox) => ({
    ...{ image_id: 1, category_id: 1 },
    bbox,
  }));
  const coco = {
    ...{ images: [{ id: 1, file_name: "a.jpg" }], categories: [{ id: 1, name: "cat" }] },
    annotations,
  };
  await withCorpus({ "coco.json": JSON.stringify(coco) }, async (folder, images) => {
    const { notices } = await openFor(join(folder, "coco.json"), images);
    assert.match(
      notices.join("\n"),
      /coco\.json: boxes without width or height are left out \(1\)/,
    );
  });
});
