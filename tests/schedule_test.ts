/** The files under schedule/ are looked at by the programs that will read them, and their commands are run. */

import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isValidCron } from "@actions/workflow-parser/model/converter/cron";
import { JSONObjectReader } from "@actions/workflow-parser/templates/json-object-reader";
import { TemplateSchema } from "@actions/workflow-parser/templates/schema/index";
import {
  TemplateContext,
  TemplateValidationErrors,
} from "@actions/workflow-parser/templates/template-context";
import { readTemplate } from "@actions/workflow-parser/templates/template-reader";
import { NoOperationTraceWriter } from "@actions/workflow-parser/templates/trace-writer";
import { WORKFLOW_ROOT } from "@actions/workflow-parser/workflows/workflow-constants";
import { YamlObjectReader } from "@actions/workflow-parser/workflows/yaml-object-reader";
import { readHistory } from "../src/reproduction/history.ts";
import { withFolder } from "./corpus/face_corpus.ts";
import { commandOf, emocam, permissionsOf } from "./commands/cli.ts";
import { assertExcludes, assertIncludes, assertMore } from "./assert_that.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const schedule = (name: string) => join(root, "schedule", name);

const TASK = "deno task reproduce";

/** A home in which ~/emocam has a run to be checked, and a program `deno` is in the path. */
async function withHome(
  use: (home: string, shell: (line: string) => Promise<Deno.CommandOutput>) => Promise<void>,
): Promise<void> {
  await withFolder(async (home) => {
    const project = join(home, "emocam");
    await Deno.mkdir(join(home, ".deno/bin"), { recursive: true });
    await Deno.symlink(Deno.execPath(), join(home, ".deno/bin/deno"));
    await Deno.mkdir(project);
    for (
      const name of [
        "deno.lock",
        "main.ts",
        "src",
        "shaders",
        "models",
        "node_modules",
      ]
    ) {
      await Deno.symlink(join(root, name), join(project, name));
    }
    await Deno.copyFile(join(root, "reproduce.json"), join(project, "reproduce.json"));
    // Permissions go by where files truly lie, and the packages are linked here.
    const config = await Deno.readTextFile(join(root, "deno.json"));
    await Deno.writeTextFile(
      join(project, "deno.json"),
      config.replaceAll("--allow-ffi=node_modules", `--allow-ffi=${join(root, "node_modules")}`),
    );
    const { status, err } = await emocam(
      ...["analyze", join(root, "models/photos/hopper.jpg"), "--backend", "native"],
      ...["--out", join(project, "runs/analysis")],
    );
    assert.equal(status, 0, err);
    await use(home, (line) =>
      new Deno.Command("sh", {
        args: ["-c", line],
        cwd: "/",
        clearEnv: true,
        // As cron has it: no user's path.
        env: {
          HOME: home,
          PATH: "/usr/bin:/bin",
          // The packages that are there already: the test asks nothing of the network.
          DENO_DIR: Deno.env.get("DENO_DIR") || join(homedir(), ".cache", "deno"),
          DENO_NO_UPDATE_CHECK: "1",
        },
      }).output());
  });
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("the cron line runs in a shell: silent when all is as it was, else it prints what the check says", async () => {
  const crontab = await Deno.readTextFile(schedule("emocam.crontab"));
  const lines = crontab.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(lines.length, 1);
  const [, when, command] = /^((?:\S+ ){4}\S+) (.+)$/.exec(lines[0])!;
  assert.equal(when, "17 4 * * 1");
  // cron takes an unescaped % for the end of the line.
  assertExcludes(command!, "%");
  assertIncludes(command!, TASK);
  await withHome(async (home, shell) => {
    const calm = await shell(command!);
    assert.deepEqual([calm.code, text(calm.stdout), text(calm.stderr)], [0, "", ""]);
    const reports = join(home, "emocam/runs/reproduce");
    assert.deepEqual((await readHistory(reports)).map(({ verdict }) => verdict), ["identical"]);
    const manifest = join(home, "emocam/runs/analysis/run.json");
    const content = await Deno.readTextFile(manifest);
    await Deno.writeTextFile(manifest, content.replace('"threshold": 0.3', '"threshold": 0.9'));
    const drifted = await shell(command!);
    assert.match(
      text(drifted.stdout),
      /analysis: drifted since .*setting salience threshold changed from 0\.3/,
    );
    assert.deepEqual((await readHistory(reports)).map(({ verdict }) => verdict), [
      "identical",
      "drifted",
    ]);
  });
});

const systemd = await new Deno.Command("systemd-analyze", { args: ["--version"], stdout: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  name: systemd
    ? "systemd takes the timer and its service, and refuses a broken one"
    : "systemd takes the timer and its service (skipped: no systemd-analyze here)",
  ignore: !systemd,
  fn: () =>
    withFolder(async (folder) => {
      const verify = async (...files: string[]) => {
        const { code, stderr } = await new Deno.Command("systemd-analyze", {
          args: ["verify", "--user", "--man=no", ...files],
          env: { XDG_RUNTIME_DIR: folder },
        }).output();
        return { code, err: text(stderr) };
      };
      const units = ["emocam-reproduce.service", "emocam-reproduce.timer"];
      assert.deepEqual(await verify(...units.map(schedule)), { code: 0, err: "" });
      for (const name of units) {
        const content = await Deno.readTextFile(schedule(name));
        await Deno.writeTextFile(
          join(folder, name),
          content.replace("OnCalendar=Mon", "OnCalendar=Mox"),
        );
      }
      const broken = await verify(...units.map((name) => join(folder, name)));
      assert.match(broken.err, /calendar/);
    }),
});

Deno.test("the service starts the task, in the folder of emocam, from a bare environment", async () => {
  const unit = await Deno.readTextFile(schedule("emocam-reproduce.service"));
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(unit)![1];
  assert.equal(setting("ExecStart"), `/usr/bin/env ${TASK}`);
  await withHome(async (home, shell) => {
    // systemd's %h is the home.
    const [folder, variables] = [setting("WorkingDirectory"), setting("Environment")]
      .map((value) => value.replaceAll("%h", home));
    const { code, stdout, stderr } = await shell(
      `cd ${folder} && export ${variables} && ${setting("ExecStart")}`,
    );
    assert.equal(code, 0, text(stderr));
    assert.equal(text(stdout), "runs_analysis: identical, the first check\n");
  });
});

Deno.test("GitHub's own parser takes the workflow, and refuses a broken one", async () => {
  const name = "github-reproduce.yml";
  const content = await Deno.readTextFile(schedule(name));
  // As the package's parseWorkflow does it, which Deno cannot load: it imports its schema without saying that it is JSON.
  const schemaFile = new URL(
    "../workflow-v1.0.min.json",
    import.meta.resolve("@actions/workflow-parser/templates/template-reader"),
  );
  const schema = TemplateSchema.load(
    new JSONObjectReader(undefined, await Deno.readTextFile(schemaFile)),
  );
  const parse = (text: string): string[] => {
    const context = new TemplateContext(
      new TemplateValidationErrors(),
      schema,
      new NoOperationTraceWriter(),
    );
    const file = context.getFileId(name);
    const reader = new YamlObjectReader(file, text);
    const errors = [...reader.errors].map(({ message }) => message);
    if (errors.length === 0) readTemplate(context, WORKFLOW_ROOT, reader, file);
    const crons = [...text.matchAll(/- cron: "(.*)"/g)].map(([, cron]) => cron!);
    assert.equal(crons.length, 1);
    return [
      ...errors,
      ...context.errors.getErrors().map(({ message }) => message),
      ...crons.filter((cron) => !isValidCron(cron)),
    ];
  };
  assert.deepEqual(parse(content), []);
  const version = (await Deno.readTextFile(join(root, ".ci/deno-version"))).trim();
  const deno = `npx --yes deno@${version}`;
  assert.deepEqual([...content.matchAll(/ run: (.*)/g)].map(([, command]) => command), [
    `test -f runs/analysis/run.json || ${deno} task analyze`,
    TASK.replace("deno", deno),
  ]);
  for (
    const [from, to] of [
      ["runs-on:", "run-on:"],
      ["17 4 * * 1,4", "17 25 * * 1,4"],
      ["contents: read", "contents: yes"],
      ["!cancelled()", "!cancled("],
      ["workflow_dispatch:", "workflow_dispach:"],
    ]
  ) {
    assertIncludes(content, from!);
    assertMore(parse(content.replace(from!, to!)).length, 0, to);
  }
});

Deno.test("the task checks the list that ships", async () => {
  assert.match(commandOf("reproduce"), / main\.ts reproduce --list reproduce\.json$/);
  assert.doesNotMatch(
    [commandOf("reproduce"), ...permissionsOf("reproduce")].join(" "),
    /--allow-(all|run|net)|-A/,
  );
  const list = JSON.parse(await Deno.readTextFile(join(root, "reproduce.json")));
  assert.deepEqual(list.runs, [{ run: "runs/analysis" }]);
  assert.equal(list.reports, "runs/reproduce");
});
