/** No file that emocam did not write is overwritten or removed, by any command; what it wrote itself is replaced and removed by name. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { OwnFiles } from "../../src/base/own_files.ts";
import { RECORD_FILE } from "../../src/base/owned_folder.ts";
import { encodePng } from "../../src/image/render.ts";
import { assertIncludes } from "../assert_that.ts";
import { emocam, tablesOf } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";

const CLASSIFIER = fileURLToPath(new URL("rgb.json", import.meta.url));
const NETWORK = fileURLToPath(new URL("rgb.onnx", import.meta.url));
const BOXES = "image,label,confidence,x0,y0,x1,y1\na.png,cup,1,0,0,16,16\nb.png,cup,1,8,8,32,32\n";
const REFUSED = /(were|was) not written by emocam, or (were|was) changed since; move/;

async function put(file: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeFile(
    file,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
}

function paint(rgb: readonly [number, number, number]): Promise<Uint8Array> {
  const data = new Uint8Array(32 * 32 * 4);
  for (let i = 0; i < data.length; i += 4) data.set([...rgb, 255], i);
  return encodePng({ width: 32, height: 32, data });
}

/** Every file and link below a folder, with its hash or target. */
async function contents(folder: string, prefix = ""): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(join(folder, prefix))) {
    const path = `${prefix}${name}`;
    if (isDirectory) Object.assign(all, await contents(folder, `${path}/`));
    else if (isSymlink) all[path] = `-> ${await Deno.readLink(join(folder, path))}`;
    else {
      const bytes = await Deno.readFile(join(folder, path));
      all[path] = createHash("sha256").update(bytes).digest("hex");
    }
  }
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1));
}

/** A user's project: two pictures, a table, boxes, and files in folders that have the names of ours. */
interface Project {
  readonly folder: string;
  /** Path of a file of the project. */
  at(name: string): string;
  /** Analyses the project's table. */
  analyze(out: string, ...options: string[]): ReturnType<typeof emocam>;
}

const withProject = (use: (project: Project) => Promise<void>) =>
  withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    await put(at("a.png"), await paint([200, 40, 40]));
    await put(at("b.png"), await paint([40, 40, 200]));
    await put(at("images.csv"), "path,emotion\na.png,joy\nb.png,fear\n");
    await put(at("boxes.csv"), BOXES);
    await put(at("maps/kept-by-me.txt"), "mine");
    await put(at("matrices/confusion.csv"), "mine");
    await use({
      folder,
      at,
      analyze: (out, ...options) =>
        emocam(
          ...["analyze", at("images.csv"), "--detector", at("boxes.csv"), "--samples", "image"],
          ...["--classifier", CLASSIFIER, "--backend", "wasm", "--out", out, ...options],
        ),
    });
  });

Deno.test("a run whose outputs would replace its inputs is refused, and the project is untouched", () =>
  withProject(async ({ folder, analyze }) => {
    const before = await contents(folder);
    for (const options of [[], ["--maps"], ["--fresh"]]) {
      const { status, out, err } = await analyze(folder, ...options);
      assert.deepEqual([status, out], [2, ""]);
      assert.match(err, /^Cannot write to --out ".*": boxes\.csv, images\.csv are inputs of this/);
      assert.deepEqual(await contents(folder), before);
    }
  }));

Deno.test("files of the user's stay in the folders of a run, and three equal commands give equal tables", () =>
  withProject(async ({ at, analyze }) => {
    const out = at("results");
    await put(join(out, "maps/kept-by-me.txt"), "mine");
    await put(join(out, "maps/grad-cam/notes.npy"), "mine");
    await put(join(out, "matrices/confusion.csv"), "mine");
    await put(join(out, "paper/draft.csv"), "mine");
    const mine = await contents(out);
    const tables = [];
    for (let i = 0; i < 3; i++) {
      const { status, err } = await analyze(out, "--methods", "grad-cam,hires-cam", "--maps");
      assert.equal(status, 0, err);
      const own = await tablesOf(out);
      assert.equal(own["boxes.csv"].trimEnd().split("\n").length, 1 + 2 * 2);
      tables.push(own);
      const now = await contents(out);
      assert.deepEqual(
        Object.fromEntries(Object.keys(mine).map((name) => [name, now[name]])),
        mine,
      );
    }
    assert.deepEqual(tables[1], tables[0]);
    assert.deepEqual(tables[2], tables[0]);
    const { outputs } = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    assert.deepEqual(Object.keys(outputs).filter((name) => name in mine), []);
  }));

Deno.test("what an earlier run left and this one does not make is removed, file by file", () =>
  withProject(async ({ at, analyze }) => {
    const out = at("results");
    await put(join(out, "maps/kept-by-me.txt"), "mine");
    await analyze(out, "--methods", "grad-cam,hires-cam", "--maps", "--preset", "paper");
    const first = await contents(out);
    assertIncludes(Object.keys(first), "maps/hires-cam/a.png.npy");
    assertIncludes(Object.keys(first), "paper/emotion_object_grad-cam.csv");
    assertIncludes(Object.keys(first), "agreement.csv");
    const { status, err } = await analyze(out, "--methods", "cam");
    assert.equal(status, 0, err);
    assert.deepEqual(Object.keys(await contents(out)), [
      ...[RECORD_FILE, ".emocam.lock", "boxes.csv", "images.csv", "ledger.sqlite"],
      "maps/kept-by-me.txt",
      ...["count", "dice", "mean-importance", "phi"].map((own) => `matrices/cam.${own}.csv`),
      ...["predictions.csv", "report.html", "run.json"],
    ]);
    for (const gone of ["maps/grad-cam", "paper"]) {
      await assert.rejects(Deno.stat(join(out, gone)), Deno.errors.NotFound);
    }
  }));

Deno.test("files, links and folders that have the names of outputs are refused before any work", () =>
  withProject(async ({ at, analyze }) => {
    const cases: readonly (readonly [name: string, make: (path: string) => Promise<void>])[] = [
      ["predictions.csv", (path) => put(path, "mine")],
      ["report.html", (path) => put(path, "<p>my report</p>")],
      ["run.json", (path) => put(path, '{"emocam": "is not in this"}')],
      ["matrices/grad-cam.phi.csv", (path) => put(path, "mine")],
      ["maps/grad-cam/a.png.npy", (path) => put(path, "mine")],
      ["boxes.csv", (path) => Deno.symlink(at("boxes.csv"), path)],
      ["images.csv", (path) => Deno.symlink(at("nowhere"), path)],
      ["images.csv", (path) => put(join(path, "a.png"), "mine")],
      ["matrices", (path) => put(path, "a file where our folder would be")],
    ];
    for (const [i, [name, make]] of cases.entries()) {
      const out = at(`results ${i}`);
      await Deno.mkdir(dirname(join(out, name)), { recursive: true });
      await make(join(out, name));
      const before = await contents(out);
      const { status, err } = await analyze(out, "--maps");
      assert.equal(status, 2, name);
      assert.match(err, REFUSED);
      assert.ok(err.includes(`: ${name} `), err);
      assert.deepEqual(await contents(out), before);
    }
    const links: typeof cases = [
      ["ledger.sqlite", (path) => put(path, "SQLite format 3\0 of another program")],
      [".emocam.lock", (path) => Deno.symlink(at("boxes.csv"), path)],
    ];
    for (const [name, make] of links) {
      const out = at(`results ${name}`);
      await Deno.mkdir(out);
      await make(join(out, name));
      const before = await contents(out);
      const { status, err } = await analyze(out);
      assert.equal(status, 2, name);
      assert.match(err, /as a ledger: it is another kind of file|is a link; remove it/);
      assert.deepEqual(await contents(out), before);
    }
  }));

Deno.test("an output that was edited is the user's; one that was only copied or removed is not", () =>
  withProject(async ({ at, analyze }) => {
    const out = at("results"), table = join(out, "predictions.csv");
    assert.equal((await analyze(out)).status, 0);
    const text = await Deno.readTextFile(table);
    await Deno.remove(join(out, "boxes.csv"));
    await Deno.writeTextFile(table, text); // the same again, at another time
    assert.equal((await analyze(out, "--methods", "cam")).status, 0);
    await Deno.writeTextFile(table, text.replace("a.png", "A.png"));
    const { mtime } = await Deno.stat(table);
    await Deno.utime(table, mtime!, new Date(0));
    const before = await contents(out);
    const refused = await analyze(out, "--methods", "cam");
    assert.deepEqual([refused.status, refused.out], [2, ""]);
    assert.match(
      refused.err,
      /: predictions\.csv was not written by emocam, or was changed since; /,
    );
    assert.deepEqual(await contents(out), before);
    await Deno.rename(table, at("mine.csv"));
    assert.equal((await analyze(out, "--methods", "cam")).status, 0);
    // Maps of an earlier run that were edited stay, and are named.
    assert.equal((await analyze(out, "--maps")).status, 0);
    await put(join(out, "maps/grad-cam/a.png.npy"), "edited");
    const left = await analyze(out);
    assert.equal(left.status, 0, left.err);
    assert.match(
      left.err,
      /note: maps\/grad-cam\/a\.png\.npy is of an earlier run: it was changed/,
    );
    assert.equal(await Deno.readTextFile(join(out, "maps/grad-cam/a.png.npy")), "edited");
  }));

Deno.test("a folder of a killed run is known, and so is one of a version that kept no record", () =>
  withProject(async ({ at, analyze }) => {
    const out = at("results"), record = join(out, RECORD_FILE);
    const options = ["--methods", "grad-cam,hires-cam", "--maps"];
    assert.equal((await analyze(out, ...options)).status, 0);
    // Killed before run.json and in the middle of a line.
    await Deno.remove(join(out, "run.json"));
    await Deno.writeTextFile(record, await Deno.readTextFile(record) + '\n{"file":"images.c');
    const killed = await analyze(out, "--methods", "cam");
    assert.equal(killed.status, 0, killed.err);
    assert.equal((await analyze(out, ...options)).status, 0);
    await Deno.remove(record);
    const manifest = JSON.parse(await Deno.readTextFile(join(out, "run.json")));
    const { methods: _, command: __, ...older } = manifest;
    await put(join(out, "run.json"), JSON.stringify(older));
    await put(join(out, "matrices/grad-cam.mine.csv"), "mine");
    const old = await analyze(out, "--methods", "cam");
    assert.equal(old.status, 0, old.err);
    const now = Object.keys(await contents(out));
    assert.deepEqual(now.filter((name) => /hires|^maps|agreement/.test(name)), []);
    assertIncludes(now, "matrices/grad-cam.mine.csv");
    // Without a record, a table that is not as run.json says is the user's.
    await Deno.remove(record);
    await put(join(out, "boxes.csv"), "mine");
    const refused = await analyze(out);
    assert.equal(refused.status, 2);
    assert.match(refused.err, /: boxes\.csv was not written by emocam/);
    assert.equal(await Deno.readTextFile(join(out, "boxes.csv")), "mine");
  }));

Deno.test("runs of several classifiers are refused before the first one works", () =>
  withProject(async ({ at }) => {
    const out = at("both");
    await put(join(out, "other", "images.csv"), "mine");
    await put(at("other.json"), (await Deno.readTextFile(CLASSIFIER)).replace('"rgb"', '"other"'));
    await Deno.copyFile(NETWORK, at("rgb.onnx"));
    const args = [
      ...["analyze", at("images.csv"), "--detector", at("boxes.csv"), "--samples", "image"],
      ...["--classifier", CLASSIFIER, "--classifier", at("other.json"), "--out", out],
    ];
    const before = await contents(out);
    const refused = await emocam(...args);
    assert.deepEqual([refused.status, refused.out], [2, ""]);
    assert.match(refused.err, REFUSED);
    assert.deepEqual(await contents(out), before);
    await Deno.remove(join(out, "other", "images.csv"));
    await put(join(out, "product.csv"), "mine");
    assert.match((await emocam(...args)).err, /: product\.csv was not written by emocam/);
    await Deno.remove(join(out, "product.csv"));
    for (let i = 0; i < 2; i++) {
      const { status, err } = await emocam(...args);
      assert.equal(status, 0, err);
    }
  }));

Deno.test("report writes into no other run's folder, and over no file of the user's", () =>
  withProject(async ({ at, analyze }) => {
    const [run, other, out] = ["run", "other", "out"].map(at);
    assert.equal((await analyze(run)).status, 0);
    assert.equal((await analyze(other, "--methods", "cam")).status, 0);
    const before = await contents(other);
    const refused = await emocam("report", run, "--out", other);
    assert.equal(refused.status, 2);
    assert.match(
      refused.err,
      /^Cannot write to --out ".*other": it holds another run; give another/,
    );
    assert.deepEqual(await contents(other), before);
    await put(join(out, "images.csv"), "mine");
    assert.match((await emocam("report", run, "--out", out)).err, REFUSED);
    assert.equal(await Deno.readTextFile(join(out, "images.csv")), "mine");
    await Deno.remove(join(out, "images.csv"));
    for (let i = 0; i < 2; i++) assert.equal((await emocam("report", run, "--out", out)).status, 0);
    await put(join(run, "boxes.csv"), "mine");
    const own = await emocam("report", run);
    assert.equal(own.status, 2);
    assert.match(own.err, /^Cannot write to the folder of the run ".*": boxes\.csv was not/);
  }));

Deno.test("detect writes over nothing but what it wrote", () =>
  withProject(async ({ folder, at }) => {
    const detect = (out: string) =>
      emocam("detect", at("images.csv"), "--detector", at("boxes.csv"), "--out", out);
    await put(at("mine.csv"), "mine");
    await Deno.symlink(at("mine.csv"), at("link.csv"));
    const before = await contents(folder);
    for (
      const [name, why] of [
        ["mine.csv", /it was not written by emocam, or was changed since; give another file/],
        ["link.csv", /it was not written by emocam, or was changed since; give another file/],
        ["boxes.csv", /it is an input of this command; give another file/],
        ["images.csv", /it is an input of this command; give another file/],
        ["a.png", /it is one of the images; give another file/],
      ] as const
    ) {
      const { status, err } = await detect(at(name));
      assert.equal(status, 2, name);
      assert.match(err, why);
      assert.deepEqual(await contents(folder), before);
    }
    for (let i = 0; i < 2; i++) assert.equal((await detect(at("found.csv"))).status, 0);
    await put(at("found.csv"), "edited");
    assert.equal((await detect(at("found.csv"))).status, 2);
    assert.equal(await Deno.readTextFile(at("found.csv")), "edited");
  }));

Deno.test("explain writes over no picture and no array of the user's, and its overlays are known as ours", () =>
  withProject(async ({ at }) => {
    const explain = (...args: string[]) => emocam("explain", ...args, "--classifier", CLASSIFIER);
    const out = at("out"), overlay = join(out, "a.0.grad-cam.red.png");
    await put(join(out, "a.0.cam.green.png"), "mine");
    await put(overlay.replace("red", "Red"), "mine");
    const image = ["--samples", "image", "--detector", at("boxes.csv"), "--out", out];
    const pictures = async () => (await contents(out))["a.0.cam.green.png"];
    const before = await pictures();
    const refused = await explain(at("images.csv"), ...image, "--methods", "cam");
    assert.equal(refused.status, 2);
    assert.match(refused.err, /: a\.0\.cam\.green\.png was not written by emocam/);
    for (let i = 0; i < 2; i++) {
      const { status, err } = await explain(at("images.csv"), ...image);
      assert.equal(status, 0, err);
    }
    assert.equal(await pictures(), before);
    const own = new OwnFiles();
    assert.deepEqual(
      [overlay, join(out, "a.0.cam.green.png"), at("a.png")].map((path) => own.has(path)),
      [true, false, false],
    );
    // A copy elsewhere is still a drawing of ours, and a picture that any program reads.
    await Deno.copyFile(overlay, at("copy.PNG"));
    assert.equal(own.has(at("copy.PNG")), true);
    assert.equal((await sharp(at("copy.PNG")).metadata()).width, 500);
    // A ready input whose name is that of an array.
    const maps = at("arrays");
    const data = new Float32Array(3 * 16 * 16).fill(0.5);
    const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 16, 16), }";
    const bytes = new Uint8Array(128 + data.byteLength);
    bytes.set(new TextEncoder().encode(`\x93NUMPY`.slice(1)), 1);
    bytes.set([0x93], 0);
    bytes.set([1, 0, 118, 0], 6);
    bytes.set(new TextEncoder().encode(header.padEnd(117) + "\n"), 10);
    bytes.set(new Uint8Array(data.buffer), 128);
    await put(join(maps, "cam.npy"), bytes);
    const input = await explain(join(maps, "cam.npy"), "--methods", "cam", "--maps", maps);
    assert.equal(input.status, 2);
    assert.match(input.err, /^Cannot write to --maps ".*": cam\.npy is an input of this command/);
    await put(at("x.npy"), bytes);
    const array = await explain(at("x.npy"), "--methods", "cam,grad-cam", "--maps", at("y"));
    assert.equal(array.status, 0, array.err);
    assert.equal((await explain(at("x.npy"), "--methods", "cam", "--maps", at("y"))).status, 0);
    assert.deepEqual(Object.keys(await contents(at("y"))), [
      RECORD_FILE,
      "cam.final.npy",
      "cam.npy",
    ]);
  }));

Deno.test("explain twice into the folder of its pictures explains the pictures both times", () =>
  withProject(async ({ folder }) => {
    const results = [];
    for (let i = 0; i < 2; i++) {
      const { status, out, err } = await emocam(
        ...["explain", folder, "--classifier", CLASSIFIER, "--samples", "image", "--json"],
        ...["--out", folder],
      );
      assert.equal(status, 0, err);
      results.push(JSON.parse(out).results.map(({ path }: { path: string }) => path));
    }
    assert.deepEqual(results, [["a.png", "b.png"], ["a.png", "b.png"]]);
  }));

Deno.test("check and reproduce leave the user's files beside their own", () =>
  withProject(async ({ at, analyze }) => {
    const checked = at("checked");
    const check = (...options: string[]) =>
      emocam(
        ...["check", at("images.csv"), "--classifier", CLASSIFIER, "--samples", "image"],
        ...["--methods", "cam", "--detector", at("boxes.csv"), "--out", checked, ...options],
      );
    await put(join(checked, "cascade.csv"), "mine");
    const refused = await check("--cascade");
    assert.equal(refused.status, 2);
    assert.match(refused.err, /: cascade\.csv was not written by emocam/);
    await check();
    assert.equal(await Deno.readTextFile(join(checked, "cascade.csv")), "mine");
    await Deno.remove(join(checked, "cascade.csv"));
    await check("--cascade");
    assertIncludes(Object.keys(await contents(checked)), "cascade.csv");
    await check();
    assert.deepEqual(Object.keys(await contents(checked)), [RECORD_FILE, "axioms.json"]);

    const run = at("run"), out = at("again");
    assert.equal((await analyze(run)).status, 0);
    await put(join(out, "repeated-run", "notes.txt"), "mine");
    for (let i = 0; i < 2; i++) {
      const { status, err } = await emocam("reproduce", run, "--out", out);
      assert.equal(status, 0, err);
      assert.equal(await Deno.readTextFile(join(out, "repeated-run", "notes.txt")), "mine");
    }
    await put(join(out, "drift.html"), "mine");
    const again = await emocam("reproduce", run, "--out", out);
    assert.equal(again.status, 2);
    assert.match(again.err, /: drift\.html was not written by emocam/);
    assert.equal(await Deno.readTextFile(join(out, "drift.html")), "mine");
  }));

Deno.test("a list of runs removes its own reports only", () =>
  withProject(async ({ at, analyze }) => {
    assert.equal((await analyze(at("run"))).status, 0);
    await put(
      at("list.json"),
      "\ufeff" + JSON.stringify({ runs: [{ run: "run" }], reports: "checks", keep: 1 }),
    );
    const older = at("checks/run/2020-01-01T00-00-00.000Z/notes.txt");
    await put(older, "mine");
    await put(at("checks/run/mine/notes.txt"), "mine");
    for (let i = 0; i < 2; i++) {
      const { status, err } = await emocam("reproduce", "--list", at("list.json"));
      assert.equal(status, 0, err);
    }
    assert.equal(await Deno.readTextFile(older), "mine");
    const reports = Object.keys(await contents(at("checks/run")));
    assert.equal(reports.filter((name) => name.endsWith("drift.json")).length, 1);
    // A column that a user added would be lost.
    const history = at("checks/history.csv");
    const text = (await Deno.readTextFile(history)).replace("time,", "note,time,")
      .replaceAll(/^(?=20)/gm, "mine,");
    await put(history, text);
    const { err } = await emocam("reproduce", "--list", at("list.json"));
    assert.match(err, /its column "note" is not emocam's, and would be lost; move it away/);
    assert.equal(await Deno.readTextFile(history), text);
  }));

Deno.test("an import replaces what an import wrote, and no card or model of the user's", () =>
  withProject(async ({ folder, at }) => {
    const card = JSON.parse(await Deno.readTextFile(CLASSIFIER));
    const importing = (...args: string[]) =>
      emocam("models", "import", "onnx", at("net.onnx"), "--name", "mine", ...args);
    await Deno.copyFile(NETWORK, at("net.onnx"));
    await put(at("mine.json"), JSON.stringify({ ...card, name: "mine", file: "net.onnx" }));
    const before = await contents(folder);
    const input = await importing("--card", at("mine.json"), "--into", folder);
    assert.equal(input.status, 2);
    assert.match(input.err, /^Cannot write .*mine\.json: it is an input of this import; choose/);
    assert.deepEqual(await contents(folder), before);
    const user = await importing("--into", folder);
    assert.equal(user.status, 2);
    assert.match(
      user.err,
      /^Cannot write model mine into .*: mine\.json was not written by emocam; move it away/,
    );
    assert.deepEqual(await contents(folder), before);
    const models = at("models");
    for (let i = 0; i < 2; i++) {
      const { status, err } = await importing("--into", models);
      assert.equal(status, 0, err);
    }
    const edited = (await Deno.readTextFile(join(models, "mine.json"))).replace(
      "not stated",
      "MIT",
    );
    await put(join(models, "mine.json"), edited);
    const again = await importing("--into", models);
    assert.equal(again.status, 2);
    assert.match(again.err, /mine\.json: it was not written by emocam, or was changed since; move/);
    assert.equal(await Deno.readTextFile(join(models, "mine.json")), edited);
  }));
