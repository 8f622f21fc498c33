import assert from "node:assert/strict";
import { UsageError } from "../../src/base/errors.ts";
import { distinct, type Kind, list, number, oneOf, toggle } from "../../src/run/options/kinds.ts";

/** The parser of an option of a kind. */
const parserOf = <T>(what: string, kind: Kind<T>) => (text: string) => kind.parse(what, text);

Deno.test("a number is taken in any notation, within its range only", () => {
  const ratio = parserOf("--ratio", number("f", { min: 0, max: 1 }));
  assert.deepEqual(["0", "1", "0.25", "2.5e-1", ".5", " 1 "].map(ratio), [
    0,
    1,
    0.25,
    0.25,
    0.5,
    1,
  ]);
  for (const text of ["", " ", "x", "1x", "NaN", "Infinity", "-0.1", "1.01", "0,5", "1 2"]) {
    assert.throws(() => ratio(text), (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.equal(
        error.message,
        `Cannot use --ratio ${JSON.stringify(text)}: give a number from 0 to 1`,
      );
      return true;
    });
  }
  const count = parserOf("--count", number("n", { min: 1, integer: true }));
  assert.equal(count("1e3"), 1000);
  assert.throws(() => count("1.5"), /give a whole number of at least 1$/);
  assert.throws(() => number("n", { max: 3 }).parse("--most", "4"), /give a number of at most 3$/);
  assert.throws(() => number("n").parse("--any", "one"), /give a number$/);
  assert.equal(number("n").parse("--any", "-1e9"), -1e9);
});

Deno.test("a word is one of those listed, letter by letter", () => {
  const kind = parserOf("--kind", oneOf("kind", ["image", "faces"]));
  assert.equal(kind("faces"), "faces");
  for (const text of ["", "Faces", "face", " faces"]) {
    assert.throws(() => kind(text), /^UsageError: Cannot use --kind .*: give image, faces$/);
  }
});

Deno.test("a list is parted at commas, without spaces and empty entries", () => {
  assert.deepEqual(list("names").parse("--names", "a, b,,c ,"), ["a", "b", "c"]);
  assert.deepEqual(list("names").parse("--names", " "), []);
});

Deno.test("names of which there must be some are given once each", () => {
  const layers = parserOf("--layer", distinct("tensors", "layer"));
  assert.deepEqual(layers("b, a"), ["b", "a"]);
  for (const text of ["", " , "]) {
    assert.throws(() => layers(text), /^UsageError: Cannot use --layer ".*": name a layer, or/);
  }
  assert.throws(() => layers("a,b, a"), /--layer "a,b, a": a occurs twice; name each layer once$/);
});

Deno.test("a switch that is set by its value is on or off", () => {
  assert.deepEqual(["true", "false"].map(parserOf("--set maps", toggle())), [true, false]);
  assert.throws(() => toggle().parse("--set maps", "1"), {
    message: "Cannot use --set maps=1: it is a switch; give true or false",
  });
});
