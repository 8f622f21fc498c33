import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { emocam } from "./cli.ts";
import { PHOTOS, withPaperCorpus } from "./paper_corpus.ts";

Deno.test("options of the paper's analyses that cannot be followed stop the run before any work", () =>
  withPaperCorpus(async ({ folder, images, run }) => {
    const out = join(folder, "run");
    const cases = {
      "emotion-confidence": "0.5",
      "object-confidence": "0.1",
      "ambiguity": "3",
      "similarity": "dice",
      "objects": "all",
      "least-share": "0",
    };
    for (const [name, value] of Object.entries(cases)) {
      const { status, out: printed, err } = await emocam(
        ...["analyze", images, `--${name}`, value, "--out", out],
      );
      assert.deepEqual([status, printed], [2, ""]);
      assert.equal(
        err,
        `Cannot use --${name} without --preset paper: only the paper's analyses have it\n`,
      );
    }
    for (const name of ["corrected", "reference-columns"]) {
      assert.equal((await emocam("analyze", images, `--${name}`, "--out", out)).status, 2);
    }
    for (
      const [args, message] of [
        [["--similarity", ","], /^Cannot use --similarity without a name: give names, or all\n$/],
        [["--objects", ""], /^Cannot use --objects without a name: give names, or all\n$/],
        [["--emotion-confidence", "1.5"], /^Cannot use --emotion-confidence "1\.5": .*\n$/],
        [["--ambiguity", "many"], /^Cannot use --ambiguity "many": .*\n$/],
        [["--least-share", "2"], /^Cannot use --least-share "2": .*\n$/],
      ] as const
    ) {
      const { status, out: printed, err } = await run("run", ...args);
      assert.deepEqual([status, printed], [2, ""], args.join(" "));
      assert.match(err, message);
    }
    await assert.rejects(Deno.stat(out), Deno.errors.NotFound);
  }));

Deno.test("names that are given twice count once, and one that the detector does not know is told", () =>
  withPaperCorpus(async (corpus) => {
    const args = ["--methods", "grad-cam", "--limit", "2", "--similarity", "dice,dice"];
    const { status, err } = await corpus.run("run", ...args, "--objects", "Car,Persn,Car");
    assert.equal(status, 0, err);
    assert.match(err, /^note: detector yolov3-openimages has no class "Persn"; it is left out$/m);
    const [header] = await corpus.table("run", "paper/emotion_object_grad-cam_dice.csv");
    assert.deepEqual(header!.slice(0, 4), ["", "Car", "Persn", "Adoration"]);
  }));

Deno.test("a report's command gives its run again, with the preset and without", () =>
  withPaperCorpus(async ({ folder, images, run }) => {
    const command = async (out: string) => {
      const html = await Deno.readTextFile(join(folder, out, "report.html"));
      return /deno task analyze [^<]*/.exec(html)![0];
    };
    assert.equal((await run("paper", "--limit", "1", "--methods", "grad-cam")).status, 0);
    assert.match(await command("paper"), / --preset paper .*--emotion-confidence 0\.5 /);
    const plain = await emocam(
      ...["analyze", images, "--limit", "1", "--backend", "native", "--out", join(folder, "plain")],
    );
    assert.equal(plain.status, 0, plain.err);
    assert.doesNotMatch(await command("plain"), /emotion-confidence|similarity|ambiguity/);
  }));

Deno.test("the preset's models are not there: one line that says how to get them, and nothing is written", () =>
  withPaperCorpus(async ({ folder, run }) => {
    const models = Deno.env.get("EMOCAM_MODELS")!;
    for (const name of ["yolov3-openimages", "emonet"]) {
      await Deno.remove(join(models, `${name}.json`));
      const { status, out, err } = await run("run");
      assert.deepEqual([status, out], [2, ""]);
      assert.match(err, new RegExp(`^Cannot [^\\n]*${name}[^\\n]*models fetch[^\\n]*\\n$`));
    }
    await assert.rejects(Deno.stat(join(folder, "run")), Deno.errors.NotFound);
    const unknown = await run("run", "--preset", "thesis");
    assert.deepEqual([unknown.status, unknown.out], [2, ""]);
  }));

Deno.test("pictures turned by EXIF: sizes and boxes of a run do not depend on runs before it in the folder", () =>
  withPaperCorpus(async (corpus) => {
    const turned = join(corpus.folder, "turned");
    await Deno.mkdir(turned);
    await sharp(fileURLToPath(new URL("hopper.jpg", PHOTOS))).withMetadata({ orientation: 6 })
      .toFile(join(turned, "a.jpg"));
    const run = async (out: string, orientation: string) => {
      const { status, err } = await emocam(
        ...["analyze", turned, "--preset", "paper", "--methods", "grad-cam", "--backend", "native"],
        ...["--orientation", orientation, "--reference-columns", "--out", join(corpus.folder, out)],
      );
      assert.equal(status, 0, err);
      const [{ width, height }] = await corpus.rows(out, "images.csv") as [Record<string, string>];
      const boxes = await corpus.table(out, "paper/yolo_outputs_gradcam.csv");
      return { size: [width, height], boxes, scores: await corpus.table(out, "boxes.csv") };
    };
    const fresh = { exif: await run("one", "exif"), stored: await run("two", "stored") };
    assert.deepEqual(fresh.exif.size, fresh.stored.size.toReversed());
    for (const orientation of ["stored", "exif", "stored"] as const) {
      assert.deepEqual(await run("both", orientation), fresh[orientation], orientation);
    }
  }));
