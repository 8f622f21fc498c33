import assert from "node:assert/strict";
import { allFeatures, binaryTable } from "../../../src/experiments/paper/binary_table.ts";
import { bits } from "./corpus.ts";

const mark = (image: string, feature: string) => ({ image, feature });

Deno.test("images are in order of first appearance, features in the order asked, marks of others nowhere", () => {
  const marks = [mark("b", "y"), mark("a", "x"), mark("b", "y"), mark("c", "w"), mark("?", "x")];
  const { images, features, vectors } = binaryTable(["b", "a", "b", "c"], [
    { features: ["x", "y", "z"], marks },
  ]);
  assert.deepEqual(images, ["b", "a", "c"]);
  assert.deepEqual(features, ["x", "y", "z"]);
  assert.deepEqual(bits(vectors), ["010", "100", "000"]);
});

Deno.test("two groups may share a name, and a name may come twice", () => {
  const { features, vectors } = binaryTable(["a", "b"], [
    { features: ["Boredom", "Boredom"], marks: [mark("a", "Boredom")] },
    { features: ["Boredom"], marks: [mark("b", "Boredom")] },
  ]);
  assert.deepEqual(features, ["Boredom", "Boredom", "Boredom"]);
  assert.deepEqual(bits(vectors), ["10", "10", "01"]);
});

Deno.test("no image, no feature: empty tables", () => {
  const { images, features, vectors } = binaryTable([], [{ features: ["x"], marks: [] }]);
  assert.deepEqual([images, features, bits(vectors)], [[], ["x"], [""]]);
  assert.deepEqual(binaryTable(["a"], []).vectors, []);
});

Deno.test("all features are in the order of their code points", () => {
  const marks = ["b", "é", "B", "b", "😀", "\uffff"].map((feature) => mark("a", feature));
  assert.deepEqual(allFeatures(marks), ["B", "b", "é", "\uffff", "😀"]);
});
