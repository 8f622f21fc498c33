import assert from "node:assert/strict";
import { shorten, textOutline, textWidth, wrap } from "../../../src/figures/drawing/font.ts";
import { assertClose } from "../../assert_close.ts";
import {
  assertAtLeast,
  assertAtMost,
  assertEvery,
  assertLess,
  assertMore,
} from "../../assert_that.ts";

/** Leftmost and rightmost x of path data (all numbers come in x y pairs). */
function extent(data: string): [number, number] {
  const xs = (data.match(/-?[\d.]+/g) ?? []).filter((_, i) => i % 2 === 0).map(Number);
  return [Math.min(...xs), Math.max(...xs)];
}

Deno.test("a text's width is the sum of DejaVu Sans' advances", () => {
  // Advances from the font's hmtx table, in 2048 units an em: H 1540, i 569, space 651.
  assertClose(textWidth("Hi H", 20.48), (1540 + 569 + 651 + 1540) / 100, 1e-9);
  assert.equal(textWidth("", 12), 0);
});

Deno.test("an outline lies where the text starts and is about as wide as the text", () => {
  const [left, right] = extent(textOutline("Human face", 100, 50, 20));
  const width = textWidth("Human face", 20);
  assertAtLeast(left, 100);
  assertLess(left, 104);
  assertAtMost(right, 100 + width);
  assertMore(right, 100 + width - 4);
});

Deno.test("right-to-left letters are in visual order", () => {
  // Alef comes first in the text and so is at the right: the outline of the reversed letters in a left-to-right line.
  const alef = textOutline("א", 0, 0, 10);
  const both = textOutline("אב", 0, 0, 10);
  const shifted = textOutline("א", textWidth("ב", 10), 0, 10);
  assert.ok(both.endsWith(shifted), both);
  assert.ok(!both.startsWith(alef), both);
});

Deno.test("characters that the font lacks, spaces and odd input do not throw", () => {
  for (const text of ["😀", "日本", "  ", "", "\u202e", "مرحبا", "e\u0301", "\ud800"]) {
    assert.equal(typeof textOutline(text, 0, 0, 12), "string");
    assertAtLeast(textWidth(text, 12), 0);
  }
  assert.notEqual(textOutline("😀", 0, 0, 12), "");
});

Deno.test("shorten keeps what fits and cuts the rest with an ellipsis", () => {
  assert.equal(shorten("mouth", 12, 100), "mouth");
  const cut = shorten("a very long label that cannot fit", 12, 80);
  assert.ok(cut.endsWith("…"), cut);
  assertAtMost(textWidth(cut, 12), 80 + 1e-9, cut);
  assert.equal(shorten("wide", 12, 1), "w…");
});

Deno.test("wrap loses no character but the spaces at breaks and keeps lines within the width", () => {
  const text = `one two three ${"x".repeat(60)} four`;
  const broken = wrap(text, 12, 90);
  assertMore(broken.length, 3);
  assertEvery(broken, (line) => textWidth(line, 12) <= 90 + 1e-9);
  assert.equal(broken.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  assert.deepEqual(wrap("", 12, 90), []);
});
