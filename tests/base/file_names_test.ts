import assert from "node:assert/strict";
import { fileNames } from "../../src/base/file_names.ts";

Deno.test("fileNames() keeps letters of any script and replaces what a path or a shell would read", () => {
  const name = fileNames();
  assert.equal(name("faces/été 1.jpg"), "faces_été_1.jpg");
  assert.equal(name("../../etc/passwd"), "etc_passwd");
  assert.equal(name('中文; rm -rf "x"\n'), "中文_rm_-rf_x_");
  assert.equal(name("..."), "image");
});

Deno.test("fileNames() gives no name twice, upper and lower case alike", () => {
  const name = fileNames();
  assert.deepEqual(["a b", "a_b", "A_B", "a/b"].map(name), ["a_b", "a_b~2", "A_B~3", "a_b~4"]);
  assert.equal(fileNames()("a b"), "a_b");
});

Deno.test("fileNames() keeps the end of a long text, whole characters, within 180 bytes", () => {
  const found = fileNames()("中".repeat(200) + "end");
  assert.equal(found, "中".repeat(59) + "end");
  assert.equal(new TextEncoder().encode(found).length, 180);
  const astral = fileNames()("𝒜".repeat(100));
  assert.equal(astral, "𝒜".repeat(45));
});
