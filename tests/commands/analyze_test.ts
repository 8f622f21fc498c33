import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { readNpy } from "../../src/base/npy.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, matricesOf, tablesOf } from "./cli.ts";
import { assertMore } from "../assert_that.ts";

const COUNT = 6;

/** A folder with a small corpus in `pictures`, and a way to analyse it into a separate folder. */
function withCorpus(
  use: (corpus: {
    folder: string;
    names: readonly string[];
    boxes: string;
    analyze: (out: string, ...args: string[]) => Promise<string>;
  }) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const { names, boxes } = await makeFaces(join(folder, "pictures"), COUNT, {
      size: 160,
      noise: 3,
      margin: 0.3,
    });
    const analyze = async (out: string, ...args: string[]) => {
      const paths = args[0]?.startsWith("-") ?? true ? [join(folder, "pictures")] : [];
      const { status, out: printed, err } = await emocam(
        ...["analyze", ...paths, ...args, "--out", join(folder, out)],
      );
      assert.equal(status, 0, err);
      return printed;
    };
    await use({ folder, names, boxes, analyze });
  });
}

const rowsOf = async (file: string): Promise<Record<string, string>[]> =>
  parse(await Deno.readTextFile(file), { columns: true });

Deno.test("runs that follow each other in one folder end like fresh ones, and say what was computed before", async () => {
  await withCorpus(async ({ folder, analyze }) => {
    const steps: [string[], boolean][] = [
      [["--methods", "grad-cam"], false],
      [["--methods", "grad-cam,cam"], false],
      [["--methods", "grad-cam,cam", "--class", "all"], false],
      [["--methods", "cam,grad-cam", "--class", "predicted", "--threshold", "0.5"], true],
      [["--methods", "grad-cam", "--target", "margin"], false],
      [["--methods", "grad-cam", "--box-mean", "pixels", "--placement", "half-pixel"], false],
      [["--methods", "grad-cam", "--samples", "image"], false],
      [["--methods", "grad-cam", "--class", "happy"], true],
    ];
    for (const [args, before] of steps) {
      const printed = await analyze("run", ...args);
      assert.match(printed, new RegExp(`; ${before ? COUNT : 0} images were computed before`));
      await analyze("fresh", ...args, "--fresh");
      assert.deepEqual(
        await tablesOf(join(folder, "run")),
        await tablesOf(join(folder, "fresh")),
        args.join(" "),
      );
    }
  });
});

Deno.test("a table of images in another order gives the same bytes; its columns are in images.csv", async () => {
  await withCorpus(async ({ folder, names, analyze }) => {
    const header = "emotion,path,note,status";
    const lines = names.map((name, i) => `e${i % 2},pictures/${name},"a, ""b""\n${i}",own`);
    const order = [3, 0, 5, 1, 4, 2];
    await Deno.writeTextFile(join(folder, "one.csv"), [header, ...lines].join("\n"));
    await Deno.writeTextFile(
      join(folder, "two.csv"),
      [header, ...order.map((i) => lines[i])].join("\r\n"),
    );
    await analyze("one", join(folder, "one.csv"));
    await analyze("two", join(folder, "two.csv"));
    assert.deepEqual(await tablesOf(join(folder, "two")), await tablesOf(join(folder, "one")));
    const rows = await rowsOf(join(folder, "one", "images.csv"));
    assert.deepEqual(
      rows.map((
        { path, emotion, note, status, "annotation.status": own },
      ) => [path, emotion, note, status, own]),
      names.map((name, i) => [`pictures/${name}`, `e${i % 2}`, `a, "b"\n${i}`, "ok", "own"]),
    );
    await analyze("folder");
    assert.deepEqual(
      await matricesOf(join(folder, "folder")),
      await matricesOf(join(folder, "one")),
    );
  });
});

Deno.test("boxes from CSV and COCO JSON give the same tables, for whole images and for faces", async () => {
  await withCorpus(async ({ folder, names, boxes, analyze }) => {
    const labels = ["mouth", "eye", "hat"];
    const coco = {
      images: names.map((name, id) => ({ id, file_name: name })),
      categories: labels.map((name, id) => ({ id, name })),
      annotations: (await rowsOf(boxes)).map(({ image, label, confidence, x0, y0, x1, y1 }) => ({
        image_id: names.indexOf(image!),
        category_id: labels.indexOf(label!),
        bbox: [Number(x0), Number(y0), Number(x1) - Number(x0), Number(y1) - Number(y0)],
        score: Number(confidence),
      })),
    };
    await Deno.writeTextFile(join(folder, "boxes.json"), JSON.stringify(coco));
    for (const samples of ["image", "faces"]) {
      const out = (kind: string) => `${kind} ${samples}`;
      await analyze(out("csv"), "--samples", samples, "--detector", boxes);
      await analyze(out("json"), "--samples", samples, "--detector", join(folder, "boxes.json"));
      const [csv, json] = [
        await tablesOf(join(folder, out("csv"))),
        await tablesOf(join(folder, out("json"))),
      ];
      assert.deepEqual(Object.keys(json), Object.keys(csv));
      // x0 + (x1 − x0) is not x1 to the last bit.
      const rounded = (text: string) =>
        text.replace(/\d+\.\d+/g, (number) => Number(number).toFixed(5));
      for (const [name, text] of Object.entries(csv)) {
        assert.equal(rounded(json[name]), rounded(text), `${samples} ${name}`);
      }
      const rows = await rowsOf(join(folder, out("csv"), "boxes.csv"));
      const found = new Set(rows.map(({ label }) => label));
      assert.ok(found.has("mouth"), [...found].join());
      assert.ok(found.has("eye"), [...found].join());
      // The faces' own parts are not among the boxes of a file.
      assert.ok([...found].every((label) => labels.includes(label!)), [...found].join());
    }
  });
});

Deno.test("an image that the file of boxes leaves out has none, and of equal files with other boxes one is refused", async () => {
  await withCorpus(async ({ folder, names, boxes, analyze }) => {
    const pictures = join(folder, "pictures");
    await Deno.copyFile(join(pictures, names[0]), join(pictures, "twin.png"));
    const args = ["analyze", pictures, "--samples", "image", "--detector", boxes];
    const { status, out, err } = await emocam(...args, "--out", join(folder, "run"));
    assert.equal(status, 0);
    assert.match(err, /note: .*boxes\.csv has boxes for 6 of 7 images/);
    assert.match(
      err,
      /failed: twin\.png: Cannot use its boxes: the file is identical to face000\.png/,
    );
    assert.match(out, /7 images, 1 failed .*, 6 samples/);
    // A detector that looks at the picture finds the same in both.
    await analyze("looked");
    const rows = await rowsOf(join(folder, "looked", "boxes.csv"));
    const of = (name: string) =>
      rows.filter(({ image }) => image === name).map((row) => ({ ...row, image: "" }));
    assertMore(of("twin.png").length, 0);
    assert.deepEqual(of("twin.png"), of(names[0]));
  });
});

Deno.test("--limit takes the first images by path, and equal pictures are told", async () => {
  await withCorpus(async ({ folder, names, analyze }) => {
    const pictures = join(folder, "pictures");
    for (const name of ["b/twin.png", "a twin.png"]) {
      await Deno.mkdir(join(pictures, "b"), { recursive: true });
      await Deno.copyFile(join(pictures, names[2]), join(pictures, name));
    }
    const printed = await analyze("run");
    assert.match(printed, new RegExp(`^${COUNT + 2} images, ${COUNT + 2} samples`, "m"));
    assert.match(printed, /corpus more than once: each copy counts/);
    await analyze("limited", "--limit", "3");
    const rows = await rowsOf(join(folder, "limited", "images.csv"));
    assert.deepEqual(rows.map(({ path }) => path), ["a twin.png", "b/twin.png", names[0]]);
    await analyze("glob", join(pictures, "*twin.png"));
    assert.equal((await rowsOf(join(folder, "glob", "images.csv"))).length, 1);
  });
});

Deno.test("--maps writes the raw maps: [samples, h, w], or with all classes [samples, classes, h, w]", async () => {
  await withCorpus(async ({ folder, names, analyze }) => {
    await analyze("run", "--maps", "--methods", "grad-cam,cam", "--class", "all");
    const read = async (out: string, method: string) =>
      readNpy(await Deno.readFile(join(folder, out, "maps", method, `${names[1]}.npy`)));
    assert.deepEqual((await read("run", "cam")).shape, [1, 7, 8, 8]);
    // A box is one box, however many classes are explained.
    const boxes = async (out: string) =>
      JSON.parse(await Deno.readTextFile(join(folder, out, "run.json"))).summary.boxes;
    await analyze("predicted");
    assert.equal(await boxes("run"), await boxes("predicted"));
    const all = await read("run", "grad-cam");
    await analyze("run", "--maps", "--class", "happy");
    const happy = await read("run", "grad-cam");
    assert.deepEqual(happy.shape, [1, 8, 8]);
    assert.deepEqual(happy.data, all.data.slice(3 * 64, 4 * 64));
    await assert.rejects(Deno.stat(join(folder, "run", "maps", "cam")), Deno.errors.NotFound);
  });
});
