import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "../../src/base/errors.ts";
import { findImages } from "../../src/corpora/find_images.ts";
import { judgements } from "../../src/corpora/findingemo/annotations.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { assertEvery, assertExcludes } from "../assert_that.ts";

/** Makes files of the given paths below a folder; a path that ends in "/" is a folder. */
async function makeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const at = join(folder, path);
    await Deno.mkdir(path.endsWith("/") ? at : join(at, ".."), { recursive: true });
    if (!path.endsWith("/")) await Deno.writeTextFile(at, text);
  }
}

const usage = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UsageError, String(error));
  assert.match(error.message, pattern);
  assertExcludes(error.message, "\n");
  return true;
};

Deno.test("a folder gives its images with those of its sub-folders, named relative to it, in code point order", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "b.jpg": "",
      "a.PNG": "",
      "Z.webp": "",
      "sub/deeper/c.jpeg": "",
      "sub/名前 & 'x'\n.gif": "",
      "dir.jpg/": "",
      "dir.jpg/inner.tif": "",
      "notes.txt": "",
      ".hidden.jpg": "",
      ".cache/d.jpg": "",
    });
    const images = await findImages([folder]);
    assert.deepEqual(images.map(({ path }) => path), [
      "Z.webp",
      "a.PNG",
      "b.jpg",
      "dir.jpg/inner.tif",
      "sub/deeper/c.jpeg",
      "sub/名前 & 'x'\n.gif",
    ]);
    for (const { path, file } of images) assert.equal(file, join(folder, path));
  });
});

Deno.test("several arguments: each image once, named as its argument names it", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, { "one/a.jpg": "", "two/a.jpg": "", "picture.dat": "" });
    const one = join(folder, "one"), two = join(folder, "two");
    const images = await findImages([
      one,
      `${two}/`,
      join(one, "a.jpg"),
      join(folder, "picture.dat"),
    ]);
    assert.deepEqual(
      images.map(({ path }) => path),
      [`${one}/a.jpg`, `${two}/a.jpg`, `${folder}/picture.dat`].sort(),
    );
  });
});

Deno.test("a glob takes the images it matches, and says when it matches none", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "a1.jpg": "",
      "a2.jpg": "",
      "a3.txt": "",
      "b.jpg": "",
      "sub/a4.jpg": "",
    });
    const names = async (pattern: string) =>
      (await findImages([join(folder, pattern)])).map(({ path }) => path.slice(folder.length + 1));
    assert.deepEqual(await names("a*"), ["a1.jpg", "a2.jpg"]);
    assert.deepEqual(await names("**/a?.jpg"), ["a1.jpg", "a2.jpg", "sub/a4.jpg"]);
    assert.deepEqual(await names("{b,a1}.jpg"), ["a1.jpg", "b.jpg"]);
    await assert.rejects(findImages([join(folder, "x*")]), usage(/nothing matches/));
  });
});

Deno.test("a file whose name looks like a pattern is itself", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, { "a[1].jpg": "", "a1.jpg": "" });
    const images = await findImages([join(folder, "a[1].jpg")]);
    assert.deepEqual(images.map(({ file }) => file), [join(folder, "a[1].jpg")]);
  });
});

Deno.test("a table gives paths relative to itself and annotations; its files may be missing", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "list.csv":
        '\uFEFFImage,emotion,note\npictures/a.jpg,joy,"x, ""y"""\n./pictures/b.jpg, fear ,\nmissing.jpg,,\n',
      "list.tsv": "id\tpath\n7\tpictures/a.jpg\n",
      "pictures/a.jpg": "",
      "pictures/b.jpg": "",
    });
    assert.deepEqual(await findImages([join(folder, "list.csv")]), [
      {
        path: "missing.jpg",
        file: join(folder, "missing.jpg"),
        annotation: { emotion: "", note: "" },
      },
      {
        path: "pictures/a.jpg",
        file: join(folder, "pictures/a.jpg"),
        annotation: { emotion: "joy", note: 'x, "y"' },
      },
      {
        path: "pictures/b.jpg",
        file: join(folder, "pictures/b.jpg"),
        annotation: { emotion: "fear", note: "" },
      },
    ]);
    const [first] = await findImages([join(folder, "list.tsv")]);
    assert.deepEqual(first!.annotation, { id: "7" });
    // A picture that is also named by itself keeps its first name and gets the annotation.
    const both = await findImages([join(folder, "pictures"), join(folder, "list.tsv")]);
    assert.deepEqual(both.map(({ annotation }) => annotation), [{ id: "7" }, undefined]);
  });
});

const ANN_HEADER =
  "index,user,image_path,tags,age,valence,arousal,emotion,dec_factors,ambiguity,datetime\n";
const annRow = (path: string, emotion: string, valence = 1) =>
  `1,u,${path},"Text,NA",Adults,${valence},2,${emotion},Staging,3,d\n`;

Deno.test("FindingEmo's annotations alone: their images lie beside them, and several annotations of one are kept", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "ann/x.ann": ANN_HEADER + annRow("/Run_2/a b/1.jpg", "Joy") +
        annRow("/Run_1/gone.jpg", "Fear") +
        annRow("/Run_2/a b/1.jpg", "Rage", -3),
      "ann/Run_2/a b/1.jpg": "",
      "ann/Run_2/a b/not-annotated.jpg": "",
    });
    const images = await findImages([join(folder, "ann/x.ann")]);
    assert.deepEqual(images.map(({ path, file }) => [path, file]), [
      ["Run_1/gone.jpg", join(folder, "ann/Run_1/gone.jpg")],
      ["Run_2/a b/1.jpg", join(folder, "ann/Run_2/a b/1.jpg")],
    ]);
    const { annotation } = images[1];
    assert.equal(annotation!.tags, "Text,NA");
    assert.ok(!("image_path" in annotation!), Object.keys(annotation!).join());
    assert.deepEqual(judgements("i", annotation!), [
      { image: "i", emotion: "Joy", valence: 1, arousal: 2, ambiguity: 3 },
      { image: "i", emotion: "Rage", valence: -3, arousal: 2, ambiguity: 3 },
    ]);
    assert.deepEqual(judgements("i", { emotion: "Joy", valence: "", arousal: "x" }), [
      { image: "i", emotion: "Joy", valence: NaN, arousal: NaN, ambiguity: NaN },
    ]);
    assert.deepEqual(judgements("i", { label: "Joy" }), []);
  });
});

Deno.test("FindingEmo's annotations beside a folder: the folder's images, named as without them", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "x.ann": ANN_HEADER + annRow("/Run_2/1.jpg", "Joy") + annRow("/Run_1/gone.jpg", "Fear"),
      "none.ann": ANN_HEADER + annRow("/Run_9/1.jpg", "Joy"),
      "bad.ann": ANN_HEADER + annRow("/../1.jpg", "Joy"),
      "photos/Run_2/1.jpg": "",
      "photos/Run_2/2.jpg": "",
    });
    const at = (name: string) => join(folder, name);
    for (const args of [[at("photos"), at("x.ann")], [at("x.ann"), at("photos")]]) {
      const images = await findImages(args);
      assert.deepEqual(
        images.map(({ path, annotation }) => [path, annotation?.emotion]),
        [["Run_2/1.jpg", "Joy"], ["Run_2/2.jpg", undefined]],
      );
    }
    await assert.rejects(
      findImages([at("photos"), at("none.ann")]),
      usage(/none of its 1 images \(Run_9\/1\.jpg …\) is in .*photos or /),
    );
    await assert.rejects(findImages([at("bad.ann")]), usage(/bad\.ann, line 2: image_path/));
  });
});

Deno.test("sub-folders are labels where that is asked for", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, { "joy/a.jpg": "", "fear/deep/b.jpg": "", "c.jpg": "" });
    const images = await findImages([folder], { labels: "folders" });
    assert.deepEqual(images.map(({ path, annotation }) => [path, annotation]), [
      ["c.jpg", undefined],
      ["fear/deep/b.jpg", { label: "fear" }],
      ["joy/a.jpg", { label: "joy" }],
    ]);
    assertEvery(await findImages([folder]), ({ annotation }) => annotation === undefined);
  });
});

Deno.test("labels of sub-folders are refused if there is no folder", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, { "list.csv": "path\na.jpg\n", "a.jpg": "" });
    await assert.rejects(
      findImages([join(folder, "list.csv")], { labels: "folders" }),
      usage(/^Cannot use --labels folders with .*list\.csv: give a folder/),
    );
  });
});

Deno.test("a table's further rows of an image are further annotations of it", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "list.csv":
        "path,emotion,valence\na.jpg,Joy,1\nb.jpg,Fear,-1\n./a.jpg,Rage,-3\na.jpg,Joy,2\n",
    });
    const [a, b] = await findImages([join(folder, "list.csv")]);
    assert.deepEqual([a!.path, b!.path], ["a.jpg", "b.jpg"]);
    assert.deepEqual(
      judgements("a", a!.annotation!).map(({ emotion, valence }) => [emotion, valence]),
      [["Joy", 1], ["Rage", -3], ["Joy", 2]],
    );
    assert.deepEqual(b!.annotation, { emotion: "Fear", valence: "-1" });
  });
});

Deno.test("a table's header tells what separates its fields", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "comma.csv": 'path,"tags; all"\na.jpg,x;y\n',
      "semicolon.csv": 'path;"tags, all";valence\na.jpg;x,y;1\n',
      "one.csv": "path\na.jpg\n",
    });
    const annotation = async (name: string) =>
      (await findImages([join(folder, name)]))[0].annotation;
    assert.deepEqual(await annotation("comma.csv"), { "tags; all": "x;y" });
    assert.deepEqual(await annotation("semicolon.csv"), { "tags, all": "x,y", valence: "1" });
    assert.equal(await annotation("one.csv"), undefined);
  });
});

Deno.test("different files that two tables call the same keep apart", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "one/list.csv": "path\nimg.jpg\nonly.jpg\n",
      "two/list.csv": "path\nimg.jpg\n",
    });
    const images = await findImages([join(folder, "one/list.csv"), join(folder, "two/list.csv")]);
    assert.deepEqual(images.map(({ path }) => path), [
      join(folder, "one/img.jpg"),
      join(folder, "two/img.jpg"),
      "only.jpg",
    ]);
    assert.deepEqual(new Set(images.map(({ file }) => file)).size, 3);
  });
});

Deno.test("what names no image is refused in one line", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "empty/": "",
      "text.txt": "",
      "none.csv": "path,x\n",
      "other.csv": "a,b\n1,2\n",
      "hole.csv": "path,b\na.jpg,1\n,2\n",
      "broken.csv": 'path\n"a.jpg\n',
    });
    const cases: [string, RegExp][] = [
      ["nothing", /there is no file or folder ".*nothing"/],
      ["text.txt/below", /there is no file or folder/],
      ["empty", /no \.jpg, \.png.* in .*empty/],
      ["none.csv", /image table none\.csv: it has no rows/],
      ["other.csv", /other\.csv: none of its columns \(a, b\) is called path/],
      ["hole.csv", /hole\.csv: row 2 has no path/],
      ["broken.csv", /image table broken\.csv: /],
    ];
    for (const [name, pattern] of cases) {
      await assert.rejects(findImages([join(folder, name)]), usage(pattern), name);
    }
    await assert.rejects(findImages([""]), usage(/ ""/));
  });
});

Deno.test("relative paths start from a folder that is given, and name the images as from within it", async () => {
  await withFolder(async (folder) => {
    await makeFiles(folder, {
      "one/a.png": "",
      "two/b.png": "",
      "lists/images.csv": "path,label\n../two/c.png,joy\n",
      "d.png": "",
    });
    const found = async (...args: string[]) =>
      (await findImages(args, { base: folder })).map(({ path, file }) => [path, file]);
    const at = (path: string) => join(folder, path);
    assert.deepEqual(await found("one"), [["a.png", at("one/a.png")]]);
    assert.deepEqual(await found("*/*.png"), [
      ["one/a.png", at("one/a.png")],
      ["two/b.png", at("two/b.png")],
    ]);
    assert.deepEqual(await found("d.png", "one"), [
      ["d.png", at("d.png")],
      ["one/a.png", at("one/a.png")],
    ]);
    assert.deepEqual(await found("lists/images.csv"), [["../two/c.png", at("two/c.png")]]);
    assert.deepEqual(await found(at("one")), [["a.png", at("one/a.png")]]);
  });
});
