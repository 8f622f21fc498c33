import assert from "node:assert/strict";
import { UsageError } from "../../../src/base/errors.ts";
import { rgbImage } from "../../../src/image/image.ts";
import { boxesDetector, matchImages } from "../../../src/detectors/box_files/match.ts";
import { readBoxes } from "../../../src/detectors/box_files/mod.ts";
import { assertExcludes } from "../../assert_that.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const HEADER = "image,label,confidence,x0,y0,x1,y1\n";
const coco = (change: Record<string, unknown> = {}) =>
  bytes(JSON.stringify({
    images: [{ id: 7, file_name: "a.jpg" }, { id: 8, file_name: "b.jpg" }],
    categories: [{ id: 1, name: "Dog" }],
    annotations: [{ image_id: 7, category_id: 1, bbox: [10, 20, 30, 40], score: 0.5 }],
    ...change,
  }));

Deno.test("a CSV file gives its boxes: any column order, more columns, quotes, BOM, blank lines", () => {
  const text = "\ufefflabel,image,y0,x0,x1,y1,confidence,note\r\n" +
    '"Dog, big",sub/a.jpg,2,1,3.5,4,0.25,"x"\r\n\r\nCat,.\\sub\\a.jpg,0,0,1,1,1,\r\n';
  const table = readBoxes(bytes(text), "boxes.csv");
  assert.deepEqual(table.labels, ["Dog, big", "Cat"]);
  assert.deepEqual([...table.images], [["sub/a.jpg", [
    { label: "Dog, big", confidence: 0.25, x0: 1, y0: 2, x1: 3.5, y1: 4 },
    { label: "Cat", confidence: 1, x0: 0, y0: 0, x1: 1, y1: 1 },
  ]]]);
});

Deno.test("a COCO file gives its boxes; without a score the confidence is 1", () => {
  const table = readBoxes(coco(), "coco.json");
  assert.deepEqual([...table.images], [
    ["a.jpg", [{ label: "Dog", confidence: 0.5, x0: 10, y0: 20, x1: 40, y1: 60 }]],
    ["b.jpg", []],
  ]);
  const plain = coco({ annotations: [{ image_id: 8, category_id: 1, bbox: [0, 0, 1, 2] }] });
  assert.equal(readBoxes(plain, "c").images.get("b.jpg")![0].confidence, 1);
});

function refused(content: Uint8Array, message: RegExp): void {
  assert.throws(() => readBoxes(content, "f"), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, message);
    assertExcludes(error.message, "\n", "one line");
    return true;
  });
}

Deno.test("a malformed CSV file is refused with its line and the value met", () => {
  const good = "a.jpg,Dog,0.5,1,2,3,4\n";
  const second = (row: string) => bytes(HEADER + good + row + "\n");
  refused(
    second("a.jpg,Dog,high,1,2,3,4"),
    /^Cannot read boxes from f, line 3: confidence is "high"/,
  );
  refused(second("a.jpg,Dog,,1,2,3,4"), /line 3: confidence is "", not a number/);
  refused(second("a.jpg,Dog,0.5,?,2,3,4"), /line 3: x0 is "\?", not a number/);
  refused(second("a.jpg,Dog,0.5,1,2,Infinity,4"), /line 3: x1 is "Infinity", not a number/);
  refused(second("a.jpg,Dog,1.5,1,2,3,4"), /line 3: confidence is 1\.5, not within 0\.\.1/);
  const only = (row: string) => bytes(HEADER + row + "\n");
  refused(only("a.jpg,Dog,0.5,3,2,3,4"), /line 2: x1 is 3, not over x0 = 3/);
  refused(only("a.jpg,Dog,0.5,1,5,3,4"), /line 2: y1 is 4, not over y0 = 5/);
  refused(only("a.jpg,Dog,0.5,NaN,5,3,4"), /line 2: x0 is not a number/);
  refused(second("a.jpg, ,0.5,1,2,3,4"), /line 3: the label is empty/);
  refused(second(",Dog,0.5,1,2,3,4"), /line 3: the image is empty/);
  refused(second("a.jpg,Dog,0.5,1,2,3"), /line 3: 6 fields, the header has 7/);
  refused(second('a.jpg,"Dog,0.5,1,2,3,4'), /line 3|line 4/);
  refused(
    bytes("image,label,score,x0,y0,x1,y1\n" + good),
    /column confidence missing in the header/,
  );
  refused(bytes(""), /column image, label, .* missing in the header ""/);
  refused(bytes(HEADER), /it holds no boxes/);
  refused(new Uint8Array([0x61, 0xff, 0xfe]), /not UTF-8/);
});

Deno.test("a malformed COCO file is refused with its place and the value met", () => {
  const annotation = (change: Record<string, unknown>) =>
    coco({ annotations: [{ image_id: 7, category_id: 1, bbox: [1, 2, 3, 4], ...change }] });
  refused(bytes("{"), /not JSON/);
  refused(bytes("[]"), /top level: it is a list, as results .* has images and categories too/);
  refused(bytes("{}"), /images: .*but found nothing/);
  refused(coco({ images: undefined }), /images: .*but found nothing/);
  refused(annotation({ image_id: 99 }), /annotations\[0\]: image_id 99 is not among the images/);
  refused(annotation({ category_id: "x" }), /annotations\[0\]: category_id "x" is not among/);
  refused(annotation({ bbox: [1, 2, "3", 4] }), /annotations\[0\]\.bbox\[2\]: .*but found "3"/);
  refused(annotation({ bbox: [1, 2, 3] }), /annotations\[0\]\.bbox.*but found/);
  refused(annotation({ score: null }), /annotations\[0\]\.score: .*but found null/);
  refused(annotation({ score: 2 }), /annotations\[0\]: confidence is 2/);
  refused(coco({ categories: [{ id: 1, name: " " }] }), /categories\[0\]\.name/);
  const twice = [{ id: 7, file_name: "a.jpg" }, { id: 7, file_name: "b.jpg" }];
  refused(coco({ images: twice }), /images: id 7 occurs twice/);
  const same = [{ id: 7, file_name: "a.jpg" }, { id: 8, file_name: "./a.jpg" }];
  refused(coco({ images: same }), /images: file_name "a\.jpg" occurs twice/);
  refused(coco({ annotations: [] }), /it holds no boxes/);
});

Deno.test("boxes without extent or place are left out and counted in CSV", () => {
  const rows = ["1,2,3,4", "3,2,3,4", "1,5,3,4", "4,2,3,4", "NaN,2,3,4", "1,NA,3,4", "1,2,nan,4"];
  const text = (some: readonly string[]) =>
    bytes(HEADER + some.map((corners) => `a.jpg,Dog,0.5,${corners}\n`).join(""));
  const table = readBoxes(text(rows), "f");
  assert.equal(table.leftOut, 3);
  assert.equal(table.unplaced, 3);
  assert.deepEqual([...table.images.values()].flat().map(({ x0, y1 }) => [x0, y1]), [[1, 4]]);
  refused(
    text(rows.slice(1)),
    /line 2: x1 is 3, not over x0 = 3; it holds no boxes .* \(6 without\)/,
  );
});

Deno.test("COCO's boxes without width or height are left out and counted", () => {
  const at = (bbox: number[]) => ({ image_id: 7, category_id: 1, bbox });
  const table = readBoxes(
    coco({ annotations: [at([1, 2, 0, 4]), at([1, 2, 3, 4]), at([1, 2, 3, 0])] }),
    "f",
  );
  assert.equal(table.leftOut, 2);
  assert.deepEqual([...table.images.values()].flat().map(({ x1, y1 }) => [x1, y1]), [[4, 6]]);
  const below = readBoxes(coco({ annotations: [at([1, 2, 3, 4]), at([9, 2, -3, 4])] }), "f");
  assert.equal(below.leftOut, 1);
  // As Python's json writes it.
  const python = new TextDecoder().decode(
    coco({ annotations: [at([1, 2, 3, 4]), at([9, 2, 3, 4])] }),
  )
    .replace("[9,", "[NaN,");
  assert.equal(readBoxes(bytes(python), "f").unplaced, 1);
  assert.equal(readBoxes(coco({}), "f").leftOut, undefined);
  refused(coco({ annotations: [at([1, 2, 0, 4])] }), /it holds no boxes/);
});

Deno.test("images match by exact path first, then by a file name that is left once on both sides", () => {
  const names = ["x/a.jpg", "b.jpg", "y/c.jpg", "z/c.jpg", "old/d.jpg"];
  const table = readBoxes(bytes(HEADER + names.map((n) => `${n},Dog,1,0,0,1,1\n`).join("")), "f");
  const paths = ["x/a.jpg", "w/a.jpg", "p/b.jpg", "c.jpg", "p/d.jpg", "q/d.jpg", "none.jpg"];
  assert.deepEqual([...matchImages(table, paths)], [["x/a.jpg", "x/a.jpg"], ["p/b.jpg", "b.jpg"]]);
  // w/a.jpg: its name is taken by an exact match; c.jpg: twice in the file; d.jpg: twice in the corpus.
  assert.equal(matchImages(table, ["elsewhere/none.jpg"]).size, 0);
  // Alone in the corpus, it still lies in another folder than the file says.
  assert.equal(matchImages(table, ["p/d.jpg"]).size, 0);
  assert.equal(matchImages(table, ["d.jpg"]).get("d.jpg"), "old/d.jpg");
});

Deno.test("the detector of a file gives each image its boxes and others none, and its key is the file's content", async () => {
  const file = bytes(HEADER + "a.jpg,Dog,1,0,0,1,1\n");
  const detector = boxesDetector(readBoxes(file, "f.csv"), ["in/a.jpg", "b.jpg"]);
  const image = rgbImage(2, 2);
  const box = { label: "Dog", confidence: 1, x0: 0, y0: 0, x1: 1, y1: 1 };
  assert.deepEqual(await detector.detect(image, "in/a.jpg"), { boxes: [box], faces: [] });
  assert.deepEqual(await detector.detect(image, "b.jpg"), { boxes: [], faces: [] });
  assert.deepEqual(detector.labels, ["Dog"]);
  const same = boxesDetector(readBoxes(file, "other-name.csv"), []);
  assert.deepEqual(same.key, detector.key);
  const other = boxesDetector(readBoxes(bytes(HEADER + "a.jpg,Cat,1,0,0,1,1\n"), "f.csv"), []);
  assert.notDeepEqual(other.key, detector.key);
});
