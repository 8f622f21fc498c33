/** Files of boxes as they come: emocam's own, as other programs write them, with boxes that are none, with crowds, and what is no such file. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emocam } from "../commands/cli.ts";
import { analyzeBoxes, type BoxRun, HEADER, type Row, rowsOf, withPictures } from "./box_runs.ts";

const boxOf = ({ image, label, confidence, x0, y0, x1, y1 }: Row) =>
  [image, label, confidence, x0, y0, x1, y1].join();
/** What a run found, without what only names its file. */
const results = ({ boxes }: BoxRun) =>
  boxes.map((row) => [boxOf(row), row.method, row.class, row.importance].join());

const PICTURES = ["corpus/a.png", "corpus/b.png"];
const ROWS = "a.png,Dog,0.875,8,8,40,40\na.png,Cat,0.3,8.25,4.5,60,33\n" +
  "a.png,Dog,0.875,8,8,40,40\nb.png,Dog,1,0,0,64,64\n";

Deno.test("emocam's own boxes.csv is read back as the boxes of its run, whatever methods and classes it has", async () => {
  await withPictures(PICTURES, { "boxes.csv": HEADER + ROWS }, async (at) => {
    const run = (detector: string, out: string, ...more: string[]) =>
      analyzeBoxes(at(out), at("corpus"), "--detector", detector, ...more);
    const first = await run(at("boxes.csv"), "plain");
    assert.equal(first.boxes.length, 4);
    const many = ["--methods", "grad-cam,cam", "--class", "all"];
    assert.equal((await run(at("boxes.csv"), "many", ...many)).boxes.length, 4 * 2 * 3);
    for (const from of ["plain", "many"]) {
      const again = await run(at(`${from}/boxes.csv`), `${from}-again`);
      assert.deepEqual(results(again), results(first));
      assert.equal(
        again.notes.some((note) => /its 24 rows are 4 boxes/.test(note)),
        from === "many",
      );
    }
    // Of a run over another name of the folder, too.
    const text = await Deno.readTextFile(at("many/boxes.csv"));
    await Deno.writeTextFile(at("cut.csv"), cutColumns(text, ["sample", "method", "class"]));
    assert.deepEqual(results(await run(at("cut.csv"), "cut")), results(first));
    // A table in which methods have other boxes is none that a run writes.
    const lines = text.trimEnd().split("\n");
    const one = lines.findIndex((line) => /,cam,/.test(line));
    await Deno.writeTextFile(at("less.csv"), lines.toSpliced(one, 1).join("\n"));
    const { status, err } = await run(at("less.csv"), "less");
    assert.equal(status, 2);
    assert.match(
      err,
      /line \d+: [ab]\.png has other boxes here than under the first method and class/,
    );
  });
});

/** A table with these columns beside those of boxes. */
function cutColumns(text: string, columns: readonly string[]): string {
  const [header, ...rows] = text.trimEnd().split("\n").map((line) => line.split(","));
  const kept = [...columns, ...HEADER.trim().split(",")].map((name) => header!.indexOf(name));
  return [header!, ...rows].map((row) => kept.map((i) => row[i]).join()).join("\n");
}

Deno.test("boxes of overlapping faces are one each when they are read back", async () => {
  const own = "image,sample,method,class,label,confidence,x0,y0,x1,y1,importance,share\n";
  const row = (sample: number, label: string, x0: number) =>
    `a.png,${sample},cam,red,${label},1,${x0},2,40,40,.5,1\n`;
  const text = own + row(0, "Hat", 3) + row(0, "Eye", 4) + row(1, "Hat", 3) + row(1, "Eye", 9);
  await withPictures(PICTURES, { "own.csv": text }, async (at) => {
    const { boxes } = await analyzeBoxes(at("out"), at("corpus"), "--detector", at("own.csv"));
    assert.deepEqual(boxes.map(({ label, x0 }) => [label, x0]), [["Hat", "3"], ["Eye", "4"], [
      "Eye",
      "9",
    ]]);
  });
});

Deno.test("boxes without extent, without numbers or outside of the picture are left out and counted in every format", async () => {
  const bboxes = [[8, 8, 32, 32], [8, 8, 0, 32], [8, 8, 32, -5], [64, 0, 9, 9], [-9, 0, 9, 9]];
  const coco = {
    images: [{ id: 1, file_name: "a.png" }],
    categories: [{ id: 1, name: "Dog" }],
    annotations: [...bboxes, ["NaN", 0, 9, 9]].map((bbox) => ({
      image_id: 1,
      category_id: 1,
      bbox,
    })),
  };
  await withPictures(PICTURES, {
    "good.csv": `${HEADER}a.png,Dog,1,8,8,40,40\n`,
    "bad.csv": HEADER +
      ["8,8,40,40", "8,8,8,40", "40,8,8,40", "NA,8,40,40", "64,0,80,9", "-9,0,0,9"]
        .map((corners) => `a.png,Dog,1,${corners}\n`).join(""),
    "bad.json": JSON.stringify(coco).replace('"NaN"', "NaN"),
    "bad-oi.csv": "ImageID,LabelName,XMin,XMax,YMin,YMax\n" +
      [".125,.625,.125,.625", ".5,.5,0,1", ".5,.4,0,1", "NaN,.5,0,1"]
        .map((corners) => `a,Dog,${corners}\n`).join(""),
    "labels/a.txt": "0 .375 .375 .5 .5\n0 .5 .5 0 .5\n0 .5 .5 .5 -.5\n0 nan .5 .5 .5\n",
    "labels/classes.txt": "Dog\n",
  }, async (at) => {
    const run = (name: string) => analyzeBoxes(at("out"), at("corpus"), "--detector", at(name));
    const expected = results(await run("good.csv"));
    for (const name of ["bad.csv", "bad.json", "bad-oi.csv", "labels/"]) {
      const bad = await run(name);
      assert.deepEqual(results(bad), expected, name);
      const notes = bad.notes.join("\n");
      assert.match(notes, /boxes without width or height are left out \(2\)/, name);
      assert.match(notes, /boxes with a corner that is not a number are left out \(1\)/, name);
      if (/bad\.(csv|json)/.test(name)) {
        assert.match(notes, /boxes outside of their picture are left out \(2: a\.png: 64 0 /, name);
      }
    }
  });
});

Deno.test("crowds and groups are counted, kept, and left out where that is asked for", async () => {
  const annotation = (iscrowd: number | undefined, x: number) => ({
    ...{ image_id: 1, category_id: 1, bbox: [x, 8, 32, 32] },
    ...iscrowd === undefined ? {} : { iscrowd },
  });
  await withPictures(PICTURES, {
    "coco.json": JSON.stringify({
      images: [{ id: 1, file_name: "a.png" }],
      categories: [{ id: 1, name: "Dog" }],
      annotations: [annotation(0, 8), annotation(1, 16), annotation(undefined, 24)],
    }),
    "oi.csv": "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n" +
      [[".125,.625", 0], [".25,.75", 1], [".375,.875", -1]]
        .map(([x, group]) => `a,Dog,${x},.125,.625,${group}\n`).join(""),
  }, async (at) => {
    for (const name of ["coco.json", "oi.csv"]) {
      const run = async (...more: string[]) => {
        const { boxes, notes } = await analyzeBoxes(
          at("out"),
          at("corpus"),
          "--detector",
          at(name),
          ...more,
        );
        return { xs: boxes.map(({ x0 }) => x0), notes: notes.join("\n") };
      };
      for (const more of [[], ["--groups", "keep"]]) {
        const kept = await run(...more);
        assert.deepEqual(kept.xs, ["8", "16", "24"]);
        assert.match(
          kept.notes,
          /boxes of crowds or groups count like others \(1\); --groups leave-out/,
        );
      }
      const without = await run("--groups", "leave-out");
      assert.deepEqual(without.xs, ["8", "24"]);
      assert.match(without.notes, /boxes of crowds or groups are left out \(1\)/);
    }
  });
});

Deno.test("labels are trimmed and in one Unicode form in every format and in cards", async () => {
  const labels = ["Caf\u00e9", " Cafe\u0301", "Caf\u00e9\u00a0"];
  const pictures = ["corpus/a.png", "corpus/b.png", "corpus/c.png"];
  const names = ["a", "b", "c"];
  await withPictures(pictures, {
    "boxes.csv": HEADER + names.map((n, i) => `${n}.png,"${labels[i]}",0.9,8,8,40,40\n`).join(""),
    "coco.json": JSON.stringify({
      images: names.map((n, id) => ({ id, file_name: `${n}.png` })),
      categories: labels.map((name, id) => ({ id, name })),
      annotations: names.map((_, i) => ({ image_id: i, category_id: i, bbox: [8, 8, 32, 32] })),
    }),
    "oi.csv": "ImageID,LabelName,XMin,XMax,YMin,YMax\n" +
      names.map((n, i) => `${n},/m/${i},.125,.625,.125,.625\n`).join(""),
    "class-descriptions.csv": labels.map((name, i) => `/m/${i},"${name}"\n`).join(""),
    "labels/a.txt": "0 .375 .375 .5 .5\n",
    "labels/b.txt": "0 .375 .375 .5 .5\n",
    "labels/c.txt": "0 .375 .375 .5 .5\n",
    "labels/classes.txt": `${labels[1]} \n`,
  }, async (at) => {
    for (const name of ["boxes.csv", "coco.json", "oi.csv", "labels/"]) {
      const { boxes, err } = await analyzeBoxes(at("out"), at("corpus"), "--detector", at(name));
      assert.deepEqual(boxes.map(({ label }) => label), Array(3).fill("Caf\u00e9"), name + err);
      const matrix = await rowsOf(join(at("out"), "matrices/grad-cam.count.csv"));
      assert.equal(matrix.length, 1, name);
    }
    const file = fileURLToPath(new URL("rgb.json", import.meta.url));
    const card = JSON.parse(await Deno.readTextFile(file));
    await Deno.copyFile(file.replace(/json$/, "onnx"), at("rgb.onnx"));
    await Deno.writeTextFile(
      at("card.json"),
      JSON.stringify({ ...card, classes: [" re\u0301d", "green ", "blue"] }),
    );
    const { status, err } = await emocam(
      ...["analyze", at("corpus"), "--classifier", at("card.json"), "--detector", at("boxes.csv")],
      ...["--out", at("card"), "--backend", "wasm", "--class", "r\u00e9d"],
    );
    assert.equal(status, 0, err);
    const [first] = await rowsOf(at("card/boxes.csv"));
    assert.equal(first!.class, "r\u00e9d");
  });
});

Deno.test("tables of boxes as Excel, R, pandas and Windows write them are the same boxes", async () => {
  const plain = HEADER + "corpus/Mädchen.png,Bär,0.5,8.25,8,40,40\ncorpus/b.png,Hund,1,0,0,64,64\n";
  const utf16 = (text: string) => {
    const bytes = new Uint8Array(2 + 2 * text.length);
    bytes.set([0xff, 0xfe]);
    for (let i = 0; i < text.length; i++) {
      bytes.set([text.charCodeAt(i) & 255, text.charCodeAt(i) >> 8], 2 + 2 * i);
    }
    return bytes;
  };
  const cp1252 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const semicolons = plain.replaceAll(",", ";").replaceAll(".5", ",5").replaceAll(".25", ",25");
  const numbered = plain.trim().split("\n").map((line, i) => i === 0 ? line : `"${i}",${line}`);
  const windows = plain.replaceAll("corpus/", "D:\\Fotos\\corpus\\").replaceAll("\n", "\r\n");
  const coco = JSON.stringify({
    images: [{ id: 1, file_name: "C:\\x\\Mädchen.png" }, { id: 2, file_name: ".\\b.png" }],
    categories: [{ id: 1, name: "Bär" }, { id: 2, name: "Hund" }],
    annotations: [
      { image_id: 1, category_id: 1, bbox: [8.25, 8, 31.75, 32], score: .5 },
      { image_id: 2, category_id: 2, bbox: [0, 0, 64, 64] },
    ],
  });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "plain.csv": plain,
    "bom.csv": `\ufeff${plain}`,
    "utf16.csv": utf16(plain),
    "cp1252.csv": cp1252(plain),
    "tabs.tsv": plain.replaceAll(",", "\t"),
    "tabs.csv": plain.replaceAll(",", "\t"),
    "semicolons.csv": semicolons,
    "sep.csv": `sep=;\r\n${semicolons}`,
    "excel.csv": cp1252(semicolons),
    "upper.csv": plain.replace(HEADER, "Image,LABEL,Confidence,X0,Y0,X1,Y1\n"),
    "write-table.csv": numbered.join("\n"),
    "write-csv.csv": `"",${numbered.join("\n")}`,
    "windows.csv": windows,
    "coco.json": coco,
    "coco-utf16.json": utf16(coco),
    // An image in which nothing was found, as for keras-retinanet.
    "empty.csv": `${plain}c.png,,,,,,\n`,
  };
  await withPictures(["corpus/Mädchen.png", "corpus/b.png"], {}, async (at) => {
    let expected: string[] | undefined;
    for (const [name, content] of Object.entries(files)) {
      const write = typeof content === "string"
        ? Deno.writeTextFile(at(name), content)
        : Deno.writeFile(at(name), content);
      await write;
      const run = await analyzeBoxes(at("out"), at("corpus"), "--detector", at(name));
      assert.equal(run.status, 0, run.err);
      expected ??= results(run);
      assert.equal(expected.length, 2);
      assert.deepEqual(results(run), expected, name);
    }
  });
});

Deno.test("an ONNX file instead of a detector is refused in one line that says what to do", async () => {
  const onnx = fileURLToPath(new URL("rgb.onnx", import.meta.url));
  await withPictures(PICTURES, {}, async (at) => {
    for (
      const [name, why] of [[onnx, "an ONNX file alone does not say"], [
        "gone.onnx",
        "there is no such file",
      ]] as const
    ) {
      const { status, err } = await emocam("detect", at("corpus"), "--detector", name);
      assert.equal(status, 2);
      assert.equal(err.trim().split("\n").length, 1);
      assert.ok(err.includes(why), err);
      assert.match(err, /give a model card \(\.json\).* or the boxes that it finds as a file/);
    }
    const { err } = await emocam("detect", at("corpus"), "--detector", "nothing");
    assert.match(err, /face-parts/);
    assert.doesNotMatch(err, /mini-xception/);
  });
});
