import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Loads a model on the native library in a separate process, with an empty home, and gives the files that it leaves.
 *
 * @param script a module's text
 */
async function filesLeftBy(script: string): Promise<string[]> {
  const home = await Deno.makeTempDir();
  try {
    const temporary = join(home, "tmp");
    await Deno.mkdir(temporary);
    const file = join(home, "script.ts");
    await Deno.writeTextFile(file, script);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--quiet", "--allow-read", "--allow-env", "--allow-ffi"]
        .concat("--allow-sys", "--config", join(root, "deno.json"), file),
      env: {
        DENO_DIR: await denoDir(),
        DENO_NO_UPDATE_CHECK: "1",
        HOME: home,
        TMPDIR: temporary,
        XDG_CACHE_HOME: join(home, "cache"),
        XDG_DATA_HOME: join(home, "data"),
        XDG_STATE_HOME: join(home, "state"),
        ORT_DISABLE_TELEMETRY: "",
      },
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    await Deno.remove(file);
    const left: string[] = [];
    for await (const path of files(home)) left.push(path.slice(home.length + 1));
    return left.sort();
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Deno's own cache, which the other process shares so that it need not fetch packages. */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* files(path);
    else yield path;
  }
}

const model = join(root, "models", "tiny-face.onnx");

// Without the variable there are four: an identifier of the device, a database and two files for temporary ones.
Deno.test("the native library keeps no device identifier and no usage data", async () => {
  const native = new URL("../../../src/runtime/backends/native.ts", import.meta.url).href;
  const left = await filesLeftBy(`
    import { open } from ${JSON.stringify(native)};
    const session = await open(Deno.readFileSync(${JSON.stringify(model)}), {});
    await session.dispose();
  `);
  assert.deepEqual(left, []);
});
