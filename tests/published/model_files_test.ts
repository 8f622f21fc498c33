import assert from "node:assert/strict";
import { join } from "node:path";
import { UsageError } from "../../src/base/errors.ts";
import { sha256 } from "../../src/base/json.ts";
import { DownloadError } from "../../src/download/download.ts";
import { findPublished, PUBLISHED, type PublishedModel } from "../../src/published/models.ts";
import {
  addressOf,
  downloadFolder,
  missingFiles,
  obtainFiles,
} from "../../src/published/model_files.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { serveBytes, someBytes, withServer } from "../download/breaking_server.ts";
import { assertExcludes } from "../assert_that.ts";

const A = someBytes(1000), B = someBytes(2000);

/** A model of two files: of `a.bin` everything is known, of `b.bin` nothing. */
function made(url: string): PublishedModel {
  return {
    ...PUBLISHED[0],
    name: "made",
    files: [
      { name: "a.bin", url: `${url}/x/a.bin`, bytes: A.length, sha256: sha256(A) },
      { name: "b.bin", url: `${url}/x/b%2Fb.bin?raw` },
    ],
  };
}

const lockOf = async (folder: string) =>
  JSON.parse(await Deno.readTextFile(join(folder, "lock.json"))).files;

Deno.test("files are fetched once, recorded, and used without a network ever after", async () => {
  await withServer(
    (request) => serveBytes(request, request.url.includes("a.bin") ? A : B),
    ({ url, asked }) =>
      withFolder(async (models) => {
        const model = made(url);
        const folder = downloadFolder(models, model);
        assert.equal(folder, join(models, "downloads", "made"));
        assert.deepEqual(await missingFiles(model, folder), model.files);
        const states: string[] = [];
        const options = {
          delays: [],
          onFile: (file: { name: string }, state: string) => states.push(`${file.name} ${state}`),
        };
        const paths = await obtainFiles(model, folder, options);
        assert.deepEqual([...paths], [["a.bin", join(folder, "a.bin")], [
          "b.bin",
          join(folder, "b.bin"),
        ]]);
        assert.deepEqual(await Deno.readFile(paths.get("b.bin")!), B);
        assert.deepEqual(await lockOf(folder), {
          "a.bin": { from: `${url}/x/a.bin`, bytes: 1000, sha256: sha256(A) },
          "b.bin": { from: `${url}/x/b%2Fb.bin?raw`, bytes: 2000, sha256: sha256(B) },
        });
        assert.deepEqual(await missingFiles(model, folder), []);
        const before = asked.length;
        await obtainFiles(model, folder, options);
        assert.equal(asked.length, before);
        assert.deepEqual(states, [
          "a.bin fetching",
          "b.bin fetching",
          "a.bin found",
          "b.bin found",
        ]);
        assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [
          "a.bin",
          "b.bin",
          "lock.json",
        ]);
      }),
  );
});

Deno.test("files brought by hand are recorded, and the rest comes from a mirror", async () => {
  await withServer(
    (request) => serveBytes(request, A),
    ({ url, asked }) =>
      withFolder(async (folder) => {
        const model = made("http://unreachable.invalid");
        await Deno.writeFile(join(folder, "b.bin"), B);
        await obtainFiles(model, folder, { delays: [], mirror: `${url}/mirror/` });
        assert.deepEqual(asked.map(({ path }) => path), ["/mirror/a.bin"]);
        assert.deepEqual((await lockOf(folder))["b.bin"], {
          from: "by hand",
          bytes: 2000,
          sha256: sha256(B),
        });
      }),
  );
});

Deno.test("a file that is not the published one, or another than at first, is refused", async () => {
  await withServer((request) => serveBytes(request, A), ({ url }) =>
    withFolder(async (folder) => {
      const model = made(url);
      const a = join(folder, "a.bin"), b = join(folder, "b.bin");
      const refused = (pattern: RegExp) =>
        assert.rejects(obtainFiles(model, folder, { delays: [] }), (error: unknown) => {
          assert.ok(error instanceof UsageError, String(error));
          assert.match(error.message, pattern);
          assertExcludes(error.message, "\n");
          return true;
        });
      await Deno.writeFile(a, A.subarray(1));
      await refused(/a\.bin: it is 999 bytes long, the published file 1000/);
      await Deno.writeFile(a, someBytes(1001).subarray(1));
      await refused(/a\.bin: its SHA-256 is [0-9a-f]{64}, the published file's [0-9a-f]{64}/);
      await Deno.writeFile(a, A);
      await Deno.writeFile(b, B);
      await obtainFiles(model, folder, { delays: [] });
      await Deno.writeFile(b, B.subarray(5));
      await refused(/b\.bin: its SHA-256 is .* but .* when it was first used/);
      // Fetched again it must be what it was: the server now has another.
      await Deno.remove(b);
      await refused(/it is 1000 bytes long, not 2000/);
      assert.deepEqual((await missingFiles(model, folder)).map(({ name }) => name), ["b.bin"]);
      await Deno.writeTextFile(join(folder, "lock.json"), '{"files": {"a.bin": 1}}');
      await refused(/lock\.json: it is not what emocam wrote there/);
    }));
});

Deno.test("a file that cannot be fetched leaves those that could", async () => {
  await withServer(
    (request) =>
      request.url.includes("a.bin") ? serveBytes(request, A) : new Response("no", { status: 404 }),
    ({ url }) =>
      withFolder(async (folder) => {
        const model = made(url);
        await assert.rejects(obtainFiles(model, folder, { delays: [] }), DownloadError);
        assert.deepEqual((await missingFiles(model, folder)).map(({ name }) => name), ["b.bin"]);
      }),
  );
});

Deno.test("the list of published models is sound", () => {
  const names = PUBLISHED.map(({ name }) => name);
  assert.deepEqual(names.length, new Set(names).size);
  for (const { name, files, recipe, licence, citation, source, importedAs } of PUBLISHED) {
    assert.match(importedAs ?? name, /^[a-z0-9][a-z0-9._-]*$/);
    for (const text of [licence, citation, source]) {
      assert.ok(text, `${name} lacks one of the three`);
    }
    const own = files.map((file) => file.name);
    assert.equal(own.length, new Set(own).size);
    for (const file of files) {
      assert.ok(URL.canParse(file.url), file.url);
      assert.ok(file.url.startsWith("https://"), file.url);
      assert.match(file.name, /^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      if (file.sha256) assert.match(file.sha256, /^[0-9a-f]{64}$/);
    }
    const needed = recipe.kind === "darknet"
      ? [recipe.cfg, recipe.weights, recipe.names]
      : [...recipe.source ? [recipe.source] : [], "img_mean.txt"];
    for (const file of needed) assert.ok(own.includes(file), `${name}: ${file}`);
  }
  const emonet = findPublished("emonet").files[0];
  assert.equal(
    emonet.url,
    "https://gitlab.com/api/v4/projects/39472331/repository/files/emonet_py%2Fdata%2Femonet.pth/raw?ref=master",
  );
  assert.equal(addressOf(emonet, "http://m/x"), "http://m/x/emonet.pth");
  const sizes = ["yolov3-openimages", "yolov3", "yolov3-tiny", "yolov3-spp"].map((name) =>
    findPublished(name).files.at(-1)!.bytes
  );
  assert.deepEqual(sizes, [259229388, 248007048, 35434956, 252209544]);
  assert.throws(
    () => findPublished("alexnet"),
    /Cannot fetch model "alexnet": .* emonet, emonet-matlab, yolov3-openimages/,
  );
});
