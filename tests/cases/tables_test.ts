/** Tables as Excel, R and Windows write them are read as what they say, or refused; never as another text. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCard } from "../../src/runtime/card.ts";
import { assertIncludes } from "../assert_that.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { analyze, type Analyzed, paint, put } from "./table_runs.ts";

const TABLE = "path,emotion\nmüller.png,Ärger\nb.png,Überraschung\n";

/** Windows-1252 and Latin-1 of text up to U+00FF. */
const latin1 = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function utf16(text: string, littleEndian: boolean, mark: boolean): Uint8Array {
  const whole = mark ? `\ufeff${text}` : text;
  const view = new DataView(new ArrayBuffer(whole.length * 2));
  for (let i = 0; i < whole.length; i++) view.setUint16(i * 2, whole.charCodeAt(i), littleEndian);
  return new Uint8Array(view.buffer);
}

const said = ({ images }: Analyzed) =>
  images.map(({ path, status, emotion }) => [path, status, emotion]);

Deno.test("case 11: a corpus table in windows-1252 or UTF-16 is read like the same table in UTF-8", async () => {
  const encodings: Readonly<Record<string, [Uint8Array, RegExp | undefined]>> = {
    "utf-8": [new TextEncoder().encode(TABLE), undefined],
    "utf-8 with a mark": [new TextEncoder().encode(`\ufeff${TABLE}`), undefined],
    "windows-1252": [latin1(TABLE), /^list\.csv: read as windows-1252.*müller\.png/],
    "windows-1252, semicolons": [latin1(TABLE.replaceAll(",", ";")), /windows-1252/],
    "utf-16 le": [utf16(TABLE.replaceAll(",", "\t"), true, true), undefined],
    "utf-16 be": [utf16(TABLE, false, true), undefined],
    "utf-16 without a mark": [utf16(TABLE, true, false), /read as UTF-16LE/],
  };
  await withFolder(async (folder) => {
    for (const name of ["müller.png", "b.png"]) await paint(join(folder, name));
    for (const [encoding, [bytes, notice]] of Object.entries(encodings)) {
      await put(join(folder, "list.csv"), bytes);
      const run = await analyze(folder, ["list.csv"]);
      assert.equal(run.status, 0, `${encoding}: ${run.err}`);
      assert.deepEqual(
        said(run),
        [["b.png", "ok", "Überraschung"], ["müller.png", "ok", "Ärger"]],
        encoding,
      );
      const told = run.notices.find((line) => line.startsWith("list.csv"));
      if (notice === undefined) assert.equal(told, undefined, encoding);
      else assert.match(told ?? "", notice, encoding);
    }
  });
});

Deno.test("a corpus table whose encoding cannot be told stops the run before any work", async () => {
  await withFolder(async (folder) => {
    // "радость" in windows-1251, and UTF-8 with one byte of Latin-1 in its middle.
    const russian = [0xf0, 0xe0, 0xe4, 0xee, 0xf1, 0xf2, 0xfc];
    const cases: [Uint8Array, RegExp][] = [
      [
        new Uint8Array([...latin1("path,emotion\na.png,"), ...russian]),
        /its encoding cannot be told/,
      ],
      [
        new Uint8Array([...new TextEncoder().encode(TABLE), ...latin1("ü.png,x\n")]),
        /its UTF-8 text is broken at byte \d+ \(line 4\)/,
      ],
      [new Uint8Array([0x70, 0x00, 0x01, 0x02, 0x03]), /it is not text/],
    ];
    await paint(join(folder, "a.png"));
    for (const [bytes, message] of cases) {
      await put(join(folder, "list.csv"), bytes);
      const { status, err } = await analyze(folder, ["list.csv"]);
      assert.equal(status, 2, err);
      assert.match(err, message);
      assertIncludes(err, "list.csv");
    }
  });
});

Deno.test("case 13: paths with backslashes are those of the files; a drive is named as the reason", async () => {
  await withFolder(async (folder) => {
    for (const name of ["a.png", "b.png", "deep/c.png"]) await paint(join(folder, "sub", name));
    await put(
      join(folder, "windows.csv"),
      "Path;Emotion\r\nsub\\a.png;joy\r\n.\\sub\\b.png;fear\r\nsub\\deep\\c.png;joy\r\n" +
        "C:\\Users\\me\\d.png;joy\r\n\\\\nas\\e.png;joy\r\n",
    );
    const run = await analyze(folder, ["windows.csv"]);
    assert.equal(run.status, 0, run.err);
    const states = Object.fromEntries(run.images.map(({ path, status }) => [path, status]));
    assert.deepEqual(states, {
      "//nas/e.png": "failed",
      "C:/Users/me/d.png": "failed",
      "sub/a.png": "ok",
      "sub/b.png": "ok",
      "sub/deep/c.png": "ok",
    });
    for (const image of run.images) {
      if (image.status !== "failed") continue;
      assert.match(JSON.stringify(image), /is a path on Windows; write it relative to the table/);
    }
  });
});

Deno.test("a file that has a backslash in its name is found under it", async () => {
  await withFolder(async (folder) => {
    await paint(join(folder, "sub\\a.png"));
    await put(join(folder, "list.csv"), "path\nsub\\a.png\n");
    const run = await analyze(folder, ["list.csv"]);
    assert.deepEqual(run.images.map(({ status }) => status), ["ok"]);
  });
});

Deno.test("case 16: an image is found under either Unicode form, unless two files have its name", async () => {
  const nfc = "m\u00fcll.png", nfd = "mu\u0308ll.png";
  await withFolder(async (folder) => {
    await paint(join(folder, "one", nfc));
    await paint(join(folder, "two", nfd));
    await paint(join(folder, "pho\u0301tos", "e\u0301.png"));
    for (const name of [nfc, nfd]) await paint(join(folder, "both", name));
    await put(
      join(folder, "list.csv"),
      `path\none/${nfd}\ntwo/${nfc}\nph\u00f3tos/\u00e9.png\nboth/${nfd}\nmissing/${nfd}\n`,
    );
    const boxes = join(folder, "one.csv");
    await put(boxes, `image,label,confidence,x0,y0,x1,y1\none/${nfc},thing,1,0,0,16,16\n`);
    const { images, err } = await analyze(folder, ["list.csv"], "--detector", boxes);
    assert.deepEqual(
      Object.fromEntries(images.map(({ path, status }) => [path.normalize("NFC"), status])),
      {
        [`both/${nfc}`]: "ok",
        [`missing/${nfc}`]: "failed",
        [`one/${nfc}`]: "ok",
        "ph\u00f3tos/\u00e9.png": "ok",
        [`two/${nfc}`]: "ok",
      },
      err,
    );
    // Written in a form that neither file has: which is meant cannot be told.
    await paint(join(folder, "a.png"));
    await paint(join(folder, "three", "\u1e69.png"));
    await paint(join(folder, "three", "s\u0323\u0307.png"));
    await put(join(folder, "list.csv"), "path\na.png\nthree/s\u0307\u0323.png\n");
    const run = await analyze(folder, ["list.csv"]);
    assert.deepEqual(run.images.map(({ status }) => status), ["ok", "failed"]);
    assertIncludes(JSON.stringify(run.images[1]), "2 files have its name in other Unicode forms");
  });
});

Deno.test("case 22: labels with spaces in quotes, and in either Unicode form, are one object", async () => {
  await withFolder(async (folder) => {
    for (const name of ["a", "b", "c", "d"]) await paint(join(folder, "corpus", `${name}.png`));
    const labels = ["Caf\u00e9", "Cafe\u0301 ", " Caf\u00e9", "\tCaf\u00e9\u00a0"];
    const rows = ["a", "b", "c", "d"].map((name, i) => [name, labels[i]] as const);
    await put(
      join(folder, "r.csv"),
      '"","Image","Label","Confidence","X0","Y0","X1","Y1"\n' +
        rows.map(([name, label], i) => `"${i + 1}","${name}.png","${label}",1,0,0,16,16\n`).join(
          "",
        ),
    );
    await put(
      join(folder, "excel.csv"),
      "sep=;\r\nimage;label;confidence;x0;y0;x1;y1;;\r\n" +
        rows.map(([name, label]) => `${name}.png;"${label}";1,0;0,5;0;16,25;16;;\r\n`).join("") +
        ";;;;;;;;\r\n",
    );
    await put(
      join(folder, "coco.json"),
      JSON.stringify({
        images: rows.map(([name], i) => ({ id: i, file_name: `${name}.png` })),
        categories: labels.map((name, id) => ({ id, name })),
        annotations: rows.map((_, i) => ({ image_id: i, category_id: i, bbox: [0, 0, 16, 16] })),
      }),
    );
    await put(join(folder, "yolo", "classes.txt"), latin1("Caf\u00e9\u00a0\r\n"));
    for (const [name] of rows) await put(join(folder, `yolo/${name}.txt`), "0 0.5 0.5 0.5 0.5\n");
    for (const boxes of ["r.csv", "excel.csv", "coco.json", "yolo/"]) {
      const run = await analyze(folder, ["corpus"], "--detector", join(folder, boxes));
      assert.equal(run.status, 0, `${boxes}: ${run.err}`);
      const matrix = await Deno.readTextFile(
        join(/^report {4}(.*)\/report\.html$/m.exec(run.out)![1], "matrices", "cam.count.csv"),
      );
      const objects = matrix.trim().split("\n").slice(1).map((row) => row.split(",")[0]);
      assert.deepEqual(objects, ["Caf\u00e9"], boxes);
      const inferred = run.notices.some((line) => /classes\.txt: read as windows-1252/.test(line));
      assert.equal(inferred, boxes === "yolo/", boxes);
    }
  });
});

Deno.test("a card and a list of runs with a byte order mark are read; in windows-1252 they are refused", async () => {
  await withFolder(async (folder) => {
    const own = fileURLToPath(new URL("rgb.json", import.meta.url));
    const card = (await Deno.readTextFile(own)).replace('"red"', '"r\u00f6t"');
    assertIncludes(card, "r\u00f6t");
    await Deno.copyFile(new URL("rgb.onnx", import.meta.url), join(folder, "rgb.onnx"));
    const path = join(folder, "own.json");
    for (
      const bytes of [
        new TextEncoder().encode(`\ufeff${card}`),
        utf16(card, true, true),
        utf16(card, false, true),
      ]
    ) {
      await put(path, bytes);
      const { card: read } = await findCard(path);
      assert.equal(read.classes?.[0], "r\u00f6t");
    }
    await put(path, latin1(card));
    await assert.rejects(findCard(path), /own\.json: it is windows-1252 text; save it as UTF-8/);
    const list = join(folder, "list.json");
    await put(list, "\ufeff" + JSON.stringify({ runs: [] }));
    const marked = await emocam("reproduce", "--list", list);
    assert.equal(marked.status, 2);
    // The mark is no fault: the list is read, and found to be empty.
    assert.match(marked.err, /list\.json: runs: /);
    await put(list, latin1('{"runs": ["\u00fc"]}'));
    const broken = await emocam("reproduce", "--list", list);
    assert.match(broken.err, /list\.json: it is windows-1252 text; save it as UTF-8/);
  });
});
