/** `models fetch` from a server to boxes, with the published cfg of YOLOv3-tiny and weights of its exact size. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { emocam } from "../commands/cli.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { serveBytes, withServer } from "../download/breaking_server.ts";
import { goldenTest } from "../shared_goldens.ts";

/** A weights file: Darknet's header 0.2.0 and small positive numbers. */
function weightsFile(bytes: number): Uint8Array<ArrayBuffer> {
  const file = new ArrayBuffer(bytes);
  new Int32Array(file, 0, 3).set([0, 2, 0]);
  const numbers = new Float32Array(file, 20);
  let state = 1;
  for (let i = 0; i < numbers.length; i++) {
    state = Math.imul(state, 1664525) + 1013904223;
    numbers[i] = ((state >>> 8) / 2 ** 24 + .01) * .02;
  }
  return new Uint8Array(file);
}

goldenTest(
  "models fetch yolov3-tiny: broken off, continued, imported, found by name, and without a network the second time",
  async (goldens) => {
    const cfg = await Deno.readFile(new URL("published/yolov3-tiny.cfg", goldens));
    const names = new TextEncoder().encode(
      Array.from({ length: 80 }, (_, i) => `n${i}`.padEnd(i < 65 ? 7 : 6) + "\n").join(""),
    ).slice(0, 625);
    assert.equal(names.length, 625);
    const weights = weightsFile(35434956);
    let breaks = 0;
    await withServer((request) => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith(".cfg")) return serveBytes(request, cfg);
      if (pathname.endsWith(".names")) return serveBytes(request, names);
      if (!pathname.endsWith("yolov3-tiny.weights")) return new Response("no", { status: 404 });
      if (breaks++ > 0) return serveBytes(request, weights);
      return new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(weights.slice(0, 9_000_000));
            await new Promise((resolve) => setTimeout(resolve, 300));
            controller.error(new Error("broken off"));
          },
        }),
        { headers: { etag: '"one"' } },
      );
    }, ({ url, asked }) =>
      withFolder(async (folder) => {
        const before = Deno.env.get("EMOCAM_MODELS");
        Deno.env.set("EMOCAM_MODELS", folder);
        try {
          const first = await emocam("models", "fetch", "yolov3-tiny", "--mirror", url);
          assert.equal(first.status, 0, first.err);
          assert.match(first.out, /^ready: .*yolov3-tiny\.onnx, 35 MB, SHA-256 [0-9a-f]{64}$/m);
          assert.match(first.out, /^use it: emocam analyze PHOTOS --detector yolov3-tiny$/m);
          const ranges = asked.filter(({ path }) => path.endsWith(".weights"))
            .map(({ range }) => range);
          assert.deepEqual(ranges.length, 2);
          assert.match(ranges[1]!, /^bytes=[1-9]\d*-$/);
          const downloads = join(folder, "downloads", "yolov3-tiny");
          assert.equal((await Deno.stat(join(downloads, "yolov3-tiny.weights"))).size, 35434956);

          asked.length = 0;
          const second = await emocam("models", "fetch", "yolov3-tiny", "--mirror", url);
          assert.equal(second.status, 0, second.err);
          assert.match(second.out, /^yolov3-tiny\.weights is here$/m);
          assert.equal(asked.length, 0);

          const inspected = await emocam("models", "inspect", "yolov3-tiny");
          assert.equal(inspected.status, 0, inspected.err);
          assert.match(inspected.out, /yolo0.*; yolo1/);
        } finally {
          if (before === undefined) Deno.env.delete("EMOCAM_MODELS");
          else Deno.env.set("EMOCAM_MODELS", before);
        }
      }));
  },
);
