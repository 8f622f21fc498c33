/** Each command under exactly the permissions of its task, and what is said where one of them is missing. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { makeFaces, withFolder } from "../corpus/face_corpus.ts";
import {
  commandOf,
  emocamProcess,
  matricesOf,
  type Outcome,
  permissionsOf,
  tablesOf,
  type Task,
} from "./cli.ts";
import { assertAtLeast, assertIncludes, assertMore } from "../assert_that.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PHOTO = join(ROOT, "models", "photos", "hopper.jpg");
const GLOB = join(ROOT, "models", "photos", "h*.jpg");

/** Runs a command with these permissions, and with a terminal's questions closed as the tasks have them. */
async function run(
  flags: readonly string[],
  args: readonly string[],
  options: Deno.CommandOptions = {},
): Promise<Outcome> {
  // A caller's NO_COLOR would keep commander from asking for what it else asks for.
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await emocamProcess(
    args,
    { ...options, clearEnv: true, env: { ...env, ...options.env } },
    [],
    flags,
  ).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { status: code, out: text(stdout), err: text(stderr) };
}

/** The flags of a task but for those of one permission. */
function without(kind: string, task: Task = "emocam"): string[] {
  return permissionsOf(task).filter((flag) => !flag.startsWith(`--allow-${kind}`));
}

Deno.test("the tasks that users start name what they need: no broad env, ffi, sys, run or net but in fetch", () => {
  const tasks: Task[] = ["emocam", "analyze", "analyze:wasm", "explain", "reproduce", "fetch"];
  for (const task of tasks) {
    const flags = permissionsOf(task);
    assertIncludes(flags, "--no-prompt", task);
    for (const flag of [...commandOf(task).split(" "), ...flags]) {
      assert.ok(
        !/^(-A|--allow-all|--allow-run.*|--allow-import.*)$/.test(flag),
        `${task}: ${flag}`,
      );
      assert.ok(!/^--allow-(env|ffi|sys)$/.test(flag), `${task}: ${flag} names nothing`);
      assert.ok(task === "fetch" || !flag.startsWith("--allow-net"), `${task}: ${flag}`);
    }
    const native = flags.some((flag) => flag.startsWith("--allow-ffi"));
    assert.equal(native, task !== "analyze:wasm" && task !== "fetch", task);
  }
});

Deno.test("SECURITY.md lists the tasks' permissions as deno.json has them", async () => {
  const text = await Deno.readTextFile(join(ROOT, "SECURITY.md"));
  const rows = new Map(
    text.split("\n").flatMap((line) => {
      const [, name] = /^\| `([\w:]+)` +\|/.exec(line) ?? [];
      return name ? [[name, line.split("|").map((cell) => cell.trim())] as const] : [];
    }),
  );
  const tasks = (Object.keys(project.tasks) as Task[]).filter((name) => rows.has(name));
  assertAtLeast(tasks.length, 8);
  for (const name of tasks) {
    const cells = rows.get(name)!;
    const flags = permissionsOf(name).filter((flag) => flag.startsWith("--allow-"))
      .map((flag) => flag.slice("--allow-".length).split("=")[0]);
    const columns = ["read", "write", "env", "ffi", "sys", "net", "run"];
    const listed = columns.filter((_, i) => cells[i + 2] !== "–" && cells[i + 2] !== "");
    assert.deepEqual(listed, columns.filter((kind) => flags.includes(kind)), name);
    // What the system is asked for is named in the cell, less what the task takes back.
    const kinds = (flag: string) =>
      permissionsOf(name).flatMap((word) =>
        word.startsWith(flag) ? word.slice(flag.length).split(",") : []
      );
    const refused = kinds("--deny-sys=");
    const granted = kinds("--allow-sys=").filter((kind) => !refused.includes(kind));
    assert.deepEqual(cells[columns.indexOf("sys") + 2], granted.join(", "), name);
  }
  // Every variable by its name, and no other.
  const named = project.permissions.emocam.env;
  assertMore(named.length, 20);
  for (const name of named) assertIncludes(text, `\`${name}\``, name);
});

Deno.test("no list of permissions is written twice, and no task has one in its command", () => {
  for (const name of Object.keys(project.tasks) as Task[]) {
    const { command } = project.tasks[name];
    assert.ok(command.length < 130, `${name} prints ${command.length} characters at its user`);
    assert.doesNotMatch(command, /--allow-(read|write|env|sys|run)\b/, name);
  }
  const commands = Object.values(project.tasks).map(({ command }) => command);
  assert.equal(new Set(commands).size, commands.length);
  const used = commands.flatMap((command) => / -P=(\S+)/.exec(command)?.[1] ?? []);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(project.permissions).sort());
});

Deno.test("a task is one short line, passes arguments with spaces, and closes emocam's own files", async () => {
  await withFolder(async (folder) => {
    const task = async (...args: string[]) => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", ...args],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin: "null",
      }).output();
      return { status: code, lines: new TextDecoder().decode(stderr).split("\n") };
    };
    const picture = join(folder, "a picture's (1).jpg"), out = join(folder, "an out $HOME");
    await Deno.copyFile(PHOTO, picture);
    const { status, lines } = await task("analyze", picture, "--out", out);
    assert.equal(status, 0, lines.join("\n"));
    assert.match(lines[0], /^Task analyze deno task -q emocam analyze /);
    assert.match(lines[1], /^1 image; /);
    assert.equal((await Deno.stat(join(out, "run.json"))).isFile, true);
    for (const place of ["src", "models", "node_modules", ".git"]) {
      const refused = await task("analyze", picture, "--out", join(ROOT, place, "never"));
      assert.equal(refused.status, 2);
      assert.match(refused.lines[1], /^Cannot write to --out ".*": no permission to write /);
    }
  });
});

Deno.test("each command runs under the permissions of its task", async () => {
  await withFolder(async (folder) => {
    const at = (name: string) => join(folder, name);
    const none = { cwd: folder };
    const commands: readonly [Task, readonly string[]][] = [
      ["analyze", ["analyze", PHOTO, "--out", at("run")]],
      ["emocam", ["detect", PHOTO, "--out", at("boxes.csv")]],
      ["explain", ["explain", PHOTO, "--out", at("explained"), "--maps", at("maps")]],
      ["emocam", ["check", "--methods", "cam"]],
      // The matcher of globs asks for another variable.
      ["analyze", ["analyze", GLOB, "--out", at("glob run")]],
      ["analyze:wasm", ["analyze", GLOB, "--backend", "wasm", "--out", at("glob wasm")]],
      ["emocam", ["detect", GLOB, "--out", at("glob.csv")]],
      ["explain", ["explain", GLOB, "--out", at("glob explained")]],
      ["reproduce", ["reproduce", at("run"), "--out", at("again")]],
      ["emocam", ["models", "list"]],
      ["emocam", ["models", "inspect", "mini-xception"]],
      ["fetch", ["models", "list"]],
      ["emocam", ["--help"]],
    ];
    for (const [task, args] of commands) {
      const { status, err } = await run(permissionsOf(task), args, none);
      assert.equal(status, 0, `${task}: ${args.join(" ")}: ${err}`);
      assert.doesNotMatch(err, /permission/, `${task}: ${args.join(" ")}`);
    }
    assert.equal((await Deno.stat(at("again/drift.json"))).isFile, true);
  });
});

Deno.test("analyze by WebAssembly needs no ffi: the tables of the native picture library, byte for byte", async () => {
  await withFolder(async (folder) => {
    const args = ["--backend", "wasm", "--methods", "grad-cam,eigen-cam", "--out"];
    const own = await run(permissionsOf("analyze:wasm"), ["analyze", ...args, join(folder, "a")]);
    assert.equal(own.status, 0, own.err);
    assert.match(own.err, /^note: pictures are read by libvips \S+ as WebAssembly/m);
    const ffi = await run(permissionsOf("analyze"), ["analyze", ...args, join(folder, "b")]);
    assert.equal(ffi.status, 0, ffi.err);
    assert.doesNotMatch(ffi.err, /^note: pictures/m);
    assert.deepEqual(await tablesOf(join(folder, "a")), await tablesOf(join(folder, "b")));
    assert.equal(Object.keys(await matricesOf(join(folder, "a"))).length, 8);
    const { versions } = JSON.parse(await Deno.readTextFile(join(folder, "a", "run.json")));
    assert.match(versions.libvips, /^[\d.]+ wasm$/);
  });
});

Deno.test("analyze is content with the folders it reads and the one it writes", async () => {
  await withFolder(async (folder) => {
    const pictures = join(folder, "pictures"), out = join(folder, "out");
    await makeFaces(pictures, 2);
    await Deno.mkdir(out);
    const flags = permissionsOf("analyze").filter((flag) =>
      !/^--(allow|deny)-(read|write)/.test(flag)
    );
    const strict = [
      ...flags,
      `--allow-read=${ROOT},${pictures},${out},/usr/bin/ldd`,
      `--allow-write=${out}`,
    ];
    const { status, err } = await run(strict, ["analyze", pictures, "--out", out]);
    assert.equal(status, 0, err);
    assert.doesNotMatch(err, /permission/);
  });
});

Deno.test("what the tasks run as is closed to them: sources, models and packages", async () => {
  for (const place of ["src", "models", "node_modules", "tests", "deno.json/x", ".git"]) {
    const { status, err } = await run(permissionsOf("emocam"), [
      ...["analyze", PHOTO, "--out", join(ROOT, place, "never")],
    ]);
    assert.equal(status, 2, err);
    assert.match(
      err,
      /^Cannot write to --out ".*": no permission to write .*\(--deny-write protects it/,
    );
  }
});

Deno.test("a permission that is missing is said in one line with what to do, and status 2", async (t) => {
  await withFolder(async (folder) => {
    const out = join(folder, "out");
    const analyze = ["analyze", PHOTO, "--out", out];
    const advice = (kind: string, task = "emocam") =>
      `\\(?run by deno task ${task}, or with --allow-${kind}`;
    const cases: readonly [string, readonly string[], readonly string[], RegExp][] = [
      ["read", without("read"), analyze, /^Cannot look at ".*hopper\.jpg": no permission to read /],
      [
        "read",
        without("read"),
        ["models", "list"],
        /^Cannot read .*models: permission is missing; /,
      ],
      [
        "write",
        without("write"),
        analyze,
        /^Cannot write to --out ".*out": no permission to write /,
      ],
      [
        "write",
        without("write"),
        ["detect", PHOTO, "--out", join(folder, "b.csv")],
        /^Cannot write .*b\.csv/,
      ],
      [
        "ffi",
        without("ffi"),
        [...analyze, "--backend", "native"],
        /^Cannot use backend native: no permission to load the native library .*onnxruntime_binding\.node /,
      ],
      [
        "env",
        without("env"),
        analyze,
        /^Cannot use the environment variable \w+: permission is missing; /,
      ],
      ["env", without("env"), ["--help"], /^Cannot use the environment variable CLICOLOR_FORCE: /],
      ["sys", without("sys"), analyze, /^Cannot ask the system for cpus: permission is missing; /],
      [
        "net",
        permissionsOf("emocam"),
        ["models", "fetch", "emonet", "--into", join(folder, "models")],
        /^Cannot reach gitlab\.com: this process may not use the network; run it as deno task fetch/m,
      ],
      [
        "every",
        ["--no-prompt"],
        analyze,
        /^Cannot use the environment variable EMOCAM_CACHE: permission is missing; /,
      ],
    ];
    for (const [kind, flags, args, says] of cases) {
      await t.step(`${kind}: ${args[0]}`, async () => {
        const { status, out: printed, err } = await run(flags, args);
        assert.equal(status, 2, err);
        assert.match(err, says);
        if (kind !== "net") {
          assert.equal(printed, "");
          assert.match(err, /^[^\n]+\n$/);
          assert.match(err, new RegExp(advice(kind === "every" ? "env" : kind)));
        }
        assert.doesNotMatch(err, /^\s+at |Error:|\bprompt\b|Allow\?/m);
      });
    }
  });
});

Deno.test("without ffi, --backend auto takes WebAssembly and says why", async () => {
  await withFolder(async (folder) => {
    const { status, err } = await run(without("ffi"), [
      ...["analyze", PHOTO, "--out", folder],
    ], { env: { VK_DRIVER_FILES: "/nothing", VK_ICD_FILENAMES: "/nothing" } });
    assert.equal(status, 0, err);
    assert.match(
      err,
      /backend wasm \(.*no native CPU library \(no permission to load the native library/,
    );
  });
});
