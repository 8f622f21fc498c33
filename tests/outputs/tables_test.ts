import assert from "node:assert/strict";
import { parse } from "csv-parse/sync";
import { Ledger } from "../../src/ledger/ledger.ts";
import { writeTable } from "../../src/outputs/table.ts";
import { writeBoxes } from "../../src/outputs/boxes.ts";
import { writePredictions } from "../../src/outputs/predictions.ts";
import { writeImages } from "../../src/outputs/images.ts";
import { contentOf, fixtureStages, pathOf, writeBatch } from "../ledger/ledger_fixture.ts";

const CLASSES = ["joy", 'fear, or "dread"', "awe", "anger", "calm"];
const STRANGE = 'a, "b"\nc\rd/é𝒹 =1+1.jpg';

/** A folder, and a ledger with one batch, one image with awkward texts and one that failed. */
async function withRun(
  test: (folder: string, ledger: Ledger, run: number) => void | Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  const ledger = Ledger.open(":memory:");
  try {
    const run = ledger.startRun({});
    writeBatch(ledger, run, 0);
    const { detection, sampling, forward, scores } = fixtureStages(ledger);
    ledger.commit((writer) => {
      const annotation = { path: "theirs", note: STRANGE };
      writer.image(run, 3, { path: STRANGE, status: "ok", sha256: "s", width: 5, annotation });
      const [box] = writer.detection("s", detection.id, {
        boxes: [{ label: STRANGE, confidence: NaN, x0: 1 / 3, y0: -1, x1: 2, y1: 3 }],
      });
      const [sample] = writer.sampling("s", sampling.id, [{ x0: 0, y0: 0, x1: 5, y1: 5 }]);
      const probabilities = Float32Array.of(.1, .7, 1 / 3, 0, NaN);
      writer.prediction(sample!.id, forward.id, { predicted: 1, probabilities });
      writer.scores(sample!.id, scores[0].id, 1, [{ box: box!.id, importance: NaN, share: .5 }]);
      writer.image(run, 4, { path: "gone.jpg", status: "failed", error: "no such file, really" });
    });
    await test(folder, ledger, run);
  } finally {
    ledger.close();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("images.csv lists every image with its annotation; a column of ours is not overwritten", () =>
  withRun((folder, ledger, run) => {
    const path = `${folder}/images.csv`;
    const { sampling } = fixtureStages(ledger);
    const names = ledger.annotationNames(run);
    assert.equal(writeImages(path, ledger.imageRows(run, sampling.id), names), 5);
    const text = Deno.readTextFileSync(path);
    assert.equal(
      text.slice(0, text.indexOf("\n")),
      "path,status,error,width,height,orientation,sha256,samples,batch,annotation.path,note",
    );
    const rows = parse(text, { columns: true, record_delimiter: "\n" }) as Record<string, string>[];
    assert.deepEqual(rows.map((row) => row.samples), ["1", "1", "1", "1", "0"]);
    assert.deepEqual({ ...rows[0] }, {
      path: pathOf(0, 0),
      status: "ok",
      error: "",
      width: "64",
      height: "48",
      orientation: "1",
      sha256: contentOf(0, 0),
      samples: "1",
      batch: "0",
      "annotation.path": "",
      note: "",
    });
    assert.equal(rows[3].path, STRANGE);
    assert.equal(rows[3]["annotation.path"], "theirs");
    assert.equal(rows[3].note, STRANGE);
    assert.equal(rows[4].error, "no such file, really");
  }));

Deno.test("predictions.csv has the predicted class and every probability, as short as a float32 allows", () =>
  withRun((folder, ledger, run) => {
    const path = `${folder}/predictions.csv`;
    const { sampling, forward } = fixtureStages(ledger);
    const place = { sampling: sampling.id, forward: forward.id };
    assert.equal(writePredictions(path, ledger.predictionRows(run, place), CLASSES), 4);
    const rows = parse(Deno.readTextFileSync(path), { record_delimiter: "\n" }) as string[][];
    assert.deepEqual(rows[0], [
      "image",
      "sample",
      "x0",
      "y0",
      "x1",
      "y1",
      "class",
      "probability",
      ...CLASSES.map((name) => `p_${name}`),
    ]);
    const region = ["0", "0", "0", "5", "5"];
    const probabilities = ["0.1", "0.7", "0.33333334", "0", "NaN"];
    assert.deepEqual(rows[4], [STRANGE, ...region, CLASSES[1], "0.7", ...probabilities]);
    assert.throws(
      () => writePredictions(path, ledger.predictionRows(run, place), ["joy"]),
      /5 probabilities of 1 classes/,
    );
  }));

Deno.test("boxes.csv has a row for each sample, method, class and box, NaN as NaN", () =>
  withRun((folder, ledger, run) => {
    const path = `${folder}/boxes.csv`;
    const { sampling, forward, scores } = fixtureStages(ledger);
    const methods = ["grad-cam", "eigen-cam"];
    const stream = () =>
      ledger.scoreRows(
        run,
        { sampling: sampling.id, forward: forward.id },
        scores.map(({ id }) => id),
      ).map((sample) => ({ ...sample, method: { name: methods[sample.method] } }));
    assert.equal(writeBoxes(path, stream(), CLASSES), 3 * 2 * 4 + 1);
    const bytes = Deno.readFileSync(path);
    const rows = parse(new TextDecoder().decode(bytes), { record_delimiter: "\n" }) as string[][];
    assert.equal(
      rows[0].join(),
      "image,sample,method,class,label,confidence,x0,y0,x1,y1,importance,share",
    );
    assert.deepEqual(
      rows.slice(1, 9).map((row) => row.slice(2, 5).join()),
      methods.flatMap((method) => ["dog", "tree", "dog", "tree"].map((o) => `${method},joy,${o}`)),
    );
    const box = ["0.3333333333333333", "-1", "2", "3"];
    assert.deepEqual(
      rows.at(-1),
      [STRANGE, "0", "grad-cam", CLASSES[1], STRANGE, "NaN", ...box, "NaN", "0.5"],
    );
    writeBoxes(path, stream(), CLASSES);
    assert.deepEqual(Deno.readFileSync(path), bytes);
  }));

Deno.test("a table that fails half way leaves nothing, and the older table as it was", () =>
  withRun((folder) => {
    const path = `${folder}/table.csv`;
    assert.equal(writeTable(path, ["a"], [[1]]), 1);
    function* failing() {
      for (let i = 0; i < 2000; i++) yield [i];
      throw new Error("half way");
    }
    assert.throws(() => writeTable(path, ["a"], failing()), /half way/);
    assert.equal(Deno.readTextFileSync(path), "a\n1\n");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["table.csv"]);
  }));

Deno.test("a long table has every row once, in order", () =>
  withRun((folder) => {
    const path = `${folder}/table.csv`;
    const rows = Array.from({ length: 1500 }, (_, i) => [i, `row ${i}`]);
    assert.equal(writeTable(path, ["number", "text"], rows), 1500);
    assert.equal(
      Deno.readTextFileSync(path),
      "number,text\n" + rows.map((row) => row.join() + "\n").join(""),
    );
  }));

Deno.test("a field that has any kind of line end is quoted", () =>
  withRun((folder) => {
    const path = `${folder}/table.csv`;
    writeTable(path, ["a", "b"], [["x\ry", "x\ny"], ["x\r\ny", undefined]]);
    assert.equal(Deno.readTextFileSync(path), 'a,b\n"x\ry","x\ny"\n"x\r\ny",\n');
  }));
