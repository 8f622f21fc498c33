/** Links in the documents lead somewhere. */

import assert from "node:assert/strict";
import { readDocuments } from "./documents.ts";

Deno.test("every file that a document links to is there", async () => {
  const missing: string[] = [];
  for (const { path, text } of await readDocuments()) {
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue;
      const file = new URL(target, new URL(`../../${path}`, import.meta.url));
      await Deno.stat(file).catch(() => missing.push(`${path}: ${target}`));
    }
  }
  assert.deepEqual(missing, []);
});
