/** What sources must not do, as far as their text shows it. */

import assert from "node:assert/strict";
import { METHODS } from "../src/methods/mod.ts";
import { readDocuments } from "./docs/documents.ts";
import { walkFiles } from "./walk_files.ts";

const root = new URL("../", import.meta.url);

/** The sources of `src/` without comments, by path from the root. */
const SOURCES: ReadonlyMap<string, string> = new Map(
  (await Array.fromAsync(walkFiles(new URL("src/", root), ".ts"))).map((url) => [
    url.href.slice(root.href.length),
    Deno.readTextFileSync(url).replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, ""),
  ]),
);

/** Methods whose names are also words for something else: an axiom, a place. */
const WORDS = ["occlusion", "centre"];
/** The methods themselves, the paper's own tables, and what options are without being given. */
const KNOW_METHODS = /^src\/methods\/|^src\/experiments\/paper\/table\.ts$|options|presets\.ts$/;

/** Places where a string literal is exactly one of these names, or such a name with something added by `+`. */
function literals(text: string, names: readonly string[]): string[] {
  return [...text.matchAll(/(["'`])([a-z-]+)(?:\+[a-z+-]*)?\1/g)]
    .map((match) => match[2]).filter((name) => names.includes(name));
}

Deno.test("what is known of a method stands in the method: no other source has its name", () => {
  const names = METHODS.map(({ name }) => name).filter((name) => !WORDS.includes(name));
  const found = [...SOURCES].filter(([path]) => !KNOW_METHODS.test(path))
    .flatMap(([path, text]) => literals(text, names).map((name) => `${path}: "${name}"`));
  assert.deepEqual(found, []);
});

/**
 * Whose messages are not ours: Deno's of a missing permission, ONNX Runtime's, the image library's, the network's. And, still, the
 * history of reproductions, which reads its own causes back.
 */
const FOREIGN_MESSAGES =
  /^src\/(base\/errors|runtime\/backends\/ort|image\/libvips|download\/request|reproduction\/history)\.ts$/;

/** A look into the text of an error. */
const BRANCHES = [
  /(?:\.message|messageOf\([^()]*\)|\breasons?)\??\.(?:startsWith|endsWith|includes|indexOf|match|search|replace|split)\b.*/g,
  /\.(?:test|exec)\((?:\w+\.)*(?:message|reason)\b.*/g,
  /\.(?:test|exec)\(messageOf\(.*/g,
];

const looksIntoErrors = (text: string) =>
  BRANCHES.flatMap((pattern) => [...text.matchAll(pattern)].map(([code]) => code));

Deno.test("errors are told apart by class or field: no source looks into the text of one", () => {
  const found = [...SOURCES].filter(([path]) => !FOREIGN_MESSAGES.test(path))
    .flatMap(([path, text]) => looksIntoErrors(text).map((code) => `${path}: ${code}`));
  assert.deepEqual(found, []);
});

Deno.test("the searches find what they are for", () => {
  assert.deepEqual(
    literals('f("grad-cam", "x-grad-cam", `cam+eigen-smooth`)', ["cam", "grad-cam"]),
    [
      "grad-cam",
      "cam",
    ],
  );
  for (
    const code of [
      'error.message.startsWith("Cannot ")',
      'messageOf(error).startsWith("Cannot ")',
      'reason.includes(";")',
      "/^Cannot/.test(error.message)",
      "/^(image|model)/.test(reason)",
    ]
  ) assert.equal(looksIntoErrors(`if (${code}) return;`).length, 1, code);
  assert.deepEqual(looksIntoErrors("throw new UsageError(messageOf(error))"), []);
});

/**
 * The parts between the top-level commas of a call's arguments, from the character after its opening bracket on; without what texts,
 * regular expressions and inner brackets hold.
 */
function argumentsAt(text: string, from: number): string[] {
  const parts = [""], open: string[] = [];
  for (let i = from; i < text.length; i++) {
    const rest = text.slice(i, i + 2000);
    const inert = /^(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/.exec(rest) ??
      (/[(,=!&|?:]\s*$/.test(text.slice(from - 1, i))
        ? /^\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/.exec(rest)
        : null);
    if (inert) {
      parts[parts.length - 1] += "_";
      i += inert[0].length - 1;
    } else if ("([{".includes(text[i])) open.push(text[i]);
    else if (")]}".includes(text[i])) {
      if (open.pop() === undefined) break;
    } else if (open.length === 0 && text[i] === ",") parts.push("");
    else if (open.length === 0) parts[parts.length - 1] += text[i];
  }
  return parts.map((part) => part.trim()).filter((part, i) => i === 0 || part !== "");
}

/** Assertions whose failure would not say what was wrong: without a message, or of two conditions at once. */
function silentAssertions(text: string): string[] {
  return [...text.matchAll(/(?<![\w.])assert(?:\.ok)?\(/g)].flatMap((match) => {
    const [condition, message] = argumentsAt(text, match.index + match[0].length);
    const line = text.slice(0, match.index).split("\n").length;
    if (message === undefined) return [`line ${line}: no message`];
    return condition.includes("&&") && !condition.includes("||")
      ? [`line ${line}: conditions joined by &&`]
      : [];
  });
}

Deno.test("a test's failure says what was wrong: assert.ok has a message and one condition", async () => {
  const found: string[] = [];
  for await (const url of walkFiles(new URL("tests/", root), ".ts")) {
    if (url.href === import.meta.url) continue;
    const text = Deno.readTextFileSync(url);
    found.push(
      ...silentAssertions(text).map((what) => `${url.href.slice(root.href.length)}, ${what}`),
    );
  }
  assert.deepEqual(found, [], "use tests/assert_close.ts and tests/assert_that.ts");
});

Deno.test("the search for silent assertions finds them, and only them", () => {
  const silent = (code: string) => silentAssertions(code).map((what) => what.split(": ")[1]);
  assert.deepEqual(silent("assert.ok(f(a, b) > [1, 2].length);"), ["no message"]);
  assert.deepEqual(silent("assert(\n  /[,)]/.test(a),\n);"), ["no message"]);
  assert.deepEqual(silent('assert.ok(a && b, "what");'), ["conditions joined by &&"]);
  assert.deepEqual(silent('assert.ok(a.every((x) => x > 0 && x < 1), "what");'), []);
  assert.deepEqual(silent('assert.ok("x, y" in a, `${a}, ${b}`); assert.equal(a && b, c);'), []);
});

/**
 * Turns of phrase that a reader stumbles over, with plain ones. Each is exact enough to be wrong wherever it is found: `there is no` and
 * `no longer` are fine, and so is a name like `behind` in code.
 */
const TICS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [
    /(?<!\bthere )\b(?:is|are|was|were) no (?!such\b|longer\b|more\b|less\b|other\b|need\b|way\b)[a-z`]/gi,
    "is not a",
  ],
  [/\bbehind (?:it|them|the|a|an|its|this|that|each|no)\b/gi, "after"],
  [
    /\bstands? (?:twice|for|behind|before|there|in|at|again|alone|between|around)\b/gi,
    "is, occurs, means",
  ],
  [
    /\bof (?:its|their) own(?=[.,;:)"'`$]|$| (?:and|that|which|for|by|in|with|over|to|under)\b)/gi,
    "its own, separate",
  ],
  [/\bat work\b/gi, "running, in progress"],
  [/\bin place of\b/gi, "instead of"],
  [/\bas far as\b/gi, "where, if, while"],
  [
    /\b(?:can|could|may|to)(?:not)?(?: not| still| again)? be had\b|\bto be had\b/gi,
    "is available, is defined",
  ],
  [/\b(?:is|are) at it\b/gi, "is using it"],
  [/\bwhere there (?:is|are)\b/gi, "if there is"],
  [/\bwithout a word\b/gi, "silently"],
  [/\bgoes before\b/gi, "takes precedence over"],
];

/** What a text has of these, with what to write instead. */
function ticsIn(text: string): string[] {
  return TICS.flatMap(([pattern, instead]) =>
    [...text.replaceAll(/\s+/g, " ").matchAll(pattern)].map(([found]) => `"${found}": ${instead}`)
  );
}

Deno.test("messages, README and documents have none of the turns of phrase that readers stumble over", async () => {
  const texts = new Map(SOURCES);
  for (const { path, text } of await readDocuments()) texts.set(path, text);
  for (const path of ["CHANGELOG.md", "models/README.md"]) {
    texts.set(path, await Deno.readTextFile(new URL(path, root)));
  }
  const found = [...texts].flatMap(([path, text]) => ticsIn(text).map((tic) => `${path}: ${tic}`));
  assert.deepEqual(found, []);
});

Deno.test("the list of phrases finds them, and nothing else", () => {
  const wrong = [
    '"x" is no number',
    "batch normalization N stands behind no convolution",
    "choose a target layer behind it",
    "cat stands twice",
    "a run of its own",
    "process 12 is at it",
    "stops after the batch at work",
    "a web page came in place of the file",
    "as far as the graph tells",
    "3 could not be had",
    "published hashes where there are some",
    "refused without a word",
    "what is given goes before the preset",
  ];
  for (const text of wrong) assert.ok(ticsIn(text).length > 0, text);
  const right = [
    "there is no such file",
    "it is no longer there",
    "there are no samples",
    "const behind = dependents(graph, [at]); if (behind.has(value)) return;",
    "its own folder; the frame of its own network; in its place; a stand-in",
    "works at night, far as it is",
  ];
  for (const text of right) assert.deepEqual(ticsIn(text), [], text);
});
