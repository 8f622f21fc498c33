import assert from "node:assert/strict";
import { ModelError } from "../../src/base/errors.ts";
import { headValues } from "../../src/classifier/heads.ts";
import { emonetCard } from "../../src/importers/emonet/card.ts";

Deno.test("a head is its bias and the weighted sum of the probabilities", () => {
  const heads = {
    valence: { bias: 5, weights: [1, -2, 0.5] },
    arousal: { bias: -1, weights: [0, 0, 4] },
  };
  const card = { name: "net", heads };
  assert.deepEqual(headValues(card, [0.5, 0.25, 0.25]), { valence: 5.125, arousal: 0 });
  assert.deepEqual(headValues(card, new Float32Array([0, 0, 1])), { valence: 5.5, arousal: 3 });
  assert.equal(headValues(card, [NaN, 0, 0]).valence, NaN);
  assert.deepEqual(headValues({ name: "net" }, [1]), {});
});

Deno.test("a head of another length than the classes is refused", () => {
  const card = { name: "net", heads: { valence: { bias: 0, weights: [1, 2] } } };
  assert.throws(() => headValues(card, [1, 2, 3]), (error) => {
    assert.ok(error instanceof ModelError, String(error));
    assert.match(error.message, /^Cannot compute valence of model net: its head has 2 weights/);
    return true;
  });
});

Deno.test("EmoNet's heads have a weight for each of its 20 classes", () => {
  const { classes, heads } = emonetCard("m.npy", "here") as {
    classes: string[];
    heads: Record<string, { bias: number; weights: number[] }>;
  };
  assert.equal(new Set(classes).size, 20);
  for (const { weights } of Object.values(heads)) assert.equal(weights.length, 20);
});
