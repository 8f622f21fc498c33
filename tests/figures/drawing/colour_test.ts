import assert from "node:assert/strict";
import {
  divergingScale,
  inkOn,
  MAP_OPACITY,
  mapColour,
  MISSING,
  scaleFor,
  sequentialScale,
} from "../../../src/figures/drawing/colour.ts";

Deno.test("the sequential scale is viridis from 0 to the next round number", () => {
  const scale = sequentialScale(0.93);
  assert.deepEqual(scale.domain, [0, 1]);
  // First, middle and last colour of matplotlib's viridis table.
  assert.deepEqual([0, 0.5, 1].map(scale.colour), ["#440154", "#21918c", "#fde725"]);
});

Deno.test("the diverging scale is centred on 0, red above and blue below, and clamps", () => {
  const scale = divergingScale(0.47);
  assert.deepEqual(scale.domain, [-0.5, 0.5]);
  // Ends and middle of ColorBrewer's 11-class RdBu as d3 smooths it.
  assert.deepEqual([-0.5, 0, 0.5].map(scale.colour), ["#053061", "#f2efee", "#67001f"]);
  assert.equal(scale.colour(9), scale.colour(0.5));
  assert.equal(scale.colour(-Infinity), scale.colour(-0.5));
  assert.equal(scale.colour(NaN), MISSING.fill);
});

Deno.test("a measure with a neutral 0, or a negative value, makes the scale diverging", () => {
  assert.equal(scaleFor(true, [0.1, 0.2]).kind, "diverging");
  assert.equal(scaleFor(false, [0.1, 0.2]).kind, "sequential");
  assert.equal(scaleFor(false, [0.1, -0.2]).kind, "diverging");
});

Deno.test("no value, only zeros and infinities still give a scale", () => {
  assert.deepEqual(scaleFor(false, []).domain, [0, 1]);
  assert.deepEqual(scaleFor(false, [NaN, 0]).domain, [0, 1]);
  assert.deepEqual(scaleFor(true, [Infinity, -2]).domain, [-2, 2]);
});

Deno.test("text on a colour is black or white, whichever has at least 4.5:1 of contrast", () => {
  assert.equal(inkOn("#440154"), "#ffffff");
  assert.equal(inkOn("#fde725"), "#000000");
  const luminance = (hex: string) => {
    const c = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
  };
  for (const scale of [sequentialScale(1), divergingScale(1)]) {
    for (let t = 0; t <= 100; t++) {
      const [low, high] = scale.domain;
      const ground = scale.colour(low + ((high - low) * t) / 100);
      const [dark, light] = [luminance(ground), luminance(inkOn(ground))].sort((a, b) => a - b);
      assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${ground}`);
    }
  }
});

Deno.test("a map is transparent at 0 and where it is NaN, and most opaque at 1", () => {
  assert.equal(mapColour(0).opacity, 0);
  assert.equal(mapColour(NaN).opacity, 0);
  assert.equal(mapColour(0.5).opacity, MAP_OPACITY / 2);
  assert.deepEqual(mapColour(7), mapColour(1));
  // The last colour of matplotlib's plasma table.
  const { r, g, b } = mapColour(1);
  assert.deepEqual([r, g, b], [0xf0, 0xf9, 0x21]);
});
