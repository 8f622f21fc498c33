import assert from "node:assert/strict";
import { UsageError } from "../../../src/base/errors.ts";
import { csvText } from "../../../src/base/csv.ts";
import {
  emonetOutputs,
  pandasFloat,
  yoloOutputs,
} from "../../../src/experiments/paper/reference_tables.ts";
import { referenceImage, referenceMethod } from "../../../src/experiments/paper/table.ts";
import { readEmonetOutputs, readYoloOutputs } from "./read_reference_tables.ts";
import { expected, goldenText, input } from "./corpus.ts";
import { assertExcludes } from "../../assert_that.ts";

Deno.test("tables that pandas wrote, read and made again, are the same bytes", () => {
  const emonet = emonetOutputs(input.predictions, input.emotions);
  assert.deepEqual(input.emotions, expected.emotions);
  assert.equal(csvText([emonet.header, ...emonet.rows]), goldenText("emonet_outputs.csv"));
  for (const { name, detections } of input.methods) {
    const { header, rows } = yoloOutputs(detections);
    assert.equal(csvText([header, ...rows]), goldenText(`yolo_outputs_${name}.csv`));
  }
});

Deno.test("methods have the published code's names in names of tables", () => {
  assert.deepEqual(
    ["grad-cam", "ablation-cam", "lime-cam", "lrp-cam", "lift-cam", "saliency"]
      .map(referenceMethod),
    ["gradcam", "ablation", "lime", "lrp", "lift", "saliency"],
  );
});

Deno.test("numbers are written as Python's repr writes them", () => {
  const cases: [number, string][] = [
    [1, "1.0"],
    [-0, "-0.0"],
    [.1, "0.1"],
    [NaN, ""],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [.0001, "0.0001"],
    [.00001, "1e-05"],
    [5.0075688097636586e-5, "5.0075688097636586e-05"],
    [-1.5e-7, "-1.5e-07"],
    [5e-324, "5e-324"],
    [1e-100, "1e-100"],
    [1e15, "1000000000000000.0"],
    [123456789012345680, "1.2345678901234568e+17"],
    [1e16, "1e+16"],
    [1e300, "1e+300"],
  ];
  for (const [value, text] of cases) assert.equal(pandasFloat(value), text);
});

Deno.test("an image goes by its folder and its name", () => {
  assert.equal(referenceImage("/a/b/Run_2/x y.jpg"), "Run_2/x y.jpg");
  assert.equal(referenceImage("C:\\data\\Run_2\\x.jpg"), "Run_2/x.jpg");
  assert.equal(referenceImage("x.jpg"), "x.jpg");
});

Deno.test("a missing head, a missing box column and a missing probability are empty, not errors", () => {
  const text =
    "dir_image_path,emonet_emotion,emonet_emotion_conf,emonet_joy_conf\na/b.jpg,Joy,1.0,nan\n";
  const { predictions, emotions } = readEmonetOutputs(text, "x.csv");
  assert.deepEqual(emotions, ["Joy"]);
  assert.deepEqual(predictions[0], {
    image: "a/b.jpg",
    emotion: "Joy",
    confidence: 1,
    probabilities: Float64Array.of(NaN),
  });
  assert.deepEqual(emonetOutputs(predictions, emotions).rows, [
    [0, "a/b.jpg", "Joy", "1.0", "", "", ""],
  ]);
  const header =
    "dir_image_path,emonet_emotion,emonet_emotion_conf,detected_object,object_confidence,object_importance";
  const [row] = readYoloOutputs(`\ufeff${header}\r\na/b.jpg,Joy,.9,Food,.5,-inf\r\n`, "y.csv");
  assert.deepEqual([row!.object, row!.importance, row!.box.left], ["Food", -Infinity, NaN]);
});

Deno.test("what is not such a table is refused in one line that says why", () => {
  const header = "dir_image_path,emonet_emotion,emonet_emotion_conf\n";
  const cases: [string, RegExp][] = [
    ["", /Cannot read t\.csv: no column dir_image_path, emonet_emotion, emonet_emotion_conf;/],
    ["a,b\n1,2\n", /no column dir_image_path/],
    [
      `${header}a,Joy,much\n`,
      /emonet_emotion_conf of row 1 is "much"; it must be a number or empty/,
    ],
    [`${header}a,Joy\n`, /Cannot read t\.csv: .*must be CSV/],
    [`${header}"a,Joy,1\n`, /must be CSV/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => readEmonetOutputs(text, "t.csv"), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      assertExcludes(error.message, "\n");
      return true;
    });
  }
});
