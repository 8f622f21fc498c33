/** An option is a row of one table, from which everything else that knows options is made. */

import assert from "node:assert/strict";
import { Command } from "commander";
import { flag } from "../../src/base/flag.ts";
import { addOptions, withPreset } from "../../src/commands/options/table.ts";
import { causeText, driftCauses } from "../../src/reproduction/causes.ts";
import { commandLine, repeatedOptions } from "../../src/run/options/again.ts";
import { number } from "../../src/run/options/kinds.ts";
import { optionsMarkdown } from "../../src/run/options/markdown.ts";
import {
  type CommandName,
  GROUPS,
  type OptionRow,
  OPTIONS,
  optionsOf,
} from "../../src/run/options/mod.ts";
import { effectiveSettings, settingsOf } from "../../src/run/options/settings.ts";
import { walkFiles } from "../walk_files.ts";
import { DETECTOR_OPTIONS } from "../../src/detectors/mod.ts";

const root = new URL("../../", import.meta.url);
const COMMANDS: readonly CommandName[] = [
  "analyze",
  "explain",
  "check",
  "detect",
  "report",
  "reproduce",
];

/** An option that emocam does not have. */
const FICTITIOUS: OptionRow<number> = {
  name: "starLight",
  commands: ["analyze", "explain"],
  group: "Boxes",
  value: number("lux", { min: 0, max: 5 }),
  default: 2,
  help: "how bright the stars are",
  noun: "light of the stars",
  decides: "results",
  when: { says: "with RISE", holds: ({ random }) => random },
  presets: { paper: 3 },
  repeated: 1,
};
const TABLE: readonly OptionRow[] = [...OPTIONS, FICTITIOUS];

/** What a command's parser makes of arguments, presets included. */
function parse(name: CommandName, args: readonly string[], table = TABLE): Record<string, unknown> {
  const command = addOptions(new Command(name), name, table).exitOverride();
  command.parse([...args], { from: "user" });
  return withPreset(command, command.opts(), table);
}

Deno.test("a row added to the table is in the parser, with its default, range and preset", () => {
  assert.equal(parse("analyze", []).starLight, 2);
  assert.equal(parse("explain", ["--star-light", "4.5"]).starLight, 4.5);
  assert.equal(parse("analyze", ["--preset", "paper"]).starLight, 3);
  assert.equal(parse("analyze", ["--preset", "paper", "--star-light", "1"]).starLight, 1);
  assert.throws(() => parse("analyze", ["--star-light", "6"]), {
    message: 'Cannot use --star-light "6": give a number from 0 to 5',
  });
  assert.throws(() => parse("analyze", ["--star-light", "4"], OPTIONS), /unknown option/);
  assert.ok(!("starLight" in parse("detect", [])), "detect does not take it");
});

Deno.test("it is under its group's heading in --help", () => {
  const help = addOptions(new Command("analyze"), "analyze", TABLE).helpInformation();
  const section = help.split(/\n(?=\S.*:\n)/).find((part) => part.startsWith("Boxes:"))!
    .replace(/\s+/g, " ");
  assert.match(
    section,
    /--star-light <lux> how bright the stars are; only with RISE \(default: 2\)/,
  );
});

Deno.test("it is a setting of the runs in which it has an effect, and of no other", () => {
  const options = parse("analyze", ["--star-light", "4"]);
  assert.equal(settingsOf(options, { random: true }, TABLE).starLight, 4);
  for (
    const settings of [
      settingsOf(options, { random: false }, TABLE),
      settingsOf(options, { random: true }),
    ]
  ) {
    assert.ok(!("starLight" in settings), JSON.stringify(settings));
  }
});

Deno.test("it is a cause of drift in its own words where it has an effect", () => {
  const manifest = (starLight: number, method: string) => ({
    settings: { starLight, methods: { [method]: {} } },
  });
  const texts = (method: string) =>
    driftCauses(manifest(2, method), manifest(4, method), [], TABLE).map((own) => causeText(own));
  assert.deepEqual(texts("rise"), ["setting light of the stars changed from 2 to 4"]);
  assert.deepEqual(texts("grad-cam"), []);
});

Deno.test("it is in the command that makes a run again, and in the run that is repeated", () => {
  const options = parse("analyze", ["--star-light", "4"]);
  assert.match(commandLine(["photos"], options, TABLE), / --star-light 4( |$)/);
  assert.equal(repeatedOptions(TABLE).starLight, 1);
});

Deno.test("it is in the document", () => {
  const line = optionsMarkdown(TABLE).split("\n").find((text) => text.includes("--star-light"));
  assert.equal(
    line,
    "| `--star-light LUX` † | how bright the stars are; only with RISE | a number from 0 to 5 | `2`; `3` with `--preset paper` | analyze, explain |",
  );
});

Deno.test("docs/options.md is the table of options: deno task docs makes it", async () => {
  const text = await Deno.readTextFile(new URL("docs/options.md", root));
  assert.equal(text, optionsMarkdown());
});

Deno.test("of each command, options have their own names, groups and flags", () => {
  for (const command of COMMANDS) {
    const names = optionsOf(command).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, `an option of ${command} is listed twice`);
  }
  for (const { name, group, help, noun, default: own, value } of OPTIONS as readonly OptionRow[]) {
    assert.ok(GROUPS.includes(group), `${name} is in no group`);
    assert.ok(help.length > 0, `${name} has no help`);
    assert.ok(noun.length > 0, `${name} is called nothing`);
    if (own === undefined) continue;
    const text = Array.isArray(own) ? own.join(",") : String(own);
    assert.deepEqual(value.parse(flag(name), text), own, `the default of ${name} is a value of it`);
  }
});

Deno.test("settings without an effect in their run are left out of a manifest of any version", () => {
  const settings = { threshold: 0.3, seed: 0, ambiguity: 3, unknown: 1 };
  const kept = (methods: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    Object.keys(effectiveSettings({ ...settings, methods, ...more }));
  assert.deepEqual(kept({ "grad-cam+aug-smooth": {} }), ["threshold", "unknown", "methods"]);
  assert.deepEqual(kept({ "rise+aug-smooth": {} }), ["threshold", "seed", "unknown", "methods"]);
  assert.deepEqual(kept({ "of-another-version": {} }), [
    "threshold",
    "seed",
    "unknown",
    "methods",
  ]);
  assert.deepEqual(kept({ cam: {} }, { preset: "paper" }), [
    "threshold",
    "ambiguity",
    "unknown",
    "methods",
    "preset",
  ]);
});

/** Where commands that have their own options declare and name them; they may have the same names as others'. */
const OWN_OPTIONS = /^src\/(commands\/(models|corpus|cache)|importers|published)\//;

Deno.test("outside the table, no source names an option but by flag()", async () => {
  const names = new Set(OPTIONS.map(({ name }) => name as string));
  const flags = [...names].map(flag).join("|");
  const literal = new RegExp(`(?:${flags})(?![\\w-])`);
  const quoted = new RegExp(
    `(?<!flag\\()"(?:${[...names].filter((name) => /[A-Z]/.test(name)).join("|")})"`,
  );
  let named = 0;
  for await (const file of walkFiles(new URL("src/", root), ".ts")) {
    const path = file.pathname.slice(root.pathname.length);
    const text = (await Deno.readTextFile(file)).replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/^\s*\/\/.*$/gm, "");
    for (const [, name] of text.matchAll(/\bflag\("([^"]*)"\)/g)) {
      named++;
      assert.ok(names.has(name!), `${path} names the option ${name}, which is not in the table`);
    }
    if (path.startsWith("src/run/options/") || OWN_OPTIONS.test(path)) continue;
    for (const pattern of [literal, quoted]) {
      const found = pattern.exec(text)?.[0];
      assert.ok(!found, `${path} writes ${found}: name options by flag()`);
    }
  }
  assert.ok(named > 20, `only ${named} names were seen: the pattern has gone blind`);
});

Deno.test("the settings of detectors are options, with the same values and presets", () => {
  const rows = new Map(optionsOf("detect").map((row) => [row.name, row]));
  for (const { name, values, presets } of DETECTOR_OPTIONS) {
    const row = rows.get(name);
    assert.ok(row, `${name} is not in the table of options`);
    assert.deepEqual(row.presets, presets);
    assert.equal(
      row.value.range,
      "min" in values ? `a number from ${values.min} to ${values.max}` : values.join(", "),
    );
  }
});
