import assert from "node:assert/strict";
import { Ledger } from "../../src/ledger/ledger.ts";
import { createRng } from "../../src/base/rng.ts";
import {
  BOXES,
  CLASSES,
  contentOf,
  fixtureStages,
  IMAGES,
  importanceOf,
  pathOf,
  predictedOf,
} from "./ledger_fixture.ts";

const KILLS = 24;

Deno.test("a ledger whose process is killed at any moment opens again with every committed batch whole and none half there", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/ledger.sqlite`;
  const rng = createRng(1);
  let said = -1; // the last batch a child said it had committed
  let grown = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--quiet",
          "--no-check",
          "--allow-read",
          "--allow-write",
          new URL("ledger_child.ts", import.meta.url).pathname,
          path,
        ],
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const lines = collect(child.stdout);
      const errors = collect(child.stderr);
      // Half of them while the file is opened or first written, half in the middle of many batches.
      if (kill % 2) await lines.first;
      await new Promise((resolve) => setTimeout(resolve, rng.uniform() * (kill % 2 ? 40 : 250)));
      child.kill("SIGKILL");
      const status = await child.status;
      const output = await lines.all;
      assert.equal(status.signal, "SIGKILL", await errors.all);
      const last = output.trimEnd().split("\n").filter((line) => line !== "").map(Number).at(-1);
      if (last !== undefined) {
        if (last > said) grown++;
        said = Math.max(said, last);
      }
      verify(path, said);
    }
    assert.ok(grown > KILLS / 3, `only ${grown} of ${KILLS} children wrote anything new`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Every batch up to `said` is there, perhaps more, and each that is there is whole. */
function verify(path: string, said: number): void {
  using ledger = Ledger.open(path);
  const run = ledger.runs().at(-1);
  if (!run) return assert.equal(said, -1);
  const stages = fixtureStages(ledger);
  const images = [...ledger.imageRows(run.id, stages.sampling.id)];
  assert.equal(images.length % IMAGES, 0, "an image of a batch is missing");
  assert.ok(images.length >= (said + 1) * IMAGES, `batch ${said} was committed and is not there`);
  let at = 0;
  const sampling = stages.sampling.id, forward = stages.forward.id;
  const methods = stages.scores.map((stage) => stage.id);
  for (const row of ledger.scoreRows(run.id, { sampling, forward }, methods)) {
    const image = Math.floor(at / 2), method = at % 2;
    const [batch, within] = [Math.floor(image / IMAGES), image % IMAGES];
    assert.equal(row.path, pathOf(batch, within));
    assert.equal(images[image].sha256, contentOf(batch, within));
    assert.equal(row.predicted, predictedOf(batch, within));
    assert.deepEqual(row.targets, [row.predicted]);
    assert.deepEqual(
      row.scores.map((score) => score.importance),
      Array.from({ length: BOXES }, (_, box) => importanceOf(batch, within, method, box)),
    );
    if (method === 0) {
      assert.equal(ledger.prediction(row.sample.id, forward)?.probabilities.length, CLASSES);
      assert.equal(ledger.activation(row.sample.id, forward)?.[999], batch);
    }
    assert.equal(
      ledger.map(row.sample.id, stages.maps[method].id, row.predicted)?.raw[5],
      batch + method,
    );
    at++;
  }
  assert.equal(at, images.length * 2, "a score row is missing");
}

function collect(
  stream: ReadableStream<Uint8Array>,
): { first: Promise<void>; all: Promise<string> } {
  let arrived = () => {};
  const first = new Promise<void>((resolve) => arrived = resolve);
  const all = (async () => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const part of stream) {
      text += decoder.decode(part, { stream: true });
      arrived();
    }
    arrived();
    // A line that was cut off is a batch that was not said.
    return text.slice(0, text.lastIndexOf("\n") + 1);
  })();
  return { first, all };
}
