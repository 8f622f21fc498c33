/**
 * The binary, built and used: in an empty directory, in an environment with nothing but a home and a folder for temporary files, and,
 * where the system allows it, in a network namespace without a network.
 */

import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { findGpu } from "../../src/gpu/device.ts";
import {
  contents,
  copyProject,
  donor,
  type Ended,
  paths,
  ROOT,
  run,
  succeed,
  withDonor,
} from "./workshop.ts";
import { assertAtLeast, assertSome } from "../assert_that.ts";

/** More than this means that something came along which does not belong inside. */
const MOST_BYTES = 160e6;

/** A binary in an empty directory. */
interface Place {
  readonly folder: string;
  readonly emocam: string;
  readonly home: string;
  readonly temporary: string;
}

async function build(folder: string): Promise<string> {
  assert.ok(donor, "no Deno is at hand to build with");
  const project = join(folder, "project");
  await copyProject(project);
  await succeed(donor.deno, ["task", "compile"], {
    cwd: project,
    env: { DENORT_BIN: donor.denort },
  });
  assert.deepEqual(await paths(join(project, "dist")), ["emocam"], "the staging folder is gone");
  const moved = join(folder, "bin", "emocam");
  await Deno.mkdir(join(folder, "bin"));
  await Deno.rename(join(project, "dist", "emocam"), moved);
  await Deno.remove(project, { recursive: true });
  return moved;
}

async function emptyPlace(folder: string, emocam: string): Promise<Place> {
  const own = await Deno.makeTempDir({ dir: folder });
  const place = { folder: join(own, "here"), home: join(own, "home"), temporary: join(own, "tmp") };
  for (const path of Object.values(place)) await Deno.mkdir(path);
  return { ...place, emocam };
}

const offline = await canBeOffline();

/** Whether this system lets a process give up its network. */
async function canBeOffline(): Promise<boolean> {
  try {
    return (await run("unshare", ["-rn", "true"])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Nothing but a home and a folder for temporary files; no Deno or Node can be found from there. */
function bare({ folder, home, temporary }: Place) {
  return { cwd: folder, clearEnv: true, env: { HOME: home, TMPDIR: temporary } };
}

/** Runs the binary, without a network where that can be. */
function emocamIn(place: Place, args: readonly string[], variables?: Record<string, string>) {
  const command = [...offline ? ["unshare", "-rn"] : [], place.emocam, ...args];
  const options = bare(place);
  return run(command[0], command.slice(1), { ...options, env: { ...options.env, ...variables } });
}

async function works(place: Place, args: readonly string[]): Promise<Ended> {
  const ended = await emocamIn(place, args);
  assert.equal(ended.code, 0, `${args.join(" ")}\n${ended.stdout}${ended.stderr}`);
  return ended;
}

/** Analyses by the binary and by the sources. */
async function sameAsSources(place: Place, backend: string): Promise<void> {
  // A GPU in software takes seconds for an image.
  const images = backend === "webgpu" ? 1 : 8;
  const options = ["--backend", backend, "--limit", String(images), "--out"];
  const { stderr } = await works(place, ["analyze", ...options, "run"]);
  assert.match(stderr, new RegExp(`${images}/${images} images?`));
  const [binary, sources] = [join(place.folder, "run"), join(place.home, "sources")];
  await succeed(Deno.execPath(), ["task", "analyze", ...options, sources], { cwd: ROOT });
  const matrices = await contents(join(binary, "matrices"));
  assertAtLeast(matrices.size, 4);
  assert.deepEqual(matrices, await contents(join(sources, "matrices")));
  const [ours, theirs] = await Promise.all(
    [binary, sources].map(async (run) =>
      JSON.parse(await Deno.readTextFile(join(run, "run.json")))
    ),
  );
  assert.equal(ours.backend.name, backend);
  for (const name of ["emocam", "runtime", "sharp"]) {
    assert.equal(ours.versions[name], theirs.versions[name], name);
  }
  assert.deepEqual(await paths(place.temporary), [], "temporary files");
}

/** Names in the folder to which libraries are unpacked. */
async function unpacked({ home }: Place): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(home, ".cache", "emocam", "native")));
  return entries.map(({ name }) => name).sort();
}

const photo = join(ROOT, "models", "photos", "astronaut.jpg");
const QUICK = ["explain", photo, "--backend", "native", "--json"];

Deno.test(withDonor("the binary runs alone, and as the sources do"), async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "emocam-binary-" });
  try {
    const emocam = await build(folder);

    await t.step("it holds one platform's libraries", async () => {
      const { size } = await Deno.stat(emocam);
      console.log(`${(size / 1e6).toFixed(0)} MB`);
      assert.ok(size < MOST_BYTES, `${size} bytes`);
    });

    await t.step("it says its version, and unpacks nothing for that", async () => {
      const place = await emptyPlace(folder, emocam);
      const { stdout } = await succeed(emocam, ["--version"], bare(place));
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
      assert.deepEqual(await paths(place.home), []);
      assert.deepEqual(await paths(place.temporary), []);
    });

    const network = offline
      ? "without a network"
      : "with the network, which cannot be taken away here";
    const adapter = await findGpu();
    for (const backend of ["native", "wasm", "webgpu"]) {
      const ignore = backend === "webgpu" && !adapter;
      const why = ignore ? " (skipped: there is no adapter)" : "";
      const name = `analyze on ${backend}, ${network}: the matrices of the sources${why}`;
      const place = await emptyPlace(folder, emocam);
      await t.step({ name, ignore, fn: () => sameAsSources(place, backend) });
    }

    const inside = await emptyPlace(folder, emocam);
    await t.step("the shipped models are inside", async () => {
      assert.match((await works(inside, ["models", "list"])).stdout, /mini-xception +classifier/);
    });

    await t.step("the help of a command is inside", async () => {
      assert.match((await works(inside, ["detect", "--help"])).stdout, /^Usage: emocam detect/);
    });

    await t.step("explain draws pictures: the font is inside", async () => {
      const explained = await works(inside, ["explain", photo, "--out", "figures"]);
      assert.match(explained.stdout, /astronaut\.jpg, face 1: happy/);
      assertSome(await paths(join(inside.folder, "figures")), (path) => path.endsWith(".png"));
    });

    await t.step("check finds the photographs it needs inside", async () => {
      assert.match((await works(inside, ["check"])).stdout, /gradient .* holds/);
    });

    await t.step("none of these commands leaves a temporary file", async () => {
      assert.deepEqual(await paths(inside.temporary), []);
    });

    await t.step("the network is given to the commands that fetch only", async () => {
      const place = await emptyPlace(folder, emocam);
      const fetched = await emocamIn(
        place,
        ["models", "fetch", "emonet", "--retries", "0"].concat([
          "--mirror",
          "http://127.0.0.1:9/",
        ]),
      );
      assert.doesNotMatch(fetched.stdout + fetched.stderr, /permission|net access/);
      assert.notEqual(fetched.code, 0);
    });

    const warm = await emptyPlace(folder, emocam);
    const native = join(warm.home, ".cache", "emocam", "native");
    const libraries = async () => (await paths(native)).map((path) => join(native, path));

    await t.step("libraries are unpacked once", async () => {
      await works(warm, QUICK);
      const files = await libraries();
      assert.equal(files.length, 4, `${files}`);
      const times = () => Promise.all(files.map(async (file) => (await Deno.stat(file)).ino));
      const first = await times();
      await works(warm, QUICK);
      assert.deepEqual(await times(), first);
    });

    await t.step("libraries are unpacked again when one is damaged", async () => {
      const library = (await libraries()).find((file) =>
        basename(file).startsWith("libonnxruntime")
      )!;
      const { size } = await Deno.stat(library);
      await Deno.truncate(library, size - 1);
      await works(warm, QUICK);
      assert.equal((await Deno.stat(library)).size, size);
      assert.equal((await unpacked(warm)).length, 2, "no damaged folder is left");
    });

    await t.step("two first starts at once share what one of them unpacks", async () => {
      const place = await emptyPlace(folder, emocam);
      const ended = await Promise.all([1, 2, 3].map(() => works(place, QUICK)));
      assert.equal(new Set(ended.map(({ stdout }) => stdout)).size, 1);
      assert.equal((await unpacked(place)).length, 2);
    });

    await t.step("what nothing has used for long is removed, and nothing else", async () => {
      const place = await emptyPlace(folder, emocam);
      const native = join(place.home, ".cache", "emocam", "native");
      await Deno.mkdir(native, { recursive: true, mode: 0o700 });
      const make = async (name: string, days: number) => {
        await Deno.mkdir(join(native, name));
        const then = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
        await Deno.utime(join(native, name), then, then);
      };
      await make("sharp-0.1.0-linux-x64-0123456789abcdef", 31);
      await make("sharp-0.2.0-linux-x64-0123456789abcdef", 29);
      await make(".sharp-0.1.0-linux-x64-0123456789abcdef.1", 2);
      await make(".sharp-0.2.0-linux-x64-0123456789abcdef.2", 0);
      await make("something-else", 1000);
      await works(place, QUICK);
      const names = await unpacked(place);
      assert.deepEqual(
        names.filter((name) => !/^(onnxruntime-node|sharp)-.*(?<!def)$/.test(name)),
        [
          ".sharp-0.2.0-linux-x64-0123456789abcdef.2",
          "sharp-0.2.0-linux-x64-0123456789abcdef",
          "something-else",
        ],
      );
    });

    await t.step("a cache that others can write to is not used", async () => {
      const place = await emptyPlace(folder, emocam);
      await works(place, QUICK);
      const native = join(place.home, ".cache", "emocam", "native");
      for (const name of await unpacked(place)) {
        await Deno.remove(join(native, name), { recursive: true });
      }
      await Deno.chmod(native, 0o777);
      await works(place, QUICK);
      assert.deepEqual(await unpacked(place), []);
      assert.deepEqual(await paths(place.temporary), [], "it is unpacked for one run only");
    });

    await t.step(
      "without a place for the native library, it runs on WebAssembly and says so",
      async () => {
        const place = await emptyPlace(folder, emocam);
        await works(place, QUICK);
        const native = join(place.home, ".cache", "emocam", "native");
        const name = (await unpacked(place)).find((name) => name.startsWith("onnxruntime"))!;
        await Deno.remove(join(native, name), { recursive: true });
        // A file where the folder belongs, and a folder for temporary files that is not one.
        await Deno.writeTextFile(join(native, name), "");
        const nowhere = join(place.home, "file");
        await Deno.writeTextFile(nowhere, "");
        const args = ["analyze", photo, "--out", "run"];
        const { code, stdout, stderr } = await emocamIn(place, args, {
          TMPDIR: join(nowhere, "tmp"),
        });
        assert.equal(code, 0, stdout + stderr);
        assert.match(stderr, /backend wasm \(.*Cannot unpack the library of onnxruntime-node/);
      },
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
