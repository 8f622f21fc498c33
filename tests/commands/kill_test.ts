import assert from "node:assert/strict";
import { join } from "node:path";
import { createRng } from "../../src/base/rng.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import { emocamProcess, runEmocam, tablesOf } from "./cli.ts";
import { assertMore } from "../assert_that.ts";

const IMAGES = 200;
const KILLS = 20;

Deno.test("a run killed at 20 random moments and resumed each time ends with the same tables byte for byte", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures");
    const { boxes } = await makeFaces(pictures, IMAGES, { size: 48 });
    const args = (out: string) => [
      ...["analyze", pictures, "--out", join(folder, out), "--samples", "image"],
      ...["--detector", boxes, "--methods", "grad-cam,cam", "--class", "all"],
    ];
    const started = performance.now();
    const whole = await runEmocam(...args("whole"));
    const duration = performance.now() - started;
    assert.equal(whole.status, 0, whole.err);
    const streaming = 1000 * Number(/200\/200 images.* ([\d.]+) s$/m.exec(whole.err)![1]);

    const rng = createRng(5);
    let killed = 0, partly = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = emocamProcess(args("killed"), { stdout: "null" }).spawn();
      const end = () => {
        try {
          child.kill("SIGKILL");
        } catch {
          // it was faster
        }
      };
      // Half of them at any moment, half while the images stream: the first line comes when that begins.
      const whileStreaming = kill % 2 === 1;
      let timer = whileStreaming ? undefined : setTimeout(end, rng.uniform() * duration);
      for await (const _ of child.stderr) {
        if (whileStreaming) timer ??= setTimeout(end, rng.uniform() * streaming);
      }
      const { signal, code } = await child.status;
      clearTimeout(timer);
      if (signal === "SIGKILL") killed++;
      else assert.equal(code, 0);
      assert.deepEqual(await halfTables(join(folder, "killed")), []);
      const images = imagesIn(join(folder, "killed/ledger.sqlite"));
      if (images > 0 && images < IMAGES) partly++;
      // Where all is computed only the writing of tables is left to be killed: begin anew, but for the last few times.
      if (images === IMAGES && kill < KILLS - 4) {
        await Deno.remove(join(folder, "killed"), { recursive: true });
      }
    }
    assertMore(partly, 0, "no run was killed between two commits");
    const last = await runEmocam(...args("killed"));
    assert.equal(last.status, 0, last.err);
    assert.deepEqual(await tablesOf(join(folder, "killed")), await tablesOf(join(folder, "whole")));
    assert.ok(killed >= KILLS / 2, `only ${killed} runs were still going when they were killed`);
    if (Deno.env.get("EMOCAM_REPORT")) console.log({ duration, killed, partly });
  });
});

/** Images that all runs in a ledger have finished. */
function imagesIn(path: string): number {
  try {
    using ledger = Ledger.open(path, { mustExist: true });
    return new Set(
      ledger.runs().flatMap(({ id }) => Array.from(ledger.imageRows(id), (row) => row.path)),
    ).size;
  } catch {
    return 0; // killed before there was one
  }
}

/** Tables that do not end with a line: a reader must never meet half of one under its name. */
async function halfTables(folder: string): Promise<string[]> {
  const half: string[] = [];
  for (const name of ["images.csv", "predictions.csv", "boxes.csv"]) {
    const text = await Deno.readTextFile(join(folder, name)).catch(() => "\n");
    if (!text.endsWith("\n")) half.push(name);
  }
  return half;
}
