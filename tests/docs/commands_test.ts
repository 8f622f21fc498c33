/** The commands that the documents show: each is understood by the real parser, and each that needs no network and no large model runs. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { emocam } from "../commands/cli.ts";
import { optionNames, optionsNamed, parse, type Shown, shownIn } from "./command_lines.ts";
import { blocksOf, type Document, readDocuments } from "./documents.ts";
import { writeStandIns } from "./stand_ins.ts";

const DOCUMENTS = await readDocuments();

/** Options of other programs (npx, docker, the tasks for those who work on emocam) that documents name, and Deno's permissions. */
const OTHERS = ["--yes", "--user", "--target", "--output", "--check", "--help", "--version"];
const PERMISSIONS = /^--(?:(?:allow|deny)-[a-z]+|no-prompt|permission-set)$/;

/** Exit statuses other than 0 that a command may well end with: an axiom that fails, a run that drifted. */
const STATUSES: Readonly<Record<string, readonly number[]>> = { check: [0, 1], reproduce: [0, 3] };

/** What keeps a command from being run here, if anything. */
function obstacle(args: readonly string[]): string | undefined {
  if (args.includes("fetch")) return "needs the network";
  if (args.some((word) => word.startsWith("/"))) return "names a folder of a container";
  if (args.some((word) => /^[A-Z]+$/.test(word))) return "names no file";
  return undefined;
}

/** Commands that a document has shown already. */
const seen = new Set<string>();

/** The commands of a document that are run: each in the first document that shows it. */
function runnable(shown: readonly Shown[]): string[][] {
  const lines: string[][] = [];
  for (const { args } of shown) {
    const key = JSON.stringify(args);
    if (!args || obstacle(args) || seen.has(key)) continue;
    seen.add(key);
    lines.push([...args]);
  }
  return lines;
}

/** Why a document's commands and options are not those of the command line; empty where they are. */
async function faultsIn(document: Document): Promise<string[]> {
  const known = optionNames(), faults: string[] = [];
  for (const { words, args } of await shownIn(document)) {
    try {
      if (args) await parse(args);
    } catch (error) {
      faults.push(`${document.path}: ${words.join(" ")}: ${(error as Error).message}`);
    }
  }
  for (const option of optionsNamed(document)) {
    if (!known.has(option) && !OTHERS.includes(option) && !PERMISSIONS.test(option)) {
      faults.push(`${document.path}: emocam has no option ${option}`);
    }
  }
  return faults;
}

for (const document of DOCUMENTS) {
  Deno.test(`the parser knows every command and option in ${document.path}`, async () => {
    assert.deepEqual(await faultsIn(document), []);
  });
}

Deno.test("the README and docs show commands to be checked", async () => {
  const shown = (await Promise.all(DOCUMENTS.map(shownIn))).flat();
  const commands = new Set(shown.flatMap(({ args }) => args?.[0] ?? []));
  for (const name of ["analyze", "explain", "detect", "check", "reproduce", "models", "cache"]) {
    assert.ok(commands.has(name), `no document shows ${name}`);
  }
  assert.ok(
    shown.length > 50,
    `only ${shown.length} commands were seen: the pattern has gone blind`,
  );
});

Deno.test("a wrong option, value, command or task in a document is found", async () => {
  const faultsOf = async (text: string) => await faultsIn({ path: "planted.md", text });
  const block = (line: string) => `text\n\n\`\`\`sh\n${line}   # a comment\n\`\`\`\n`;
  assert.deepEqual(await faultsOf(block("deno task analyze 'a b/' --out runs/mine")), []);
  assert.match((await faultsOf(block("deno task analyze photos/ --mehtods all")))[0], /--mehtods/);
  assert.match(
    (await faultsOf(block("deno task analyze --target logits")))[0],
    /--target "logits"/,
  );
  assert.match((await faultsOf(block("deno task emocam modles list")))[0], /modles/);
  assert.match((await faultsOf("Type `deno task analyze --tresh 0.3`."))[0], /--tresh/);
  assert.match((await faultsOf("Give `--tresh`."))[0], /no option --tresh/);
  const container = "podman run --rm -v ./photos:/photos:ro emocam analyze /photos --outt x";
  assert.match((await faultsOf(block(container)))[0], /--outt/);
  await assert.rejects(faultsOf(block("deno task analyse photos/")), /no task analyse/);
  await assert.rejects(faultsOf(block("rm -r photos/")), /rm/);
});

/** Runs in a folder with stand-ins for the user's files, with two runs and two imported models. */
async function withStandIns(use: () => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "emocam-docs-" });
  const before = { folder: Deno.cwd(), models: Deno.env.get("EMOCAM_MODELS") };
  try {
    await writeStandIns(folder);
    Deno.chdir(folder);
    Deno.env.set("EMOCAM_MODELS", join(folder, "user-models"));
    await use();
  } finally {
    Deno.chdir(before.folder);
    if (before.models === undefined) Deno.env.delete("EMOCAM_MODELS");
    else Deno.env.set("EMOCAM_MODELS", before.models);
    await Deno.remove(folder, { recursive: true });
  }
}

/** What must have been run before: the runs, and EmoNet and the YOLO of the paper, small. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  runs: ["analyze photos/ --out runs/mine", "analyze photos/ --out runs/analysis"],
  models: [
    "models import emonet emonet.pth --mean img_mean.txt",
    "models import darknet --cfg yolov3-openimages.cfg --weights yolov3-openimages.weights --names openimages.names",
  ],
};

for (const document of DOCUMENTS) {
  const lines = runnable(await shownIn(document));
  if (lines.length === 0) continue;
  Deno.test(`the commands in ${document.path} run`, () =>
    withStandIns(async () => {
      const words = lines.flat().join(" ");
      const before = [
        ...(/runs\//.test(words) ? BEFORE.runs : []),
        ...(/--preset|yolov3/.test(words) ? BEFORE.models : []),
      ].map((line) => line.split(" "));
      for (const args of [...before, ...lines]) {
        const { status, err, out } = await emocam(...args);
        assert.ok(
          (STATUSES[args[0]] ?? [0]).includes(status),
          `emocam ${args.join(" ")} ended with ${status}:\n${err}${out.slice(-500)}`,
        );
      }
    }));
}

Deno.test("the README shows the default run with its real output", () =>
  withStandIns(async () => {
    const readme = DOCUMENTS.find(({ path }) => path === "README.md")!.text;
    const shown = blocksOf(readme).find(({ language }) => language === "text")!.text;
    const { status, out, err } = await emocam("analyze");
    assert.equal(status, 0, err);
    const printed = new Set(`${out}${err}`.split("\n").map((line) => line.trim()));
    // Times differ, and … marks lines that are left out.
    const lines = shown.split("\n").filter((line) => line !== "" && !/images\/s|^…$/.test(line));
    assert.ok(lines.length > 5, `only ${lines.length} lines are shown`);
    assert.deepEqual(lines.filter((line) => !printed.has(line.trim())), []);
  }));
