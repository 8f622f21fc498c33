import assert from "node:assert/strict";
import { turned } from "../../src/ledger/stored_size.ts";

Deno.test("sides are swapped where EXIF turns by a quarter and the run follows it; twice is not at all", () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const row = { path: "a", width: 4, height: 3, orientation };
    assert.deepEqual(turned(row, "stored"), row);
    const upright = turned(row, "exif");
    const quarter = orientation >= 5;
    assert.deepEqual([upright.width, upright.height], quarter ? [3, 4] : [4, 3]);
    assert.deepEqual(turned(upright, "exif"), row);
  }
  assert.deepEqual(turned({ width: 4, height: 3 }, "exif"), { width: 4, height: 3 });
  assert.deepEqual(turned({}, "exif"), {});
});
