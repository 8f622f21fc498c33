import assert from "node:assert/strict";
import { join } from "node:path";
import {
  analyses,
  PAPER_SETTINGS,
  REFERENCE_COLUMNS,
  referenceImage,
} from "../../src/experiments/paper/mod.ts";
import { readEmonetOutputs, readYoloOutputs } from "../experiments/paper/read_reference_tables.ts";
import { ANNOTATIONS, withPaperCorpus } from "./paper_corpus.ts";
import { assertExcludes } from "../assert_that.ts";

const METHODS = ["grad-cam", "ablation-cam", "lime-cam", "lift-cam", "lrp-cam"];
const LOW = ["--emotion-confidence", "0.25", "--threshold", "0.05"];

function sorted(rows: readonly (readonly string[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

Deno.test("--reference-columns: the two tables are read back and give the same analyses", () =>
  withPaperCorpus(async (corpus) => {
    const { status, err } = await corpus.run("run", ...LOW, "--reference-columns");
    assert.equal(status, 0, err);
    const read = (name: string) =>
      Deno.readTextFile(join(corpus.folder, "run/paper", `${name}.csv`));
    const names = ["gradcam", "ablation", "lime", "lrp", "lift"];
    const short = (method: string) =>
      names.find((name) => method.replace("-", "").startsWith(name));
    const files = await Promise.all(METHODS.map(async (name) => ({
      name,
      title: name,
      detections: readYoloOutputs(await read(`yolo_outputs_${short(name)}`), name),
      ...readEmonetOutputs(await read(`emonet_outputs_${short(name)}`), name),
    })));
    const { predictions, emotions } = files[0];
    assert.equal(emotions.length, 20);
    const made = analyses({
      emotions,
      predictions,
      annotations: ANNOTATIONS
        .toSorted((a, b) => a.image === b.image ? 0 : a.image < b.image ? -1 : 1)
        .map((judged) => ({ ...judged, image: referenceImage(judged.image) })),
      methods: files,
    }, {
      ...PAPER_SETTINGS,
      filters: { ...PAPER_SETTINGS.filters, importance: 0.05, emotion: 0.25 },
      columns: REFERENCE_COLUMNS,
    });
    let compared = 0;
    for (const { name, header, rows } of made.tables) {
      if (name.startsWith("method_")) continue; // other titles
      const [ownHeader, ...own] = await corpus.table("run", `paper/${name}.csv`);
      assert.deepEqual(ownHeader, header, name);
      const named = header[0] === "dir_image_path";
      const text = own.map((
        [first, ...rest],
      ) => [named ? referenceImage(first!) : first!, ...rest]);
      assert.deepEqual(sorted(text), sorted(rows.map((row) => row.map(String))), name);
      compared++;
    }
    assert.equal(compared, 5 * 6 + 3 + 5);
  }));

Deno.test("images that the reference's names cannot tell apart are told", () =>
  withPaperCorpus(async ({ images, run }) => {
    const args = ["--reference-columns", "--methods", "grad-cam"];
    const before = await run("before", ...args);
    assert.equal(before.status, 0, before.err);
    assertExcludes(before.err, "several images");
    await Deno.mkdir(join(images, "Run_3/a, b"), { recursive: true });
    await Deno.copyFile(join(images, "Run_2/e/g.jpg"), join(images, "Run_3/a, b/one.jpg"));
    const { status, err } = await run("after", ...args);
    assert.equal(status, 0, err);
    assert.match(
      err,
      /^note: 1 names? of images .* (?:name|names) several .*\(a, b\/one\.jpg …\)/m,
    );
  }));
