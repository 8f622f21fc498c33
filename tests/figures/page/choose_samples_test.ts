import assert from "node:assert/strict";
import { chooseSamples } from "../../../src/figures/page/choose_samples.ts";

const CANDIDATES = [
  { id: "a", predicted: "sad", probability: 0.5 },
  { id: "b", predicted: "happy", probability: 0.6 },
  { id: "c", predicted: "happy", probability: 0.9 },
  { id: "d", predicted: "happy", probability: 0.9 },
  { id: "e", predicted: "sad", probability: NaN },
];

const ids = (candidates: typeof CANDIDATES, limit?: number) =>
  chooseSamples(candidates, limit).map((i) => candidates[i].id);

Deno.test("chooseSamples takes classes in turn, the most confident first, ties by name", () => {
  assert.deepEqual(ids(CANDIDATES), ["c", "a", "d", "e", "b"]);
});

Deno.test("chooseSamples stops at the limit, within a round too", () => {
  assert.deepEqual(ids(CANDIDATES, 3), ["c", "a", "d"]);
  assert.deepEqual(ids(CANDIDATES, 0), []);
  assert.deepEqual(ids([], 5), []);
});

Deno.test("chooseSamples does not depend on the order of the candidates", () => {
  assert.deepEqual(ids(CANDIDATES.toReversed()), ids(CANDIDATES));
});
