import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { goldenTest } from "../shared_goldens.ts";
import { assertEvery, assertMore } from "../assert_that.ts";

/** Files that no tool should take for a picture, and a strip whose letterbox would have no rows. */
const REFUSED = [
  "badcrc.png",
  "bomb.png",
  "prog_truncated.jpg",
  "text.jpg",
  "thin.png",
  "truncated.jpg",
  "truncated.png",
  "truncated_header.jpg",
  "zero.jpg",
  "zero_width.png",
];

goldenTest(
  "detect survives every hostile image in both profiles: boxes, or one line",
  async (root) => {
    await withFolder(async (folder) => {
      const at = (path: string) => fileURLToPath(new URL(`detector/${path}`, root));
      const { status } = await emocam(
        ...["models", "import", "darknet", "--cfg", at("cfg/mini3.cfg")],
        ...["--weights", at("weights/mini3.weights"), "--into", folder],
      );
      assert.equal(status, 0);
      const index = JSON.parse(await Deno.readTextFile(at("hostile/index.json")));
      const files = [...Deno.readDirSync(at("hostile"))]
        .filter(({ name, isFile }) => isFile && /\.(png|jpg|gif)$/.test(name))
        .map(({ name }) => name).sort();
      assert.deepEqual(
        Object.keys(index).map((name) => name.replace(/\/$/, "")).sort(),
        [...files, "dir.jpg"].sort(),
      );
      for (const profile of ["darknet", "lightnet"]) {
        const run = await emocam(
          ...["detect", at("hostile"), "--detector", join(folder, "mini3.json")],
          ...["--profile", profile, "--backend", "native", "--json"],
        );
        assert.equal(run.status, 0);
        const failed = run.err.trimEnd().split("\n").map((line) => {
          const [, file] = line.match(/^failed: (.+?): ./) ?? assert.fail(line);
          return file;
        });
        assert.deepEqual(failed.sort(), REFUSED, profile);
        const images: { image: string; boxes: Record<string, number>[] }[] = JSON.parse(run.out);
        assert.deepEqual(
          images.map(({ image }) => image).concat(failed).sort(),
          files,
        );
        for (const { image, boxes } of images) {
          assertMore(boxes.length, 0, image);
          for (const { label: _, ...numbers } of boxes) {
            assertEvery(Object.values(numbers), Number.isFinite, image);
          }
        }
      }
      // A folder with an image's name holds no images.
      const empty = await emocam("detect", at("hostile/dir.jpg"));
      assert.equal(empty.status, 2);
      assert.match(empty.err, /^Cannot find images: [^\n]*\n$/);
    });
  },
);
