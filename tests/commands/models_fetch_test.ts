import assert from "node:assert/strict";
import { join } from "node:path";
import { withFolder } from "../corpus/face_corpus.ts";
import { someBytes, withRawServer, withServer } from "../download/breaking_server.ts";
import { emocam, emocamProcess } from "./cli.ts";
import { assertIncludes } from "../assert_that.ts";

Deno.test("models fetch without a name lists what can be fetched", async () => {
  await withFolder(async (into) => {
    await Deno.mkdir(join(into, "downloads", "yolov3"), { recursive: true });
    await Deno.writeTextFile(join(into, "downloads", "yolov3", "coco.names"), "x");
    const { status, out } = await emocam("models", "fetch", "--into", into);
    assert.equal(status, 0);
    assert.match(out, /^emonet +classifier +unknown/m);
    assert.match(out, /^yolov3-openimages +detector +259 MB/m);
    assert.match(out, /^yolov3 +detector +248 MB +2 missing/m);
  });
});

Deno.test("without the published files it says exactly what to bring, and fails in one line", async () => {
  await withServer(
    () => new Response("no", { status: 404 }),
    ({ url }) =>
      withFolder(async (into) => {
        const { status, out, err } = await emocam(
          ...["models", "fetch", "yolov3-openimages"],
          ...["--into", into, "--mirror", url, "--retries", "0"],
        );
        assert.equal(status, 2);
        assert.match(out, /licence: +public domain/);
        assert.match(out, /cite: +Redmon, Farhadi/);
        assert.match(err, /bring these files into\n.*downloads\/yolov3-openimages\n/);
        assertIncludes(err, join(into, "downloads", "yolov3-openimages"), "the folder is named");
        for (
          const [name, bytes] of [["yolov3-openimages.cfg", 8346], ["openimages.names", 5476], [
            "yolov3-openimages.weights",
            259229388,
          ]]
        ) {
          assert.match(err, new RegExp(`^${name} +${bytes}  ${url}/${name}$`, "m"));
        }
        assert.match(
          err,
          /emocam models import darknet --cfg yolov3-openimages\.cfg --weights yolov3-openimages\.weights --names openimages\.names --name yolov3-openimages/,
        );
        assert.match(err.trimEnd().split("\n").at(-1)!, /^Cannot fetch .*answers 404/);
      }),
  );
});

Deno.test("a file brought by hand that is not the published one is refused before anything is fetched", async () => {
  await withServer(
    () => new Response("no", { status: 404 }),
    ({ url, asked }) =>
      withFolder(async (into) => {
        const folder = join(into, "downloads", "yolov3-tiny");
        await Deno.mkdir(folder, { recursive: true });
        await Deno.writeFile(join(folder, "yolov3-tiny.cfg"), someBytes(1915));
        const { status, err } = await emocam(
          ...["models", "fetch", "yolov3-tiny", "--into", into, "--mirror", url, "--retries", "0"],
        );
        assert.equal(status, 2);
        assert.match(err, /Cannot use .*yolov3-tiny\.cfg: its SHA-256 is/);
        assert.equal(asked.length, 0);
      }),
  );
});

Deno.test("what is waited for is said, so that the terminal is not silent", async () => {
  await withServer(
    () => new Response("later", { status: 503 }),
    ({ url, asked }) =>
      withFolder(async (into) => {
        const { status, err } = await emocam(
          ...["models", "fetch", "emonet", "--into", into, "--mirror", url, "--retries", "1"],
        );
        assert.equal(status, 2);
        assert.match(err, /^the server answers 503.*; the next attempt follows in 1 s\n/);
        assert.equal(asked.length, 2);
      }),
  );
});

Deno.test("wrong names and options are refused in one line", async () => {
  for (
    const [args, pattern] of [
      [["alexnet"], /^Cannot fetch model "alexnet": the published models known are emonet/],
      [["emonet", "--retries", "-1"], /whole number, 0 or more/],
    ] as const
  ) {
    const { status, err } = await emocam("models", "fetch", ...args);
    assert.equal(status, 2);
    assert.match(err, pattern);
  }
});

Deno.test("without the permission the message says how to run it", async () => {
  await withFolder(async (into) => {
    const { code, stderr } = await emocamProcess(
      ["models", "fetch", "emonet", "--into", into, "--retries", "0"],
    ).output();
    assert.equal(code, 2);
    const text = new TextDecoder().decode(stderr);
    assert.match(text, /may not use the network; run it as deno task fetch/);
    assert.match(text, /emonet\.pth +unknown +https:\/\/gitlab\.com/);
    assert.match(text, /emocam models import emonet emonet\.pth --mean img_mean\.txt/);
  });
});

Deno.test("proxies are used", async () => {
  await withRawServer(
    () => "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ({ url, asked }) =>
      withFolder(async (into) => {
        const { code, stderr } = await emocamProcess(
          [
            ...["models", "fetch", "emonet", "--into", into, "--retries", "0"],
            ...["--mirror", "http://models.invalid/folder"],
          ],
          { env: { HTTP_PROXY: url, http_proxy: url, NO_PROXY: "", no_proxy: "" } },
          ["--allow-net"],
        ).output();
        assert.equal(code, 2);
        assert.match(new TextDecoder().decode(stderr), /models\.invalid.*answers 403/);
        assert.deepEqual(asked.map(({ path }) => path), [
          "http://models.invalid/folder/emonet.pth",
        ]);
      }),
  );
});
