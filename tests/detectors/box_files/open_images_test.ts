import assert from "node:assert/strict";
import { UsageError } from "../../../src/base/errors.ts";
import { boxesDetector, inPixels, matchImages } from "../../../src/detectors/box_files/match.ts";
import { readBoxes } from "../../../src/detectors/box_files/mod.ts";
import { readClassNames } from "../../../src/detectors/box_files/open_images.ts";
import { assertExcludes } from "../../assert_that.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const HEADER =
  "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n";
const ROW = "000a,xclick,/m/01g317,1,0.25,0.5,0.125,0.75,1,0,0,0,0\n";
const NAMES = 'LabelName,DisplayName\n/m/01g317,Person\n/m/0k4j,"Car, red"\n';

function refused(text: string, message: RegExp): void {
  assert.throws(() => readBoxes(bytes(text), "f"), (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, message);
    assertExcludes(error.message, "\n", "one line");
    return true;
  });
}

Deno.test("Open Images' CSV gives boxes in fractions, with names if there are any", () => {
  const text = HEADER + ROW + "000a,activemil,/m/0k4j,0.5,0,1,0,1,0,0,0,0,0\n";
  const table = readBoxes(bytes(text), "oi.csv");
  assert.deepEqual(table.labels, ["/m/01g317", "/m/0k4j"]);
  assert.deepEqual([...table.images], [["000a", [
    { label: "/m/01g317", confidence: 1, x0: .25, y0: .125, x1: .5, y1: .75 },
    { label: "/m/0k4j", confidence: .5, x0: 0, y0: 0, x1: 1, y1: 1 },
  ]]]);
  const names = readClassNames(bytes(NAMES), "names.csv");
  assert.deepEqual(readBoxes(bytes(text), "oi.csv", { labelNames: names }).labels, [
    "Person",
    "Car, red",
  ]);
  // Other columns, another order, no confidence.
  const short = readBoxes(bytes("YMax,YMin,XMax,XMin,LabelName,ImageID\n1,0,.5,.25,/m/x,b\n"), "s");
  assert.deepEqual(short.images.get("b"), [
    { label: "/m/x", confidence: 1, x0: .25, y0: 0, x1: .5, y1: 1 },
  ]);
});

Deno.test("images are matched without their endings, and scaled by their own size", () => {
  const table = readBoxes(bytes(HEADER + ROW + ROW.replace("000a", "000b")), "oi.csv");
  assert.deepEqual([...matchImages(table, ["train/000a.jpg", "000b.PNG", "c.jpg"])], [
    ["000b.PNG", "000b"],
    ["train/000a.jpg", "000a"],
  ]);
  // Which of the two is meant cannot be told.
  assert.deepEqual([...matchImages(table, ["000a.jpg", "000a.png", "x/000b.jpg"])], [
    ["x/000b.jpg", "000b"],
  ]);
  assert.throws(() => boxesDetector(table, ["000a.jpg"]), RangeError);
  const pixels = inPixels(table, new Map([["000a", { width: 400, height: 800 }]]));
  const detector = boxesDetector(pixels, ["train/000a.jpg", "000b.jpg"]);
  assert.deepEqual(detector.lookUp!("train/000a.jpg").boxes, [
    { label: "/m/01g317", confidence: 1, x0: 100, y0: 100, x1: 200, y1: 600 },
  ]);
  assert.deepEqual(detector.lookUp!("000b.jpg").boxes, []);
});

Deno.test("malformed rows and names are refused with their line", () => {
  refused(HEADER, /it holds no boxes/);
  refused(HEADER + ROW + "x,y\n", /^Cannot read boxes from f, line 3: 2 fields/);
  refused(HEADER + ROW.replace("0.25", "25"), /line 2: XMin is "25", not within 0\.\.1/);
  refused(HEADER + ROW.replace("0.25", ""), /line 2: XMin is "", not within 0\.\.1/);
  refused(HEADER + ROW.replace("0.25", "0.5"), /line 2: x1 is 0\.5, not over x0 = 0\.5/);
  const some = HEADER + ROW + ROW.replace("0.25", "0.5") + ROW.replace("0.75", "NA");
  const { leftOut, unplaced, images } = readBoxes(bytes(some), "f");
  assert.deepEqual([leftOut, unplaced, images.get("000a")!.length], [1, 1, 1]);
  refused(HEADER + ROW.replace(",1,0.25", ",2,0.25"), /Confidence is "2"/);
  refused(HEADER + ROW.replace("000a", ""), /the ImageID is empty/);
  refused(HEADER + ROW.replace("/m/01g317", ""), /the label is empty/);
  for (
    const [text, pattern] of [
      ["/m/a,A\n/m/a,B\n", /line 2: \/m\/a occurs twice/],
      ["/m/a\n", /line 1: a code and a name/],
      ["/m/a,\n", /line 1: a code and a name/],
    ] as const
  ) {
    assert.throws(() => readClassNames(bytes(text), "n"), pattern);
  }
});
