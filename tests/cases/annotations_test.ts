/** Annotations of one image from several rows, columns and tables: all kept or refused, and what matches nothing is counted. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "../../src/base/errors.ts";
import { findImages } from "../../src/corpora/find_images.ts";
import { judgements } from "../../src/corpora/findingemo/annotations.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { put } from "./table_runs.ts";

/** What is found in paths of a folder: annotations by path, and what was noted. */
async function found(folder: string, ...paths: string[]) {
  const notes: string[] = [];
  const images = await findImages(paths.map((path) => join(folder, path)), {
    note: (notice) => notes.push(notice),
  });
  return { of: Object.fromEntries(images.map((one) => [one.path, one.annotation])), notes };
}

Deno.test("two tables of one image: other columns are added, equal values are one, differing ones are both kept and named", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "a.png"), "");
    await put(join(folder, "b.png"), "");
    await put(join(folder, "one.csv"), "path,emotion,valence\na.png,joy,1\nb.png,fear,-1\n");
    await put(
      join(folder, "two.csv"),
      "path,Emotion,valence,age\na.png,joy,1,30\nb.png,anger,-1,4\n",
    );
    const { of, notes } = await found(folder, "one.csv", "two.csv");
    assert.deepEqual(of, {
      "a.png": { emotion: "joy", valence: "1", age: "30" },
      "b.png": {
        emotion: "fear",
        valence: "-1",
        "emotion.2": "anger",
        "valence.2": "-1",
        age: "4",
      },
    });
    assert.deepEqual(judgements("b", of["b.png"]!).map(({ emotion }) => emotion), [
      "fear",
      "anger",
    ]);
    assert.equal(notes.length, 1);
    assert.match(notes[0], /^two\.csv says something else of 1 image .*\(b\.png: emotion\)/);
  });
});

Deno.test("labels of folders, a table and FindingEmo's annotations of one image are all kept", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "photos/joy/a.png"), "");
    await put(join(folder, "photos/list.csv"), "path,emotion\njoy/a.png,Joy\n");
    await put(
      join(folder, "x.ann"),
      "Index;User;Image_Path;tags;age;Valence;arousal;Emotion;dec_factors;ambiguity;datetime\n" +
        "1;u;/joy/a.png;;;1,0;2;Rage;Staging;3;d\n2;u;/gone/b.png;;;1;2;Rage;Staging;3;d\n",
    );
    const { of, notes } = await found(folder, "photos", "photos/list.csv", "x.ann");
    const [annotation] = Object.values(of);
    assert.equal(annotation!.emotion, "Joy");
    assert.equal(annotation!["emotion.2"], "Rage");
    assert.equal(annotation!.valence, "1,0");
    assert.equal(notes.length, 2);
    assert.match(
      notes[0],
      /^x\.ann annotates 2 images, 1 of which are not in the corpus \(gone\/b\.png\)$/,
    );
    assert.match(notes[1], /^x\.ann says something else of 1 image/);
  });
});

Deno.test("one image by an absolute, a relative and a Windows path is one image with all its rows", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "sub/a.png"), "");
    await put(
      join(folder, "list.csv"),
      `path,emotion\nsub/a.png,joy\n${
        join(folder, "sub/a.png")
      },fear\n./sub/../sub/a.png,joy\nsub\\a.png,rage\n`,
    );
    const { of, notes } = await found(folder, "list.csv", "sub");
    assert.deepEqual(Object.values(of), [{
      emotion: "joy",
      "emotion.2": "fear",
      "emotion.3": "joy",
      "emotion.4": "rage",
    }]);
    assert.match(
      notes.join(),
      /4 rows name 1 of the images more than once \(.*: emotion "joy", "fear", "joy", "rage"\); all are kept, as emotion\.2/,
    );
  });
});

Deno.test("equal rows are kept and told; rows of paths alone are one image", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "list.csv"), "path,emotion\na.png,joy\na.png,joy\nb.png,joy\n");
    const { of, notes } = await found(folder, "list.csv");
    assert.deepEqual(of["a.png"], { emotion: "joy", "emotion.2": "joy" });
    assert.match(notes.join(), /2 rows name 1 of the images more than once \(a\.png: equal rows\)/);
    await put(join(folder, "list.csv"), "path\na.png\na.png\n");
    assert.match((await found(folder, "list.csv")).notes.join(), /each is one image$/);
  });
});

Deno.test("numbers that columns have already are not taken again", async () => {
  await withFolder(async (folder) => {
    await put(
      join(folder, "list.csv"),
      "path,emotion,emotion.2\na.png,joy,fear\na.png,rage,calm\n",
    );
    const { of } = await found(folder, "list.csv");
    assert.deepEqual(of["a.png"], {
      emotion: "joy",
      "emotion.2": "fear",
      "emotion.3": "rage",
      "emotion.4": "calm",
    });
  });
});

Deno.test("a column that occurs twice is refused, in any case and in every format", async () => {
  await withFolder(async (folder) => {
    await put(join(folder, "list.csv"), "path,emotion,Emotion\na.png,joy,fear\n");
    await assert.rejects(found(folder, "list.csv"), (error) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, /list\.csv: the column "Emotion" occurs twice/);
      return true;
    });
  });
});

Deno.test("NA is no value and counted; decimal commas of numbers are points", async () => {
  await withFolder(async (folder) => {
    await put(
      join(folder, "r.csv"),
      '"";"image";"Emotion";"Valence";"note"\n"1";"a.png";"joy";1,5;"NA"\n"2";"b.png";NA;NA;"1,5"\n',
    );
    const { of, notes } = await found(folder, "r.csv");
    assert.deepEqual(of["a.png"], { emotion: "joy", valence: "1.5", note: "NA" });
    assert.deepEqual(of["b.png"], { emotion: "", valence: "", note: "1,5" });
    assert.equal(judgements("a", of["a.png"]!)[0].valence, 1.5);
    assert.equal(notes.length, 3);
  });
});
