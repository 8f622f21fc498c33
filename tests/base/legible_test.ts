import assert from "node:assert/strict";
import { legible } from "../../src/base/legible.ts";

Deno.test("legible shows line breaks, control characters and bidirectional controls", () => {
  assert.equal(legible("a\nb\tc\u0000d\u007f"), "a⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩d⟨U+007F⟩");
  assert.equal(legible("photo\u202egpj.exe"), "photo⟨U+202E⟩gpj.exe");
  assert.equal(legible("\u2066x\u2069\ufeff"), "⟨U+2066⟩x⟨U+2069⟩⟨U+FEFF⟩");
});

Deno.test("legible replaces what XML forbids and keeps emoji and right-to-left letters", () => {
  assert.equal(legible("\ud800x\uffff"), "\ufffdx\ufffd");
  assert.equal(legible("😀 שלום مرحبا"), "😀 שלום مرحبا");
});

Deno.test("control characters of a name cannot reach the terminal", () => {
  assert.equal(
    legible("a\x1b[31mb\nc\u202ed\u0085e\x7f"),
    "a⟨U+001B⟩[31mb⟨U+000A⟩c⟨U+202E⟩d⟨U+0085⟩e⟨U+007F⟩",
  );
  assert.equal(legible("é 中 😀 'x'"), "é 中 😀 'x'");
});

Deno.test("marks that hide or turn text are shown: Arabic letter mark, direction marks, byte order mark", () => {
  assert.equal(
    legible("a\u061cb\u200ec\u200fd\ufeffe"),
    "a⟨U+061C⟩b⟨U+200E⟩c⟨U+200F⟩d⟨U+FEFF⟩e",
  );
});
