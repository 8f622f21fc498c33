import assert from "node:assert/strict";
import { ModelError } from "../../../src/base/errors.ts";
import { createRng, type Rng } from "../../../src/base/rng.ts";
import {
  type MatrixSize,
  parseDecimal,
  readMatrix,
} from "../../../src/importers/emonet/matlab_text.ts";
import {
  assertRefusal,
  type Bzip2Case,
  checkText,
  chunks,
  committed,
  readCase,
  reader,
  type TextCase,
  unpack,
} from "./cases.ts";
import { decompressBzip2 } from "../../../src/importers/emonet/bzip2.ts";

const encoder = new TextEncoder();

function parse(text: string): number {
  const bytes = encoder.encode(text);
  return parseDecimal(bytes, 0, bytes.length);
}

function read(text: string, size: MatrixSize, length = 1 << 16): number[][] {
  return Array.from(readMatrix(chunks(encoder.encode(text), length), "a.txt", size), (row) => [
    ...row,
  ]);
}

Deno.test("decimal numbers are parsed to the nearest float64, however they are spelled", () => {
  const rng = createRng(1);
  for (let i = 0; i < 4000; i++) {
    const value = (rng.uniform() - 0.5) * 10 ** (rng.below(60) - 30);
    for (
      const text of [
        String(value),
        value.toPrecision(1 + rng.below(21)),
        value.toExponential(rng.below(20)).replace("e", "E"),
        value.toFixed(rng.below(30)),
        ` +${Math.abs(value)} `,
      ]
    ) {
      assert.ok(Object.is(parse(text), Number(text)), `${text}: ${parse(text)}`);
    }
  }
  for (const text of ["0", "-0", "-0.0e9", "5.", ".5", "1e400", "4.9e-324", "1e-400", "0e999"]) {
    assert.ok(Object.is(parse(text), Number(text)), text);
  }
});

Deno.test("what is not a decimal number is none", () => {
  for (
    const text of [
      "",
      " ",
      "+",
      "-",
      ".",
      "e5",
      "1e",
      "1e+",
      "1e5.",
      "0x10",
      "0b11",
      "1_0",
      "1 0",
      "0.5x",
      "0.5.1",
      "--1",
      "nan",
      "NaN",
      "inf",
      "Infinity",
      "-Inf",
      "1,5",
      "0;5",
      "1\t",
      "１",
      "0.5+0.1i",
      "1d5",
      "abc",
      "1".repeat(20) + "x",
      "1e99999999999999999999x",
    ]
  ) {
    assert.ok(Number.isNaN(parse(text)), JSON.stringify(text));
  }
});

Deno.test("matrices as text give what the published reader gives, and spoiled ones are refused", async () => {
  const seen = { accepted: 0, refused: 0 };
  for (const one of await committed<TextCase>("text_cases.json")) {
    seen[checkText(one, one.bytes)]++;
  }
  assert.deepEqual(seen, { accepted: 10, refused: 38 });
});

Deno.test("a text may come in chunks of any length", async () => {
  for (const one of await committed<TextCase>("text_cases.json")) {
    if (one.expect !== "accept") continue;
    const text = unpack(one.bytes);
    for (const length of [1, 2, 7, 64]) {
      assert.deepEqual(readCase(one, chunks(text, length)), one.expected_flat, one.file);
    }
  }
});

Deno.test("refusals name the file, the line, the value and what is expected", () => {
  const size = { lines: 2, values: 2 };
  for (
    const [text, pattern] of [
      [
        "1,2\n3,0x4\n",
        /a\.txt: line 2, value 2: "0x4" is not a number; it must hold 2 lines of 2 values/,
      ],
      ["1,2\n3\n", /line 2 has 1 values/],
      ["1,2\n3,4,5\n", /line 2 has more than 2 values/],
      ["1,2\n", /it has 1 lines/],
      ["1,2\n3,4\n5,6\n", /there is more after line 2/],
      ["1,2\n\n3,4\n", /line 2 is empty/],
      ["1,2\n3,1e39\n", /line 2, value 2: "1e39" is too large for a float32/],
      ["1,2\n3,\n", /line 2, value 2: "" is not a number/],
      ["", /it has 0 lines/],
    ] as const
  ) {
    assert.throws(() => read(text, size), pattern);
    assert.throws(() => read(text, size, 1), pattern);
  }
});

Deno.test("a line without end, and a value without end, are refused after a bounded part", async () => {
  const bomb = (await committed<Bzip2Case>("bzip2_cases.json"))
    .find(({ file }) => file.startsWith("bomb"))!;
  let asked = 0;
  const counted = function* () {
    for (const chunk of decompressBzip2(reader(bomb.bytes))) {
      asked += chunk.length;
      yield chunk;
    }
  };
  const values = 1000;
  assert.throws(
    () => [...readMatrix(counted(), "bomb", { lines: 11, values })],
    /line 1 has more than 1000 values/,
  );
  assert.ok(asked <= 1 << 16, `${asked} bytes`);
  for (const byte of ["7", " ", "\r", "x"]) {
    assert.throws(() => read(byte.repeat(2000), { lines: 1, values: 1 }, 100), ModelError);
  }
  assert.throws(() => read("\n".repeat(2000), { lines: 1, values: 1 }, 100), /line 1 is empty/);
});

/** The same by splitting and regular expressions; undefined where something is wrong. */
function slowly(text: string, { lines, values }: MatrixSize): number[][] | undefined {
  const rows = text.replace(/\n$/, "").split("\n").map((line) =>
    line.replace(/\r$/, "").split(",")
  );
  if (rows.length !== lines || rows.some(({ length }) => length !== values)) return undefined;
  const numbers = rows.map((row) =>
    row.map((field) =>
      /^ *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *$/.test(field) && field.length <= 512
        ? Math.fround(Number(field))
        : NaN
    )
  );
  return numbers.flat().every(Number.isFinite) ? numbers : undefined;
}

const PIECES = [
  ..."0123456789+-.,,eE \n\n\rx_\t;\u0000é",
  "inf",
  "nan",
  "0x1",
  "1e39",
  ",,",
  "\r\n",
];

function mutate(text: string, rng: Rng): string {
  let result = text;
  for (let count = 1 + rng.below(3); count > 0; count--) {
    const at = rng.below(result.length + 1);
    const piece = PIECES[rng.below(PIECES.length)];
    const drop = [0, 1, 1, 5][rng.below(4)];
    result = result.slice(0, at) + (rng.below(4) === 0 ? "" : piece) + result.slice(at + drop);
  }
  return result;
}

Deno.test("600 mutated texts are read as by a slow reader, or refused in one line", () => {
  const rng = createRng(6);
  const size = { lines: 3, values: 4 };
  let accepted = 0;
  for (let i = 0; i < 600; i++) {
    const rows = Array.from(
      { length: 3 },
      () => Array.from({ length: 4 }, () => ((rng.uniform() - 0.5) * 9).toPrecision(6)).join(","),
    );
    const text = mutate(rows.join("\n") + "\n", rng);
    const expected = slowly(text, size);
    const bytes = encoder.encode(text);
    let found: number[][] | undefined;
    try {
      found = Array.from(readMatrix(chunks(bytes, 1 + rng.below(40)), "a.txt", size), (row) => [
        ...row,
      ]);
    } catch (error) {
      assertRefusal("a.txt", error);
    }
    assert.deepEqual(found, expected, JSON.stringify(text));
    if (found) accepted++;
  }
  assert.ok(accepted > 100, `${accepted} accepted`);
  assert.ok(accepted < 500, `${accepted} accepted`);
});
