import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { UsageError } from "../../../src/base/errors.ts";
import { matchImages } from "../../../src/detectors/box_files/match.ts";
import { readYoloFolder } from "../../../src/detectors/box_files/yolo_txt.ts";
import { withFolder } from "../../corpus/face_corpus.ts";
import { assertExcludes } from "../../assert_that.ts";

async function withLabels(
  files: Record<string, string>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (root) => {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text);
    }
    await use(join(root, "labels"));
  });
}

Deno.test("a folder of text files gives its boxes; names lie in it or above it", async () => {
  const boxes = {
    "labels/train/a.txt": "1 0.5 0.5 0.25 0.5\r\n0 0.125 0.25 0.25 0.5 0.75\n",
    "labels/b.v2.txt": "",
    "labels/train.txt": "images/a.jpg\n",
    "labels/.hidden.txt": "nonsense",
    "labels/notes.md": "nonsense",
  };
  for (const names of ["labels/classes.txt", "classes.txt", "obj.names", "coco.names"]) {
    await withLabels({ ...boxes, [names]: "cat\ndog\n" }, async (folder) => {
      const table = await readYoloFolder(folder);
      assert.deepEqual(table.labels, ["cat", "dog"]);
      assert.deepEqual([...table.images], [
        ["b.v2", []],
        ["train/a", [
          { label: "dog", confidence: 1, x0: .375, y0: .25, x1: .625, y1: .75 },
          { label: "cat", confidence: .75, x0: 0, y0: 0, x1: .25, y1: .5 },
        ]],
      ]);
      assert.equal(table.relative, true);
      assert.equal(table.stems, true);
      assert.deepEqual([...matchImages(table, ["images/train/a.jpg", "b.v2.png", "b.jpg"])], [
        ["b.v2.png", "b.v2"],
        ["images/train/a.jpg", "train/a"],
      ]);
    });
  }
});

Deno.test("its key is its content: boxes, names and file names", async () => {
  const keys = new Set<string>();
  const one = { "labels/a.txt": "0 .5 .5 .5 .5\n", "classes.txt": "cat\n" };
  for (
    const files of [
      one,
      one,
      { ...one, "classes.txt": "dog\n" },
      { ...one, "labels/a.txt": "0 .5 .5 .5 .4\n" },
      { ...one, "labels/b.txt": "" },
    ]
  ) {
    await withLabels(files, async (folder) => void keys.add((await readYoloFolder(folder)).sha256));
  }
  assert.equal(keys.size, 4);
});

Deno.test("malformed files are refused with their line", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ "labels/a.txt": "0 .5 .5 .5 .5\n" }, /there are no class names; put them into classes\.txt/],
    ...([
      ["0 .5 .5 .5\n", /a\.txt, line 1: 4 numbers/],
      ["0 .5 .5 .5 .5\n0 .1 .1 .2 .2 .3 .3\n", /line 2: 7 numbers/],
      ["0 .5 .5 .5 x\n", /line 1: "x" is not a number/],
      ["0 .5 .5 .5 0x1\n", /line 1: "0x1" is not a number/],
      ["0 .5 .5 .5 Infinity\n", /line 1: "Infinity" is not a number/],
      ["2 .5 .5 .5 .5\n", /line 1: class 2; there are 2 names/],
      ["0.5 .5 .5 .5 .5\n", /class 0\.5/],
      ["-1 .5 .5 .5 .5\n", /class -1/],
      ["0 .9 .5 .5 .5\n", /line 1: the box \.9 \.5 \.5 \.5 reaches out of the image/],
      ["0 320 240 50 50\n", /reaches out/],
      ["0 .5 .5 0 .5\n", /a\.txt, line 1: x1 is 0\.5, not over/],
      ["0 .5 .5 .5 .5 7\n", /confidence is 7/],
      ["\n", /it holds no boxes/],
    ] as const).map(([text, pattern]): [Record<string, string>, RegExp] => [
      { "labels/a.txt": text, "classes.txt": "cat\ndog\n" },
      pattern,
    ]),
    [{ "labels/a.txt": "", "classes.txt": "cat\n\ndog\n" }, /line 2: the name is empty/],
    [{ "labels/a.txt": "", "classes.txt": "cat\ncat\n" }, /"cat" occurs twice/],
  ];
  for (const [files, pattern] of cases) {
    await withLabels(files, async (folder) => {
      await assert.rejects(readYoloFolder(folder), (error: unknown) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, pattern);
        assertExcludes(error.message, "\n");
        return true;
      });
    });
  }
});
