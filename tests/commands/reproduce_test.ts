import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { sha256 } from "../../src/base/json.ts";
import { MODELS_FOLDER } from "../../src/runtime/card.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocam, emocamProcess, matricesOf, type Outcome } from "./cli.ts";
import {
  assertEvery,
  assertExcludes,
  assertIncludes,
  assertMore,
  assertSome,
} from "../assert_that.ts";

/** A run over a small corpus, made from inside its folder with relative paths, and what repeating it gives. */
async function withRun(
  use: (made: {
    folder: string;
    names: readonly string[];
    run: string;
    reproduce: (...args: string[]) => Promise<Outcome & { report: Report }>;
  }) => Promise<void>,
  ...args: string[]
): Promise<void> {
  await withFolder(async (folder) => {
    const { names } = await makeFaces(join(folder, "pictures"), 4, {
      size: 160,
      noise: 3,
      margin: 0.3,
    });
    await copyModel(folder);
    const run = join(folder, "runs", "first");
    const { code, stderr } = await emocamProcess([
      ...["analyze", "pictures", "--out", "runs/first", "--backend", "native"],
      ...["--classifier", "model/mini-xception.json", "--detector", "pictures.boxes.csv"],
      ...["--samples", "image", "--methods", "grad-cam,cam", ...args],
    ], { cwd: folder }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    await use({
      folder,
      names,
      run,
      reproduce: async (...own) => {
        const outcome = await emocam("reproduce", run, "--out", join(folder, "again"), ...own);
        // Never a stack trace.
        assert.doesNotMatch(outcome.err + outcome.out, /^\s+at /m);
        const read = (name: string) => Deno.readTextFile(join(folder, "again", name));
        const report = JSON.parse(await read("drift.json").catch(() => "{}"));
        // The checkout may move on while its tests run.
        report.causes = report.causes?.filter(({ kind }: { kind: string }) => kind !== "code");
        if (report.verdict) {
          const page = await read("drift.html");
          assertIncludes(page, `<strong>${report.verdict}</strong>`, page.slice(0, 4000));
          assert.ok(outcome.out.startsWith(`${report.verdict}: `), outcome.out);
        }
        await Deno.remove(join(folder, "again", "drift.json")).catch(() => {});
        return { ...outcome, report };
      },
    });
  });
}

/** What is looked at here of `drift.json`. */
interface Report {
  verdict: string;
  headline: string;
  missing: string[];
  notes: string[];
  causes: { kind: string; what: string; before?: string; after?: string; input: boolean }[];
  comparison?: {
    sections: {
      name: string;
      compared: number;
      identical: number;
      within: number;
      drifted: number;
      largest?: { distance: number };
      first?: { place: { image?: string; table: string } };
    }[];
    tables: { name: string; before?: string; after?: string }[];
  };
}

/** The classifier that ships, with its card, as a user's own. */
async function copyModel(folder: string): Promise<void> {
  await Deno.mkdir(join(folder, "model"), { recursive: true });
  for (const name of ["mini-xception.json", "mini-xception.onnx"]) {
    await Deno.copyFile(join(MODELS_FOLDER, name), join(folder, "model", name));
  }
}

Deno.test("an unchanged run is identical from any folder, its matrices byte for byte, also without its ledger", async () => {
  await withRun(async ({ folder, run, reproduce }) => {
    const { status, out, report } = await reproduce();
    assert.equal(status, 0, out);
    assert.equal(report.verdict, "identical");
    assert.deepEqual([report.causes, report.missing, report.notes], [[], [], []]);
    const tables = report.comparison!.tables;
    assert.equal(tables.filter(({ name }) => name.startsWith("matrices/")).length, 8);
    assert.equal(tables.length, 12);
    assertEvery(tables, ({ before, after }) => before === after);
    assert.match(
      report.headline,
      /all \d+ values are the same; 12 of 12 tables are byte-identical/,
    );
    assert.deepEqual(
      await matricesOf(join(folder, "again", "repeated-run")),
      await matricesOf(run),
    );
    for (const section of ["images", "predictions", "boxes", "importances", "matrices"]) {
      const found = report.comparison!.sections.find(({ name }) => name === section)!;
      assertMore(found.compared, 0, section);
      assert.equal(found.identical, found.compared, section);
    }
    await Deno.remove(join(run, "ledger.sqlite"));
    await Deno.remove(join(run, "report.html"));
    const without = await reproduce();
    assert.deepEqual([without.status, without.report.verdict], [0, "identical"]);
  });
});

Deno.test("an image edited by one pixel is drift, with that image as the reason", async () => {
  await withRun(async ({ folder, names, reproduce }) => {
    const file = join(folder, "pictures", names[2]);
    const before = sha256(await Deno.readFile(file));
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    // In the middle of the face.
    data[3 * (80 * info.width + 80)] ^= 0xff;
    const { width, height } = info;
    await sharp(data, { raw: { width, height, channels: 3 } }).png().toFile(`${file}.new`);
    await Deno.rename(`${file}.new`, file);
    const { status, out, report } = await reproduce();
    assert.equal(status, 3, out);
    assert.deepEqual(report.causes, [{
      kind: "image",
      what: names[2],
      before: `sha256 ${before}`,
      after: `sha256 ${sha256(await Deno.readFile(file))}`,
      input: true,
    }]);
    const sections = new Map(report.comparison!.sections.map((own) => [own.name, own]));
    assert.equal(sections.get("images")!.drifted, 1);
    assert.equal(sections.get("predictions")!.first?.place.image, names[2]);
    // Nothing of the other images has changed.
    assert.equal(sections.get("importances")!.first?.place.image, names[2]);
    assertMore(sections.get("importances")!.identical, 0);
    assert.match(out, new RegExp(`why it could: image ${names[2]} changed from sha256 ${before}`));
  });
});

Deno.test("a model's file that is not its card's is a missing input; with a card that fits it is drift", async () => {
  await withRun(async ({ folder, reproduce }) => {
    const model = join(folder, "model", "mini-xception.onnx");
    const bytes = await Deno.readFile(model);
    const before = sha256(bytes);
    // A bit of one weight: most of the file is weights.
    bytes[bytes.length >> 1] ^= 0x10;
    await Deno.writeFile(model, bytes);
    const swapped = await reproduce();
    assert.equal(swapped.status, 4, swapped.out);
    assert.match(
      swapped.report.missing[0],
      new RegExp(`sha256 of mini-xception\\.onnx is ${sha256(bytes)}, its card says ${before}`),
    );
    const card = join(folder, "model", "mini-xception.json");
    const text = await Deno.readTextFile(card);
    await Deno.writeTextFile(card, text.replace(before, sha256(bytes)));
    const fitting = await reproduce();
    assert.equal(fitting.status, 3, fitting.out);
    assert.deepEqual(fitting.report.causes, [{
      kind: "model",
      what: "classifier.card.sha256",
      before,
      after: sha256(bytes),
      input: true,
    }]);
    await Deno.remove(model);
    const gone = await reproduce();
    assert.equal(gone.status, 4);
    assertIncludes(gone.report.missing[0], `its file ${model} is missing`);
  });
});

Deno.test("another threshold is drift in the matrices only, given here or edited in run.json", async () => {
  await withRun(async ({ run, reproduce }) => {
    const check = ({ status, out, report }: Outcome & { report: Report }) => {
      assert.equal(status, 3, out);
      assert.deepEqual(report.causes, [
        {
          kind: "setting",
          what: "threshold",
          before: "0.3",
          after: "0.45",
          input: true,
          noun: "salience threshold",
        },
      ]);
      const drifted = report.comparison!.sections.filter((own) => own.drifted > 0);
      assert.deepEqual(drifted.map(({ name }) => name), ["matrices"]);
      assert.match(drifted[0].first!.place.table, /^matrices\/.*\.csv$/);
    };
    check(await reproduce("--set", "threshold=0.45"));
    const manifest = JSON.parse(await Deno.readTextFile(join(run, "run.json")));
    manifest.arguments.threshold = 0.45;
    await Deno.writeTextFile(join(run, "run.json"), JSON.stringify(manifest));
    check(await reproduce());
  });
});

Deno.test("missing images and tables are missing inputs; images that have moved are found with --images", async () => {
  await withRun(async ({ folder, names, run, reproduce }) => {
    const at = (name: string) => join(folder, "pictures", name);
    await Deno.rename(at(names[1]), join(folder, "aside.png"));
    const one = await reproduce();
    assert.equal(one.status, 4, one.out);
    assert.deepEqual(one.report.missing, [`image ${names[1]}`]);
    assert.equal(one.report.comparison, undefined);
    await Deno.rename(join(folder, "aside.png"), at(names[1]));
    // A new picture was not in the run.
    await Deno.copyFile(at(names[0]), at("new.png"));
    const more = await reproduce();
    assert.equal(more.status, 0, more.err);
    assert.deepEqual(more.report.notes, ["images that are new in the corpus are left out: 1"]);
    await Deno.rename(join(folder, "pictures"), join(folder, "moved"));
    assert.equal((await reproduce()).report.missing.length, names.length);
    const moved = await reproduce("--images", join(folder, "moved"));
    assert.deepEqual([moved.status, moved.report.verdict], [0, "identical"], moved.out);
    await Deno.remove(join(run, "matrices", "cam.phi.csv"));
    const table = await reproduce("--images", join(folder, "moved"));
    assert.equal(table.status, 4);
    assert.deepEqual(table.report.missing, ["table matrices/cam.phi.csv of the run"]);
  });
});

Deno.test("another backend is within the tolerance, with the reason; with none it has drifted", async () => {
  await withRun(async ({ reproduce }) => {
    const { status, out, report } = await reproduce("--set", "backend=wasm");
    assert.equal(status, 0, out);
    assert.equal(report.verdict, "within tolerance");
    assert.deepEqual(
      report.causes.map(({ kind, before, after, input }) => [kind, before, after, input]),
      [
        ["backend", "native", "wasm", false],
        ["version", "onnxruntime-node 1.30.0", "onnxruntime-web 1.30.0", false],
      ],
    );
    const sections = report.comparison!.sections;
    assertSome(sections, ({ within }) => within > 0);
    for (const { name, largest } of sections) {
      assert.ok((largest?.distance ?? 0) < 1e-5, `${name} ${largest?.distance}`);
    }
    assert.match(out, /why it could: backend changed from native to wasm/);
    const strict = await reproduce("--set", "backend=wasm", "--tolerance", "0");
    assert.equal(strict.status, 3);
    assert.match(strict.out, /why it could: backend changed from native to wasm/);
  });
});

Deno.test("a table of the first run that was edited is told", async () => {
  await withRun(async ({ run, reproduce }) => {
    const file = join(run, "predictions.csv");
    const text = await Deno.readTextFile(file);
    const [row] = parse(text, { columns: true }) as Record<string, string>[];
    await Deno.writeTextFile(file, text.replace(row!.probability!, "0.5"));
    const { status, report } = await reproduce();
    assert.equal(status, 3);
    assert.deepEqual(report.causes.map(({ kind, what }) => [kind, what]), [
      ["reference", "predictions.csv of the first run was changed after it was written"],
    ]);
  });
});

Deno.test("run.json holds what a run was made of", async () => {
  await withRun(async ({ folder, names, run }) => {
    const manifest = JSON.parse(await Deno.readTextFile(join(run, "run.json")));
    assert.equal(manifest.from, "../..");
    assert.deepEqual(manifest.arguments.paths, ["pictures"]);
    assert.equal(manifest.settings.samples, "image");
    assert.equal(manifest.settings.threshold, 0.3);
    // These methods draw no random numbers, and there is no preset.
    for (const idle of ["seed", "ambiguity", "similarity"]) {
      assert.ok(!(idle in manifest.settings), `${idle} has no effect in this run`);
    }
    assert.deepEqual(Object.keys(manifest.settings.methods), ["grad-cam", "cam"]);
    assert.equal(manifest.backend.name, "native");
    assert.match(manifest.versions.runtime, /^onnxruntime-node \d/);
    for (const name of ["emocam", "deno", "v8", "sharp", "libvips", "platform"]) {
      assert.ok(manifest.versions[name], name);
    }
    assert.ok(manifest.machine.processor, "no name of the processor");
    assertMore(manifest.machine.cores, 0);
    for (const { path, sha256: hash } of manifest.images) {
      assert.equal(hash, sha256(await Deno.readFile(join(folder, "pictures", path))));
    }
    assert.deepEqual(manifest.images.map(({ path }: { path: string }) => path), names);
    for (const [name, hash] of Object.entries(manifest.outputs)) {
      assert.equal(hash, sha256(await Deno.readFile(join(run, name))), name);
    }
    assert.equal(Object.keys(manifest.outputs).length, 12);
    // Nothing but what was given as an argument tells where the user's files are.
    assertExcludes(JSON.stringify(manifest), folder, basename(folder));
  });
});

Deno.test("wrong usage is said in a line with status 2", async () => {
  await withFolder(async (folder) => {
    const write = async (name: string, text: string) => {
      const path = join(folder, name, "run.json");
      await Deno.mkdir(join(folder, name), { recursive: true });
      await Deno.writeTextFile(path, text);
      return path;
    };
    const manifest = {
      arguments: { command: "analyze", paths: [], classifier: "x", detector: "y", newOption: 1 },
      backend: { name: "native" },
      images: [],
    };
    const broken = await write("broken", "{");
    const other = await write("other", '{"arguments":{"command":"explain"}}');
    const later = await write("later", JSON.stringify(manifest));
    const list = join(folder, "list.json");
    await Deno.writeTextFile(list, '{"runs":[],"report":1}');
    const cases: [string[], RegExp][] = [
      [[], /^Cannot reproduce: name the folder of a run/],
      [[join(folder, "none")], /^Cannot find a run: there is no .*run\.json; give the folder/],
      [[folder], /give one of the runs in it: .*broken, .*later, .*other/],
      [[broken], /^Cannot read .*it is not the manifest of a run/],
      [[other], /^Cannot repeat the run of .*arguments\.command: .*only what analyze wrote/],
      [[later], /^Cannot repeat the run: its option newOption is not known/],
      [[later, "--tolerance", "-1"], /^Cannot use --tolerance "-1"/],
      [[later, "--list", list], /^Cannot use .*run\.json together with --list/],
      [["--list", list], /^Cannot use the list of runs .*list\.json: runs: /],
      [["--list", join(folder, "no.json")], /^Cannot read the list of runs .*no\.json/],
    ];
    for (const [args, expected] of cases) {
      const out = args.includes("--list") ? [] : ["--out", join(folder, "out")];
      const { status, err } = await emocam("reproduce", ...args, ...out);
      assert.equal(status, 2, err);
      assert.match(err, expected);
      assert.equal(err.trimEnd().split("\n").length, 1, err);
    }
  });
});

Deno.test("a run is not repeated into itself, and not with an option that analyze does not have", async () => {
  await withRun(async ({ folder, reproduce }) => {
    assert.equal((await reproduce()).status, 0);
    const out = join(folder, "again");
    const { status, err } = await emocam("reproduce", join(out, "repeated-run"), "--out", out);
    assert.equal(status, 2);
    assert.match(err, /^Cannot repeat .* into itself/);
    for (
      const [set, expected] of [
        ["nothing=1", /Cannot use --set "nothing=1"/],
        ["threshold", /Cannot use --set "threshold"/],
        ["threshold=2", /Cannot use --threshold "2"/],
        ["eigen-smooth=maybe", /it is a switch/],
      ] as const
    ) {
      const wrong = await reproduce("--set", set);
      assert.equal(wrong.status, 2, set);
      assert.match(wrong.err, expected);
    }
  });
});
