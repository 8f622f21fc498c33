import assert from "node:assert/strict";
import { createProgress, duration, printable, textTable } from "../../src/commands/terminal.ts";

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
