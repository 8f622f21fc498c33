import assert from "node:assert/strict";
import { DECODERS, DETECTOR_OPTIONS } from "../../src/detectors/mod.ts";
import { OPTIONS, type OptionTable } from "../../src/run/options/mod.ts";
import { assertIncludes } from "../assert_that.ts";

Deno.test("every setting of a detector has its row in the table of options, with its values and presets", () => {
  const table: OptionTable = OPTIONS;
  for (const { name, values, presets } of DETECTOR_OPTIONS) {
    const row = table.find((row) => row.name === name);
    assert.ok(row, `--${name} is not in src/run/options/`);
    const range = "min" in values
      ? `a number from ${values.min} to ${values.max}`
      : values.join(", ");
    assert.equal(row.value.range, range, name);
    assert.deepEqual(row.presets ?? {}, presets ?? {}, name);
    assertIncludes(row.commands, "detect", name);
    assertIncludes(row.commands, "analyze", name);
    const having = DECODERS.filter(({ options }) => options.some((option) => option.name === name));
    for (const { title } of having) {
      assert.ok(row.when?.says.includes(title), `--${name} does not say that ${title} has it`);
    }
  }
});
