import assert from "node:assert/strict";
import { escapeText, legible, markup, trusted } from "../../../src/figures/drawing/markup.ts";

Deno.test("markup escapes text in holes and keeps markup in holes as it is", () => {
  const inner = markup`<b>${"<script>&\"'"}</b>`;
  assert.equal(inner.markup, "<b>&lt;script&gt;&amp;&quot;&#39;</b>");
  assert.equal(markup`<i>${inner}${trusted("<hr>")}</i>`.markup, `<i>${inner.markup}<hr></i>`);
});

Deno.test("markup writes lists one after another, numbers plainly, and nothing for null and undefined", () => {
  assert.equal(markup`${["a", markup`<br>`, ["<"]]}${0}${null}${undefined}.`.markup, "a<br>&lt;0.");
});

Deno.test("legible shows line breaks, control characters and bidirectional controls", () => {
  assert.equal(legible("a\nb\tc\u0000d\u007f"), "a⟨U+000A⟩b⟨U+0009⟩c⟨U+0000⟩d⟨U+007F⟩");
  assert.equal(legible("photo\u202egpj.exe"), "photo⟨U+202E⟩gpj.exe");
  assert.equal(legible("\u2066x\u2069\ufeff"), "⟨U+2066⟩x⟨U+2069⟩⟨U+FEFF⟩");
});

Deno.test("legible replaces what XML forbids and keeps emoji and right-to-left letters", () => {
  assert.equal(legible("\ud800x\uffff"), "\ufffdx\ufffd");
  assert.equal(legible("😀 שלום مرحبا"), "😀 שלום مرحبا");
});

Deno.test("escaping twice differs only in the ampersands, and legible text is stable", () => {
  const odd = "a\u202e<\n>";
  assert.equal(legible(legible(odd)), legible(odd));
  assert.equal(escapeText("&lt;"), "&amp;lt;");
});
