import assert from "node:assert/strict";

const photos = new URL("../../models/photos/", import.meta.url);

Deno.test("the shipped photographs carry no EXIF, XMP, IPTC, comment or thumbnail", async () => {
  let checked = 0;
  for await (const { name } of Deno.readDir(photos)) {
    if (!name.endsWith(".jpg")) continue;
    checked++;
    const bytes = await Deno.readFile(new URL(name, photos));
    const view = new DataView(bytes.buffer);
    assert.equal(view.getUint16(0), 0xffd8);
    let at = 2;
    // Segments up to the start of the scan; APP1 to APP15 and COM are where metadata lie.
    for (let marker = 0; marker !== 0xffda; at += 2 + view.getUint16(at + 2)) {
      marker = view.getUint16(at);
      const metadata = marker >= 0xffe1 && marker <= 0xffef || marker === 0xfffe;
      assert.ok(!metadata, `${name}: ${marker.toString(16)}`);
    }
    // Nothing after the end of the picture either.
    assert.equal(view.getUint16(bytes.length - 2), 0xffd9, name);
  }
  assert.equal(checked, 8);
});

Deno.test("every shipped photograph is in the credits", async () => {
  const credits = await Deno.readTextFile(new URL("CREDITS.md", photos));
  assert.match(credits, /Copyright \(c\) Vladimir Mandic/);
  for await (const { name } of Deno.readDir(photos)) {
    if (!name.endsWith(".jpg")) continue;
    assert.ok(credits.includes(name) || /^group[1-6]\.jpg$/.test(name), name);
  }
});
