import assert from "node:assert/strict";
import { join } from "node:path";
import { ModelError, UsageError } from "../../src/base/errors.ts";
import {
  type ClassifierCard,
  findCard,
  MODELS_FOLDER,
  type NetworkCard,
  parseCard,
  readCardFile,
  shippedCards,
} from "../../src/runtime/card.ts";
import { withFolder } from "../corpus/face_corpus.ts";
import { assertIncludes, assertMore } from "../assert_that.ts";

/** The least that a classifier's card can say. */
const LEAST = {
  name: "net",
  task: "classifier",
  file: "net.onnx",
  sha256: "0".repeat(64),
  source: "somewhere",
  licence: "MIT",
  input: { name: "x", width: 8, height: 6, channels: "rgb" },
  classes: ["a", "b"],
};

const parse = (changes: Record<string, unknown> = {}) =>
  parseCard(JSON.stringify({ ...LEAST, ...changes }), "net.json");
const withInput = (changes: Record<string, unknown>) =>
  parse({ input: { ...LEAST.input, ...changes } });

Deno.test("what a card leaves out is filled in", () => {
  const card = parse() as ClassifierCard;
  assert.deepEqual(card.input, {
    ...LEAST.input,
    fit: "stretch",
    resize: "pillow-bicubic",
    scale: 1,
    mean: [0],
    std: [1],
  });
  assert.deepEqual([card.output, card.placement, card.crop], [{}, "receptive-field", undefined]);
  assert.deepEqual((parse({ crop: {} }) as ClassifierCard).crop, {
    around: "landmarks",
    scale: 1.2,
  });
});

Deno.test("a card that is wrong is refused in one line that names the field", () => {
  const cases: [() => unknown, RegExp][] = [
    [() => parse({ colour: 1 }), /the card: .*colour/],
    [() => withInput({ colour: 1 }), /input: .*colour/],
    [() => parse({ classes: [] }), /classes: /],
    [() => parse({ classes: ["a", ""] }), /classes\.1: /],
    [() => parse({ classes: ["a", "b", "a"] }), /classes: a occurs twice/],
    [() => parse({ task: "dreamer" }), /task: /],
    [() => parse({ sha256: "xyz" }), /sha256: /],
    [() => parse({ name: "Not a Name" }), /name: /],
    [() => parse({ licence: undefined }), /licence: /],
    [() => withInput({ width: 0 }), /input\.width: /],
    [() => withInput({ width: 1.5 }), /input\.width: /],
    [() => withInput({ channels: "cmyk" }), /input\.channels: /],
    [() => withInput({ resize: "nearest" }), /input\.resize: /],
    [() => withInput({ mean: [1, 2] }), /input\.mean: 2 values for 3 channels/],
    [() => withInput({ channels: "grey", std: [1, 1, 1] }), /input\.std: 3 values for 1 channels/],
    [() => withInput({ std: [1, 0, 1] }), /input\.std: 0/],
    [() => parse({ crop: { scale: -1 } }), /crop\.scale: /],
    [() => parse({ placement: "somewhere" }), /placement: /],
    [() => parseCard("{", "net.json"), /not JSON/],
    [() => parseCard("null", "net.json"), /the card: /],
  ];
  for (const [run, pattern] of cases) {
    assert.throws(run, (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.match(error.message, /^Cannot read model card net\.json: [^\n]+$/);
      assert.match(error.message, pattern);
      return true;
    });
  }
});

Deno.test("every shipped card is whole: its file is here with its hash and size", async () => {
  const cards = await shippedCards();
  const names = cards.map(({ card }) => card.name);
  assert.deepEqual(names, names.toSorted());
  assertIncludes(names, "mini-xception");
  assertIncludes(names, "face-parts");
  for (const { card, folder } of cards) {
    assert.equal(folder, MODELS_FOLDER);
    assert.deepEqual((await findCard(card.name)).card, card);
    assertMore(card.licence.length, 2, card.name);
    assertMore(card.source.length, 2, card.name);
    if (!card.file || card.task === "detector") continue;
    const bytes = await readCardFile({ card, folder });
    assert.equal(bytes.length, card.bytes, card.name);
  }
});

Deno.test("a card is found by name or path; what is not there names what is", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "own.json");
    await Deno.writeTextFile(path, JSON.stringify(LEAST));
    const { card, folder: found } = await findCard(path);
    assert.deepEqual([card.name, found], ["net", folder]);
    for (const name of ["nope", join(folder, "nope.json"), folder, ""]) {
      await assert.rejects(findCard(name), (error: unknown) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.match(error.message, /give one of .*mini-xception.*, or the path of a card/);
        return true;
      });
    }
  });
});

Deno.test("a model file that is missing or another is refused", async () => {
  await withFolder(async (folder) => {
    const card = parse() as NetworkCard;
    await assert.rejects(
      readCardFile({ card, folder }),
      /its file .*net\.onnx is missing; get it from somewhere/,
    );
    await Deno.writeTextFile(join(folder, "net.onnx"), "other");
    await assert.rejects(readCardFile({ card, folder }), (error: unknown) => {
      assert.ok(error instanceof ModelError, String(error));
      assert.match(error.message, /sha256 of net\.onnx is [0-9a-f]{64}, its card says 0{64}/);
      return true;
    });
  });
});
