import assert from "node:assert/strict";
import {
  associationsText,
  createProgress,
  decimals,
  duration,
  methodLabels,
  pairTable,
  printable,
  textTable,
} from "../../src/commands/terminal.ts";

Deno.test("durations are said with two parts at most", () => {
  assert.deepEqual(
    [0, 0.04, 4.26, 9.96, 12.3, 59.4, 60, 200, 3599, 3600, 7500, 90000, Infinity, NaN].map(
      duration,
    ),
    [
      "0.0 s",
      "0.0 s",
      "4.3 s",
      "10.0 s",
      "12 s",
      "59 s",
      "1 min 0 s",
      "3 min 20 s",
      "59 min 59 s",
      "1 h 0 min",
      "2 h 5 min",
      "25 h 0 min",
      "unknown time",
      "unknown time",
    ],
  );
});

Deno.test("a table aligns its columns: numbers to the right, words to the left", () => {
  assert.equal(
    textTable(["object", "value", ""], [
      ["dog", "1.50", "x"],
      ["Menschenaffe", "-10.25", ""],
      ["é中", "NaN", "y"],
    ]),
    [
      "object         value",
      "dog             1.50  x",
      "Menschenaffe  -10.25",
      "é中               NaN  y",
    ].join("\n"),
  );
  assert.equal(textTable(["a", "b"], []), "a  b");
  assert.equal(
    textTable(["figure", "bound"], [
      ["5.79e-6", "≤ 0.01"],
      ["0.988", "≥ 0.9"],
      ["1.23e+4", "≤ 1e-7"],
    ]),
    [
      " figure   bound",
      "5.79e-6  ≤ 0.01",
      "  0.988   ≥ 0.9",
      "1.23e+4  ≤ 1e-7",
    ].join("\n"),
  );
});

Deno.test("a value that rounds to zero has no sign", () => {
  assert.deepEqual([-0.004, 0.004, -0.006, 1, NaN].map(decimals), [
    "0.00",
    "0.00",
    "-0.01",
    "1.00",
    "n/a",
  ]);
});

Deno.test("pairs are a lower triangle, twelve columns beside each other", () => {
  const small = pairTable(["a", "b", "c"], (row, column) => (row * 10 + column) / 100);
  assert.deepEqual(small.split("\n"), [
    "   method     1     2",
    "1  a",
    "2  b       0.10",
    "3  c       0.20  0.21",
  ]);
  const names = Array.from({ length: 15 }, (_, i) => `m${i + 1}`);
  const [first, second, ...more] = pairTable(names, (row, column) => row + column).split("\n\n");
  assert.deepEqual(more, []);
  assert.equal(first!.split("\n").length, 16);
  assert.match(first!, /^ +method +1 +2 .* 12\n/);
  assert.deepEqual(second!.split("\n"), [
    "    method     13     14",
    "14  m14     25.00",
    "15  m15     26.00  27.00",
  ]);
});

Deno.test("controls and methods that fail are called so", () => {
  const label = methodLabels(
    new Set(["eigen-cam"]),
    new Map([["cam", ["mirror", "masks"]], ["eigen-cam", ["mirror"]]]),
  );
  assert.deepEqual(["grad-cam", "cam", "eigen-cam"].map(label), [
    "grad-cam",
    "cam (fails mirror, masks)",
    "eigen-cam (control)",
  ]);
});

Deno.test("associations are a table whose columns have names of their own, or a line", () => {
  const row = {
    object: "dog",
    class: "joy",
    measure: "phi",
    method: "cam",
    value: -0.001,
    importance: NaN,
    both: 1,
    withObject: 2,
    withClass: 3,
  };
  assert.deepEqual(associationsText({ rule: "why", rows: [row] }, 1).split("\n"), [
    "Strongest associations (why; 1 sample):",
    "",
    "object  class  method  value  importance  with both  with object  with class",
    "dog     joy    cam      0.00         n/a          1            2           3",
  ]);
  assert.equal(
    associationsText({ rule: "why", rows: [] }, 0),
    "No associations: there are no samples",
  );
  assert.match(associationsText({ rule: "why", rows: [] }, 2), /^No associations: [^\n]*$/);
});

Deno.test("control characters of a name cannot reach the terminal", () => {
  assert.equal(printable("a\x1b[31mb\nc\u202ed\u0085e\x7f"), "a?[31mb?c?d?e?");
  assert.equal(printable("é 中 😀 'x'"), "é 中 😀 'x'");
});

Deno.test("progress is a line at the end, even where nobody reads it", () => {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => (text += new TextDecoder().decode(bytes), bytes.length);
  try {
    const progress = createProgress();
    progress.update({ done: 1, total: 3, failed: 0, samples: 2 });
    progress.update({ done: 3, total: 3, failed: 1, samples: 5 });
    progress.end();
    assert.match(
      text.replaceAll("\r\x1b[K", ""),
      /3\/3 images, 5 samples, 1 failed, [\d.]+ images\/s, 0\.0 s\n/,
    );
    Deno.stderr.writeSync = () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    };
    progress.update({ done: 3, total: 3, failed: 1, samples: 5 });
    progress.end();
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
});
