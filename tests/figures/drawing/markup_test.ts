import assert from "node:assert/strict";
import { escapeText, markup, trusted } from "../../../src/figures/drawing/markup.ts";
import { legible } from "../../../src/base/legible.ts";

Deno.test("markup escapes text in holes and keeps markup in holes as it is", () => {
  const inner = markup`<b>${"<script>&\"'"}</b>`;
  assert.equal(inner.markup, "<b>&lt;script&gt;&amp;&quot;&#39;</b>");
  assert.equal(markup`<i>${inner}${trusted("<hr>")}</i>`.markup, `<i>${inner.markup}<hr></i>`);
});

Deno.test("markup writes lists one after another, numbers plainly, and nothing for null and undefined", () => {
  assert.equal(markup`${["a", markup`<br>`, ["<"]]}${0}${null}${undefined}.`.markup, "a<br>&lt;0.");
});

Deno.test("escaping twice differs only in the ampersands, and legible text is stable", () => {
  const odd = "a\u202e<\n>";
  assert.equal(legible(legible(odd)), legible(odd));
  assert.equal(escapeText("&lt;"), "&amp;lt;");
});
