import { methodLabels } from "../../src/association/labels.ts";
import assert from "node:assert/strict";
import {
  associationsText,
  createProgress,
  decimals,
  pairTable,
  progressText,
  textTable,
} from "../../src/commands/terminal.ts";

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

Deno.test("associations are a table whose columns have their own names, or a line", () => {
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

Deno.test("progress says what is left, where that is known", () => {
  const at = { done: 1, total: 3, failed: 0, samples: 2 };
  assert.equal(progressText(at, 20), "1/3 images, 2 samples, 0.1 images/s, 40.0 s left");
  assert.equal(progressText({ ...at, done: 0 }, 20), "0/3 images, 2 samples, 0.0 images/s");
});

Deno.test("progress is a line at the end, even if it is not read", () => {
  const { writeSync } = Deno.stderr;
  let text = "";
  Deno.stderr.writeSync = (bytes) => (text += new TextDecoder().decode(bytes), bytes.length);
  try {
    const progress = createProgress();
    const first = { done: 1, total: 3, failed: 0, samples: 2 };
    const last = { done: 3, total: 3, failed: 1, samples: 5 };
    progress.show(() => progressText(first, 0.04));
    progress.show(() => progressText(last, 0.04), true);
    progress.end();
    assert.match(
      text.replaceAll("\r\x1b[K", ""),
      /3\/3 images, 5 samples, 1 failed, [\d.]+ images\/s, 0\.04 s\n/,
    );
    Deno.stderr.writeSync = () => {
      throw new Deno.errors.BrokenPipe("Broken pipe");
    };
    progress.show(() => progressText(last, 0.04), true);
    progress.end();
  } finally {
    Deno.stderr.writeSync = writeSync;
  }
});
