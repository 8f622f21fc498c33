/** Paths start in the folder that the user stands in, through tasks too, and what is printed is right from there. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { encodePng } from "../../src/image/render.ts";
import { emocamProcess } from "../commands/cli.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLASSIFIER = fileURLToPath(new URL("rgb.json", import.meta.url));
const decoder = new TextDecoder();

interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function end(command: Deno.Command): Promise<Ended> {
  const { code, stdout, stderr } = await command.output();
  return { status: code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Starts a task from a folder. */
async function task(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  return await end(
    new Deno.Command(Deno.execPath(), {
      args: ["task", "-q", "--config", join(ROOT, "deno.json"), ...args],
      cwd,
      clearEnv: true,
      env: { ...shellEnvironment(), NO_COLOR: "1", ...env },
      stdin: "null",
    }),
  );
}

/** As a shell has it: variables that a task of ours set for these tests would say where that task was started. */
function shellEnvironment(): Record<string, string> {
  const { INIT_CWD: _, EMOCAM_STARTED_IN: __, ...rest } = Deno.env.toObject();
  return rest;
}

/** A picture of one colour, and the SHA-256 of its file. */
async function paint(file: string, rgb: readonly [number, number, number]): Promise<string> {
  const data = new Uint8Array(32 * 32 * 4);
  for (let i = 0; i < data.length; i += 4) data.set([...rgb, 255], i);
  const bytes = await encodePng({ width: 32, height: 32, data });
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeFile(file, bytes);
  return createHash("sha256").update(bytes).digest("hex");
}

async function inFolder(
  parent: string | undefined,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  if (parent) await Deno.mkdir(parent, { recursive: true });
  const folder = await Deno.realPath(await Deno.makeTempDir(parent ? { dir: parent } : {}));
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const BOXES = "image,label,confidence,x0,y0,x1,y1\na.png,thing,1,0,0,16,16\n";

Deno.test("a task started in another folder reads and writes there, and its recorded command works there", async () => {
  await inFolder(undefined, async (folder) => {
    const hash = await paint(join(folder, "pics", "a.png"), [200, 10, 10]);
    await Deno.writeTextFile(join(folder, "boxes.csv"), BOXES);
    const { status, out, err } = await task(folder, [
      ...["analyze", "pics", "--classifier", CLASSIFIER],
      ...["--detector", "boxes.csv", "--out", "out"],
    ]);
    assert.equal(status, 0, err);
    assert.match(out, /^report {4}out\/report\.html$/m);
    const run = JSON.parse(await Deno.readTextFile(join(folder, "out", "run.json")));
    assert.deepEqual(run.images.map((image: { sha256: string }) => image.sha256), [hash]);
    assert.equal(run.from, "..");
    assert.equal(run.summary.boxes, 1);
    assert.equal(
      run.command.split(" ").slice(0, 5).join(" "),
      `deno task --config ${relative(folder, ROOT)}/deno.json analyze`,
    );
    await Deno.remove(join(folder, "out"), { recursive: true });
    const again = await end(
      new Deno.Command("sh", {
        args: ["-c", run.command.replace(/^deno/, Deno.execPath())],
        cwd: folder,
        clearEnv: true,
        env: shellEnvironment(),
      }),
    );
    assert.equal(again.status, 0, again.err);
    assert.equal((await Deno.stat(join(folder, "out", "run.json"))).isFile, true);
  });
});

Deno.test("a task started below the repository takes the pictures that are there", async () => {
  await inFolder(join(ROOT, "runs"), async (folder) => {
    const hash = await paint(join(folder, "models", "photos", "a.png"), [10, 200, 10]);
    // The same words name the photographs that ship where they are read in the repository.
    const { status, err } = await task(folder, [
      ...["analyze", "models/photos", "--classifier", CLASSIFIER, "--out", "out"],
    ]);
    assert.equal(status, 0, err);
    const run = JSON.parse(await Deno.readTextFile(join(folder, "out", "run.json")));
    assert.deepEqual(run.images.map((image: { sha256: string }) => image.sha256), [hash]);
    assert.match(run.command, /^deno task analyze models\/photos /);
  });
});

Deno.test("globs, folders with spaces, model folders and single files start where the user stands", async () => {
  await inFolder(undefined, async (folder) => {
    const here = join(folder, "my work");
    await paint(join(here, "b 1.png"), [10, 10, 200]);
    await Deno.writeTextFile(join(here, "boxes.csv"), BOXES.replace("a.png", "b 1.png"));
    const explained = await task(here, [
      ...["explain", "b*.png", "--classifier", CLASSIFIER, "--out", "my maps"],
    ]);
    assert.equal(explained.status, 0, explained.err);
    assert.match(explained.out, /^b 1\.png: blue /);
    assert.match(explained.out, / {2}my maps\/b_1\.0\.grad-cam\.blue\.png$/m);
    assert.equal((await Deno.stat(join(here, "my maps", "b_1.0.grad-cam.blue.png"))).isFile, true);
    const detected = await task(here, [
      ...["emocam", "detect", "./b 1.png", "--detector", "boxes.csv", "--out", "found.csv"],
    ]);
    assert.equal(detected.status, 0, detected.err);
    assert.match(await Deno.readTextFile(join(here, "found.csv")), /,thing,1,0,0,16,16\n$/);
    const onnx = CLASSIFIER.replace(/json$/, "onnx");
    const imported = await task(
      here,
      [
        ...["emocam", "models", "import", "onnx", relative(here, onnx)],
        ...["--name", "mine"],
      ],
      { EMOCAM_MODELS: "models here" },
    );
    assert.equal(imported.status, 0, imported.err);
    assert.equal((await Deno.stat(join(here, "models here", "mine.json"))).isFile, true);
  });
});

Deno.test("without a task the working folder counts, whatever INIT_CWD says", async () => {
  await inFolder(undefined, async (folder) => {
    await paint(join(folder, "pics", "a.png"), [200, 10, 10]);
    await Deno.mkdir(join(folder, "elsewhere"));
    const { status, out, err } = await end(emocamProcess(
      ["explain", "pics", "--classifier", CLASSIFIER, "--out", "out"],
      { cwd: folder, env: { INIT_CWD: join(folder, "elsewhere") } },
    ));
    assert.equal(status, 0, err);
    assert.match(out, /^a\.png: red /);
  });
});

Deno.test("a folder that is gone is one line and status 2", async () => {
  await inFolder(undefined, async (folder) => {
    const { status, err } = await end(emocamProcess(
      ["models", "list"],
      { cwd: folder, env: { EMOCAM_STARTED_IN: join(folder, "gone") } },
    ));
    assert.equal(status, 2);
    assert.match(
      err,
      /^Cannot work in ".*gone", where the task was started: .*; start it from a folder that can be read\n$/,
    );
  });
});
