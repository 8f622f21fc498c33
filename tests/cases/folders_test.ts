/** What is in a folder: every picture is an image or is counted as left out, and none comes twice. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OwnedFolder, RECORD_FILE } from "../../src/base/owned_folder.ts";
import { stampPng } from "../../src/base/png_stamp.ts";
import { findImages } from "../../src/corpora/find_images.ts";
import { encodePng } from "../../src/image/render.ts";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { analyze, paint, put } from "./table_runs.ts";

async function found(folder: string) {
  const notes: string[] = [];
  const images = await findImages([folder], { note: (notice) => notes.push(notice) });
  return { paths: images.map(({ path }) => path), notes };
}

Deno.test("case 14: pictures that cannot be decoded are rows with their reason", async () => {
  const files: Readonly<Record<string, [string, RegExp]>> = {
    "IMG_0001.HEIC": ["\0\0\0\x24ftypheic\0\0\0\0", /its format is HEIC/],
    "canon.CR2": ["II*\0\x10\0\0\0CR\x02\0", /a camera's raw format \(Canon\)/],
    "empty.nef": ["", /the file is empty/],
    "fuji.raf": ["FUJIFILMCCD-RAW 0201", /Fujifilm/],
    "photo.jxl": ["\xff\x0a\0\0", /its format is JPEG XL/],
    "scan.jp2": ["\0\0\0\x0cjP  \r\n", /its format is JPEG 2000/],
  };
  await withFolder(async (folder) => {
    await paint(join(folder, "corpus/a.png"));
    for (const [name, [start]] of Object.entries(files)) {
      await put(
        join(folder, "corpus", name),
        Uint8Array.from(start, (character) => character.charCodeAt(0)),
      );
    }
    await put(join(folder, "corpus/notes.txt"), "no picture");
    const run = await analyze(folder, ["corpus"]);
    assert.equal(run.status, 0, run.err);
    const rows = Object.fromEntries(run.images.map((image) => [image.path, image]));
    assert.deepEqual(Object.keys(rows).sort(), [...Object.keys(files), "a.png"].sort());
    assert.equal(rows["a.png"].status, "ok");
    for (const [name, [, reason]] of Object.entries(files)) {
      assert.equal(rows[name].status, "failed", name);
      assert.match(JSON.stringify(rows[name]), reason, name);
    }
  });
});

Deno.test("every usual ending of a picture is looked at, and a file without ending by its content", async () => {
  const endings =
    "jpg jpeg jpe jfif png webp gif tif tiff bmp avif heic heif hif jp2 jxl ppm pgm pbm pnm svg dng cr2 cr3 nef arw raf orf rw2 pef";
  await withFolder(async (folder) => {
    for (const [i, ending] of endings.split(" ").entries()) {
      await put(join(folder, `${i}.${i % 2 ? ending : ending.toUpperCase()}`), "");
    }
    await paint(join(folder, "painted"));
    for (const name of ["README", "a.txt", "b.png.part"]) await put(join(folder, name), "BM text");
    const { paths, notes } = await found(folder);
    assert.equal(paths.length, endings.split(" ").length + 1);
    assert.ok(paths.includes("painted"), paths.join());
    assert.deepEqual(notes, []);
  });
});

Deno.test("case 14: linked folders are followed once, whichever way they lead", async () => {
  await withFolder(async (folder) => {
    const at = (path: string) => join(folder, path);
    await put(at("corpus/a.png"), "");
    await put(at("corpus/sub/b.png"), "");
    await put(at("elsewhere/e.png"), "");
    await put(at("elsewhere/deep/f.png"), "");
    await Deno.symlink("../elsewhere", at("corpus/linked"));
    await Deno.symlink("../elsewhere/deep", at("corpus/same"));
    await Deno.symlink("sub", at("corpus/alias"));
    await Deno.symlink("..", at("corpus/sub/loop"));
    await Deno.symlink(folder, at("elsewhere/out"));
    await Deno.symlink("nothing", at("corpus/gone.png"));
    const { paths, notes } = await found(at("corpus"));
    assert.deepEqual(paths, [
      "a.png",
      "gone.png",
      "linked/deep/f.png",
      "linked/e.png",
      "sub/b.png",
    ]);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /corpus: 5 folders to which links lead once more left out \(/);
  });
});

Deno.test("case 14: thumbnails, bins and hidden pictures are left out and counted", async () => {
  await withFolder(async (folder) => {
    const system = [
      "@eaDir/a.png/SYNOFILE_THUMB_M.jpg",
      "sub/@eaDir/b.png/SYNOFILE_THUMB_XL.jpg",
      "__MACOSX/a.png",
      "._a.png",
      ".thumbnails/normal/x.png",
      "#recycle/old.jpg",
      "$RECYCLE.BIN/S-1/x.jpg",
      ".Trash-1000/files/x.jpg",
    ];
    for (const path of [...system, "a.png", "sub/b.png", ".hidden.jpg", ".git/c.png"]) {
      await put(join(folder, path), "");
    }
    for (const path of ["Thumbs.db", ".DS_Store", "desktop.ini"]) await put(join(folder, path), "");
    const { paths, notes } = await found(folder);
    assert.deepEqual(paths, ["a.png", "sub/b.png"]);
    assert.equal(notes.length, 2);
    const all = notes.join("\n");
    assert.match(all, /: 8 pictures in folders of the system \(thumbnails, bins\) left out \(/);
    assert.match(all, /: 2 hidden pictures left out \(/);
    // By a pattern, too, unless it names the folder itself.
    const matched = await found(join(folder, "**/*.{png,jpg}"));
    assert.deepEqual(
      matched.paths.filter((path) => /eaDir|MACOSX|RECYCLE|recycle|\._/.test(path)),
      [],
    );
    assert.match(matched.notes.join(), /pictures in folders of the system .* left out/);
    assert.equal((await found(join(folder, "@eaDir/*/*.jpg"))).paths.length, 1);
    await assert.rejects(found(join(folder, "@*/*/*.jpg")), /nothing but what is left out/);
  });
});

Deno.test("what emocam wrote is not taken for input; what a user put beside it is", async () => {
  await withFolder(async (folder) => {
    for (const path of ["a.png", "runs/one/a.cam.png", "runs/one/mine.png", "copied.png"]) {
      await put(join(folder, path), "");
    }
    const run = new OwnedFolder(join(folder, "runs/one"));
    await run.write("maps/b.png", "b");
    await run.write("maps/replaced.png", "c");
    await put(join(folder, "runs/one/maps/replaced.png"), "the user's");
    const plain = await encodePng({ width: 1, height: 1, data: new Uint8Array([1, 2, 3, 255]) });
    await Deno.writeFile(join(folder, "copied.png"), stampPng(plain));
    await put(
      join(folder, "runs/one/run.json"),
      JSON.stringify({ command: "emocam analyze", outputs: { "a.cam.png": "00" } }),
    );
    await Deno.writeTextFile(join(folder, "runs/one", RECORD_FILE), "\nbroken", { append: true });
    // Another program's file of the same name says nothing.
    await put(join(folder, "other/run.json"), '{"outputs": {"c.png": ""}}');
    await put(join(folder, "other/c.png"), "");
    const { paths, notes } = await found(folder);
    const users = ["a.png", "other/c.png", "runs/one/maps/replaced.png", "runs/one/mine.png"];
    assert.deepEqual(paths, users);
    assert.match(notes.join(), /: 3 pictures that emocam made left out \(/);
    // By a pattern, too; one that is named is an image with the reason.
    const own = join(folder, "copied.png");
    assert.deepEqual((await found(join(folder, "{a,copied}*"))).paths, [join(folder, "a.png")]);
    await assert.rejects(
      found(join(folder, "cop*")),
      /^UsageError: Cannot find images: nothing but emocam's own results matches "/,
    );
    const [named] = await findImages([own]);
    await put(join(folder, "table.csv"), "path\na.png\ncopied.png\n");
    const rows = await findImages([join(folder, "table.csv")]);
    assert.deepEqual(rows.map(({ path, refused }) => [path, refused === named.refused]), [
      ["a.png", false],
      ["copied.png", true],
    ]);
    assert.deepEqual([named.path, named.refused?.slice(0, 14)], [own, "emocam drew it"]);
  });
});

Deno.test("explain twice into its own folder explains the same picture, not its overlays", async () => {
  await withFolder(async (folder) => {
    await paint(join(folder, "pics/a.png"));
    const classifier = fileURLToPath(new URL("rgb.json", import.meta.url));
    const boxes = join(folder, "boxes.csv");
    await put(boxes, "image,label,confidence,x0,y0,x1,y1\na.png,thing,1,0,0,16,16\n");
    for (const time of ["first", "second"]) {
      const { status, err, out } = await emocam(
        ...["explain", join(folder, "pics"), "--classifier", classifier, "--methods", "cam"],
        ...["--detector", boxes, "--out", join(folder, "pics"), "--json"],
      );
      assert.equal(status, 0, `${time}: ${err}`);
      const { results } = JSON.parse(out) as { results: { path: string }[] };
      assert.deepEqual(results.map(({ path }) => path), ["a.png"], time);
      if (time === "second") assert.match(err, /pictures? that emocam made left out/);
    }
  });
});
